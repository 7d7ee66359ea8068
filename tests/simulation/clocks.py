"""Time in the simulation: the world's, and what a replica makes of the store's."""

import asyncio
from typing import Final

from orchestrator.runtime.clock import StoreClock
from tests.simulation.loop import SimulatedLoop

EPOCH: Final = 1_700_000_000.0
"""Unix seconds at which every simulation begins."""


class WorldClock:
    """The true time."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def now(self) -> float:
        return EPOCH + self._loop.time()

    def monotonic(self) -> float:
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def until(self, time: float) -> None:
        """Sleep until so many seconds after the beginning."""
        await asyncio.sleep(time - self._loop.time())


class ReplicaClock(StoreClock):
    """The real clock of a replica, on the loop's time; until the store has answered, this machine's stands in."""

    def __init__(self, loop: SimulatedLoop, wrong_by: float) -> None:
        self._loop = loop
        self._ahead = EPOCH + wrong_by
        self._latest = self._ahead + loop.time()

    def monotonic(self) -> float:
        return self._loop.time()
