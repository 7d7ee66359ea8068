"""What keeps scratch rooms closed: those of replicas that died, and those that an agent opens anew by coming late."""

from contextlib import suppress
from typing import Final

from orchestrator.runtime.ports import CanaryBook, Clock, Leases, LiveKit, StoreUnavailable
from orchestrator.runtime.scratch import closed

PERIOD: Final = 5.0


class Sweeper:
    """Looks for the rooms in the book, one replica at a time."""

    def __init__(self, replica: str, livekit: LiveKit, book: CanaryBook, leases: Leases, clock: Clock) -> None:
        self._replica = replica
        self._livekit = livekit
        self._book = book
        self._leases = leases
        self._clock = clock

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._clock.sleep(PERIOD)
            with suppress(StoreUnavailable):  # the next round finds them
                await self.sweep()

    async def sweep(self) -> None:
        """One look for each room whose canary is over. Raises StoreUnavailable."""
        rooms = await self._book.rooms()
        if not rooms or not await self._book.turn("sweep", self._replica, PERIOD / 2):
            return
        live = await self._leases.live()
        for name, room in rooms.items():
            now = self._clock.now()
            if now < room.until and room.replica in live:
                continue
            if await closed(self._livekit, name) and now >= room.watched_until:
                await self._book.close(name)
