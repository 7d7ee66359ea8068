"""The rooms of one burst: opened, and removed whatever happens, so that LiveKit keeps nothing of them."""

import asyncio
import secrets
from contextlib import suppress
from typing import Final

from orchestrator.core.scratch import name_of
from orchestrator.runtime.ports import Clock, LiveKit, LiveKitError, NotFound
from orchestrator.runtime.tasks import Tasks

AT_ONCE: Final = 8
"""DeleteRoom calls under way."""

LONGEST: Final = 20.0
"""Seconds for all of it: then whatever is still listed is left."""
QUIET: Final = 5.0
"""Seconds without one of our rooms in the listing, after which none is expected any more: a job that waits for its process
outlives its room, and opens it anew when it joins."""
_EVERY: Final = 1.0


def names(number: int) -> tuple[str, ...]:
    """Of rooms that no route wants an agent in, and that no other burst has."""
    burst = secrets.token_hex(3)
    return tuple(name_of(f"burst-{burst}-{n:03}") for n in range(1, number + 1))


class Removal:
    """Deletes rooms, and then looks whether they stay away."""

    def __init__(self, livekit: LiveKit, clock: Clock, tasks: Tasks) -> None:
        self._livekit = livekit
        self._clock = clock
        self._tasks = tasks

    async def remove(self, rooms: frozenset[str], *, quiet: float) -> frozenset[str]:
        """The rooms that could not be removed. `quiet`: for how many seconds none of them may come again."""
        await self._delete(rooms)
        began = seen_at = self._clock.monotonic()
        while True:
            await self._clock.sleep(_EVERY)
            there = await self._listed(rooms)
            now = self._clock.monotonic()
            if there:
                seen_at = now
                await self._delete(there)
            if now - began >= LONGEST or (not there and now - seen_at >= quiet):
                return there

    async def _listed(self, rooms: frozenset[str]) -> frozenset[str]:
        """Those of ours that LiveKit lists; all of them where nobody knows."""
        try:
            return rooms & {room.name for room in await self._livekit.rooms()}
        except LiveKitError:
            return rooms

    async def _delete(self, rooms: frozenset[str]) -> None:
        turns = asyncio.Semaphore(AT_ONCE)

        async def delete(room: str) -> None:
            async with turns:
                with suppress(NotFound, LiveKitError):  # what is left, the next listing shows
                    await self._livekit.delete_room(room)

        deletions = [self._tasks.spawn(f"delete {room}", delete(room)) for room in sorted(rooms)]
        if deletions:
            await asyncio.wait(deletions)
