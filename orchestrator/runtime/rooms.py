"""A room that exists, with its metadata, before anybody is sent into it.

LiveKit makes a room when the first participant comes, without metadata; an agent that is dispatched then reads none, and
does not read it again. And CreateRoom leaves the metadata of a room that exists as it is, in silence.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from orchestrator.core.facts import CandidateSpec, RoomOpened
from orchestrator.core.listing import ListedRoom
from orchestrator.runtime.ports import LiveKit, LiveKitUnavailable

log = structlog.get_logger()

PATIENCE: Final = 5.0
"""Seconds for all calls together, the waiting for the API budget included: somebody waits for the answer."""


@dataclass(frozen=True, slots=True)
class Ensured:
    """A room that exists."""

    room: ListedRoom
    existed: bool
    updated: bool
    """Whether it had other metadata before."""

    @property
    def opening(self) -> RoomOpened:
        return RoomOpened(self.room.name, self.room.sid, self.room.created_at, self.room.metadata)


class Rooms:
    def __init__(self, livekit: LiveKit) -> None:
        self._livekit = livekit

    async def look(self, name: str) -> ListedRoom | None:
        """The live room of this name, as it is. Raises LiveKitError."""
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._livekit.room(name)
        except TimeoutError as error:
            raise LiveKitUnavailable(f"no room within {PATIENCE:g} s") from error

    async def opening(self, name: str) -> tuple[RoomOpened, bool]:
        """The live room of this name, made if there is none, and whether there was one. Raises LiveKitError."""
        ensured = await self.ensure(name)
        return ensured.opening, ensured.existed

    async def ensure(self, name: str, *, metadata: str | None = None, agents: Sequence[CandidateSpec] = ()) -> Ensured:
        """The live room of this name, made if there is none. Raises LiveKitError.

        With this metadata, if one is given; otherwise a room keeps what it has. The agents are LiveKit's to dispatch, and
        count only in a room that is made.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                ensured = await self._ensure(name, metadata, agents)
        except TimeoutError as error:
            raise LiveKitUnavailable(f"no room within {PATIENCE:g} s") from error
        log.info(
            "room_ensured",
            room=name,
            sid=ensured.room.sid,
            room_was="there" if ensured.existed else "made",
            metadata="updated" if ensured.updated else "kept" if ensured.existed or metadata is None else "set",
        )
        return ensured

    async def _ensure(self, name: str, metadata: str | None, agents: Sequence[CandidateSpec]) -> Ensured:
        listed = await self._livekit.room(name)
        # Also of a room that is listed: a node that died may have left it there, and CreateRoom brings it back to life.
        room = await self._livekit.create_room(name, metadata=metadata or "", agents=agents)
        existed = listed is not None and listed.sid == room.sid
        if metadata is None or room.metadata == metadata:
            return Ensured(room, existed, updated=False)
        # It was there, or somebody else made it between the two calls.
        return Ensured(await self._livekit.update_room_metadata(name, metadata), existed=True, updated=True)
