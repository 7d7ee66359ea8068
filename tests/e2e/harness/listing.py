"""What LiveKit's own listings say, looked at all the time: the referee of "never two agents"."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp
from livekit import api
from livekit.protocol.models import ParticipantInfo

from tests.e2e.harness.livekit import LiveKitServer

NAME_ATTRIBUTES = ("lk.agent_name", "lk.agent.name")

EVERY = 0.2
"""Seconds between two looks at all rooms."""


@dataclass
class Presence:
    """The agents of one name in one room, over the whole watch."""

    greatest: int = 0
    """The most that were ACTIVE in one look."""
    looks_with_two: int = 0
    seconds_with_two: float = 0.0
    """The longest run of looks in each of which two or more were ACTIVE."""
    identities: set[str] = field(default_factory=set)
    """Everyone who was ever ACTIVE."""
    _two_since: float | None = None

    def look(self, active: set[str], at: float) -> None:
        """Take in one look."""
        self.identities |= active
        self.greatest = max(self.greatest, len(active))
        if len(active) < 2:
            self._two_since = None
            return
        self.looks_with_two += 1
        self._two_since = at if self._two_since is None else self._two_since
        self.seconds_with_two = max(self.seconds_with_two, at - self._two_since)


class Sampler:
    """Counts, look by look, the ACTIVE agents in every room of a server."""

    def __init__(self, livekit: api.LiveKitAPI) -> None:
        self.looks = 0
        self.rooms: set[str] = set()
        """Every room name that was ever listed."""
        self._livekit = livekit
        self._presence: dict[tuple[str, str], Presence] = {}

    def presence(self, room: str, agent_name: str) -> Presence:
        """What was seen of this agent in this room; nothing yet is a presence of nobody."""
        return self._presence.get((room, agent_name), Presence())

    def with_two(self) -> Mapping[tuple[str, str], Presence]:
        """Each room and agent name that ever had two at once."""
        return {where: presence for where, presence in self._presence.items() if presence.greatest > 1}

    async def look(self) -> None:
        """Look at all rooms once."""
        listed = await self._livekit.room.list_rooms(api.ListRoomsRequest())
        names = {room.name for room in listed.rooms}
        self.rooms |= names
        for room in names:
            found = await self._livekit.room.list_participants(api.ListParticipantsRequest(room=room))
            self._count(room, found.participants, time.monotonic())
        for room in {room for room, _ in self._presence} - names:
            self._count(room, (), time.monotonic())
        self.looks += 1

    def _count(self, room: str, participants: Iterable[ParticipantInfo], at: float) -> None:
        active: dict[str, set[str]] = {}
        for participant in participants:
            if participant.kind == ParticipantInfo.Kind.AGENT and participant.state == ParticipantInfo.State.ACTIVE:
                active.setdefault(_agent_name(participant), set()).add(participant.identity)
        for agent_name in active.keys() | {name for where, name in self._presence if where == room}:
            self._presence.setdefault((room, agent_name), Presence()).look(active.get(agent_name, set()), at)

    async def watch(self, every: float) -> None:
        """Look again and again. A server that is down has nothing to show."""
        while True:
            with suppress(aiohttp.ClientError, api.TwirpError, TimeoutError):
                await self.look()
            await asyncio.sleep(every)


@asynccontextmanager
async def sampler(server: LiveKitServer, *, every: float = EVERY) -> AsyncIterator[Sampler]:
    """A sampler that looks in the background until the exit."""
    async with server.api() as livekit:
        watcher = Sampler(livekit)
        watching = asyncio.create_task(watcher.watch(every), name="sampler")
        try:
            yield watcher
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


def _agent_name(participant: ParticipantInfo) -> str:
    return next((name for attribute in NAME_ATTRIBUTES if (name := participant.attributes.get(attribute))), "")
