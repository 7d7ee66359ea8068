"""The only place where tasks are made: each is named, kept until it ends, guarded, and ended at shutdown.

asyncio itself keeps tasks only weakly and tells of an exception that nobody awaits when the task is collected, if ever.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")


class Tasks:
    """The tasks of one process. `on_crash` is called with the name and the exception of each that ends by a defect."""

    def __init__(self, on_crash: Callable[[str, BaseException], None]) -> None:
        self._on_crash = on_crash
        self._running: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        """How many run."""
        return len(self._running)

    def spawn(self, name: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start `work` beside the caller. Who awaits the task gets its result or exception all the same."""
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def drain(self, timeout: float) -> None:
        """Give all tasks, and those that they spawn, so many seconds to end by themselves; then cancel what is left."""
        try:
            async with asyncio.timeout(timeout):
                while others := self._others():
                    await asyncio.wait(others)
        except TimeoutError:
            log.warning("tasks_cut_off", names=sorted(task.get_name() for task in self._others()))
            await self.cancel()

    async def cancel(self) -> None:
        """Cancel all tasks but the caller's own, and wait until they have ended."""
        while others := self._others():
            for task in others:
                task.cancel()
            await asyncio.wait(others)

    def _others(self) -> set[asyncio.Task[Any]]:
        return self._running - {asyncio.current_task()}

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        log.error("task_crashed", task=task.get_name(), exc_info=error)
        self._on_crash(task.get_name(), error)
