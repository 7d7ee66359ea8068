"""Real clients: what a person's browser would see, with the times."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from livekit import rtc

from tests.e2e.harness.livekit import LiveKitServer
from tests.e2e.harness.wait import wait_until

CHAT_TOPIC = "lk.chat"
"""The topic that LiveKit's client libraries show as messages."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """An agent that the client saw."""

    identity: str
    after: float
    """Seconds since the client began to connect."""


@dataclass(frozen=True, slots=True)
class Message:
    """A chat message that the client got."""

    identity: str
    text: str


class Client:
    """One person in one room."""

    def __init__(self, server: LiveKitServer, room: str, identity: str) -> None:
        self.identity = identity
        self.messages: list[Message] = []
        self.sightings: list[Sighting] = []
        """Each agent once, in the order in which they were first seen."""
        self.loudest = 0.0
        """The highest peak of any agent's sound, of full scale."""
        self._server = server
        self._room_name = room
        self._tasks: set[asyncio.Task[None]] = set()
        self._room = rtc.Room()
        self._room.on("participant_connected", self._see)
        self._room.on("track_subscribed", self._hear)
        self._room.register_text_stream_handler(CHAT_TOPIC, self._read)

    async def join(self, token: str) -> None:
        """Connect; with it the room exists."""
        self._began = time.monotonic()
        await self._room.connect(self._server.url, token)
        for participant in self._room.remote_participants.values():
            self._see(participant)

    async def leave(self) -> None:
        """Disconnect."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._room.disconnect()

    @property
    async def sid(self) -> str:
        """The room's sid."""
        return await self._room.sid

    def agents(self) -> list[rtc.RemoteParticipant]:
        """The agents that this client sees in the room now."""
        return [one for one in self._room.remote_participants.values() if _is_agent(one)]

    async def wait_for_agent(self, *, timeout: float = 15.0) -> Sighting:
        """The first agent that this client sees."""
        await wait_until(
            lambda: self.sightings, timeout=timeout, description=f"{self.identity} sees an agent in {self._room_name}"
        )
        return self.sightings[0]

    async def wait_for_message(self, *, timeout: float = 15.0) -> Message:
        """The first chat message."""
        await wait_until(
            lambda: self.messages, timeout=timeout, description=f"{self.identity} gets a message in {self._room_name}"
        )
        return self.messages[0]

    async def wait_for_sound(self, *, above: float = 0.05, timeout: float = 15.0) -> float:
        """The loudest peak so far, once one was above `above`."""
        await wait_until(
            lambda: self.loudest > above,
            timeout=timeout,
            description=f"{self.identity} hears something in {self._room_name}",
        )
        return self.loudest

    def _see(self, participant: rtc.RemoteParticipant) -> None:
        if _is_agent(participant) and participant.identity not in {sighting.identity for sighting in self.sightings}:
            self.sightings.append(Sighting(participant.identity, time.monotonic() - self._began))

    def _hear(self, track: rtc.Track, _: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        if _is_agent(participant) and track.kind == rtc.TrackKind.KIND_AUDIO:
            self._keep(self._listen(track))

    def _read(self, reader: rtc.TextStreamReader, identity: str) -> None:
        async def read() -> None:
            self.messages.append(Message(identity, await reader.read_all()))

        self._keep(read())

    async def _listen(self, track: rtc.Track) -> None:
        stream = rtc.AudioStream(track, sample_rate=48_000, num_channels=1)
        try:
            async for event in stream:
                self.loudest = max(self.loudest, max(map(abs, event.frame.data)) / 32_767)
        finally:
            await stream.aclose()

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def client(
    server: LiveKitServer, room: str, identity: str = "ann", *, metadata: str = "", agents: Sequence[str] = ()
) -> AsyncIterator[Client]:
    """A person in the room, who leaves at the exit; `agents` go into the token's room configuration."""
    person = Client(server, room, identity)
    try:
        await person.join(server.token(room, identity, metadata=metadata, agents=agents))
        yield person
    finally:
        await person.leave()


def _is_agent(participant: rtc.RemoteParticipant) -> bool:
    return participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
