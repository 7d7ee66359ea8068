"""Rooms to try things out in: made for a moment, and deleted whatever happens."""

import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from orchestrator import contract
from orchestrator.core.listing import ListedRoom
from orchestrator.runtime.ports import LiveKit, LiveKitError, NotFound

METADATA: Final = json.dumps({contract.RESERVED_KEY: {"scratch": True}}, separators=(",", ":"))
"""By it whoever meets such a room, or is dispatched into it, knows what it is."""

_EVERY: Final = 0.5
"""Seconds between two looks for a room that comes again."""


class ScratchRooms:
    """The rooms of one examination. LiveKit ends what a killed doctor leaves behind when its empty_timeout is over."""

    def __init__(self, livekit: LiveKit) -> None:
        self._livekit = livekit
        self._names: list[str] = []

    @asynccontextmanager
    async def room(self) -> AsyncIterator[ListedRoom]:
        """A room that lives as long as the context. Raises LiveKitError when it cannot be made."""
        name = contract.SCRATCH_PREFIX + secrets.token_hex(6)
        self._names.append(name)
        try:
            yield await self._livekit.create_room(name, metadata=METADATA, agents=())
        finally:
            with suppress(LiveKitError):  # what is left, `sweep` finds
                await self._livekit.delete_room(name)

    async def keep_closed(self, name: str, seconds: float, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Delete it again and again for so long."""
        for _ in range(round(seconds / _EVERY)):
            await sleep(_EVERY)
            await self._is_gone(name)

    async def sweep(self) -> tuple[str, ...]:
        """Delete what is there again or still: an agent that joins late opens its room anew. The names of what stays."""
        return tuple([name for name in self._names if not await self._is_gone(name)])

    async def _is_gone(self, name: str) -> bool:
        try:
            if await self._livekit.room(name) is not None:
                await self._livekit.delete_room(name)
        except NotFound:
            return True
        except LiveKitError:
            return False
        return True
