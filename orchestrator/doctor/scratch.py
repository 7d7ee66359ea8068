"""The scratch rooms of one examination: made for a moment, and looked for once more at its end."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from orchestrator.core.listing import ListedRoom
from orchestrator.core.scratch import name_of
from orchestrator.runtime.ports import LiveKit
from orchestrator.runtime.scratch import closed, scratch_room

_EVERY: Final = 0.5
"""Seconds between two looks for a room that comes again."""


class ScratchRooms:
    """LiveKit ends what a killed doctor leaves behind when its empty_timeout is over."""

    def __init__(self, livekit: LiveKit) -> None:
        self._livekit = livekit
        self._names: list[str] = []

    @asynccontextmanager
    async def room(self) -> AsyncIterator[ListedRoom]:
        """A room that lives as long as the context. Raises LiveKitError when it cannot be made."""
        name = name_of(secrets.token_hex(6))
        self._names.append(name)
        async with scratch_room(self._livekit, name) as room:
            yield room

    async def keep_closed(self, name: str, seconds: float, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Delete it again and again for so long."""
        for _ in range(round(seconds / _EVERY)):
            await sleep(_EVERY)
            await closed(self._livekit, name)

    async def sweep(self) -> tuple[str, ...]:
        """Delete what is there again or still: an agent that joins late opens its room anew. The names of what stays."""
        return tuple([name for name in self._names if not await closed(self._livekit, name)])
