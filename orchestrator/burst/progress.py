"""What is shown while a burst runs, on standard error: a table that changes, or a line now and then."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from rich.live import Live

from orchestrator.burst.plan import Plan
from orchestrator.burst.report import progress_line, progress_table
from orchestrator.burst.running import Burst
from orchestrator.client.printing import console
from orchestrator.runtime.ports import Clock
from orchestrator.runtime.tasks import Tasks

_TABLE_EVERY: Final = 0.25
_LINE_EVERY: Final = 2.0


class Progress:
    """Nothing of it is shown to programs, which want JSON."""

    def __init__(self, clock: Clock, tasks: Tasks, *, as_json: bool) -> None:
        self._clock = clock
        self._console = console(stderr=True)
        self._silent = as_json
        self._tasks = tasks

    @asynccontextmanager
    async def following(self, burst: Burst, plan: Plan) -> AsyncIterator[None]:
        if self._silent:
            yield
            return
        work = self._table(burst, plan) if self._console.is_terminal else self._lines(burst, plan)
        shown = self._tasks.spawn("progress", work)
        try:
            yield
        finally:
            shown.cancel()
            await self._tasks.cancel()

    async def rest(self, seconds: float) -> None:
        """Wait until the workers are free again."""
        if not self._silent:
            self._console.print(f"The workers have {seconds:g} s to become free again.")
        await self._clock.sleep(seconds)

    async def _table(self, burst: Burst, plan: Plan) -> None:
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                live.update(progress_table(burst.outcome(), burst.asked, plan), refresh=True)
                await self._clock.sleep(_TABLE_EVERY)

    async def _lines(self, burst: Burst, plan: Plan) -> None:
        told = ""
        while True:
            await self._clock.sleep(_LINE_EVERY)
            line = progress_line(burst.outcome(), burst.asked, plan)
            if line != told:
                self._console.print(line)
            told = line
