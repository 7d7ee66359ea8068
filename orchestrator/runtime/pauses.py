"""Which agent names are paused, as this replica knows it: no trip to the store for each attempt."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import structlog

from orchestrator.core.pauses import Pause
from orchestrator.runtime.owner import SessionOwner
from orchestrator.runtime.ports import Clock, Pauses, StoreUnavailable

log = structlog.get_logger()

_PERIOD: Final = 2.0
"""Seconds between two looks: so long may another replica go on dispatching after an operator's pause."""


class PauseBoard:
    """While the store is away, what was known last holds."""

    def __init__(self, pauses: Pauses, clock: Clock) -> None:
        self._pauses = pauses
        self._clock = clock
        self._known: Mapping[str, Pause] = {}
        self._shown: frozenset[str] = frozenset()
        self._waiting: Counter[SessionOwner] = Counter()

    def current(self) -> dict[str, Pause]:
        """Those that hold, by agent name."""
        now = self._clock.now()
        return {name: pause for name, pause in self._known.items() if pause.holds(now)}

    def paused(self, agent_name: str) -> bool:
        pause = self._known.get(agent_name)
        return pause is not None and pause.holds(self._clock.now())

    async def pause(self, agent_name: str, pause: Pause) -> None:
        """Raises StoreUnavailable."""
        await self._pauses.pause(agent_name, pause)
        await self.look()

    async def resume(self, agent_name: str) -> None:
        """Raises StoreUnavailable."""
        await self._pauses.resume(agent_name)
        await self.look()

    @contextmanager
    def awaiting(self, owner: SessionOwner) -> Iterator[None]:
        """While a session waits for the end of a pause: it is nudged when any ends, or begins."""
        self._waiting[owner] += 1
        try:
            yield
        finally:
            self._waiting[owner] -= 1
            if not self._waiting[owner]:
                del self._waiting[owner]

    async def look(self) -> None:
        """Raises StoreUnavailable."""
        self._known = await self._pauses.look()
        self._tell()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._clock.sleep(_PERIOD)
            try:
                await self.look()
            except StoreUnavailable:
                self._tell()  # a pause may be over all the same

    def _tell(self) -> None:
        before, self._shown = self._shown, frozenset(self.current())
        if before == self._shown:
            return
        log.info("pauses_changed", paused=sorted(self._shown))
        for owner in list(self._waiting):
            owner.nudge()
