"""A caller with a microphone and ears: says sentences, and keeps when which agent was there and could be heard."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from array import array
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from livekit import rtc

from tests.e2e.harness.hearing import BREATH, FRAME_SECONDS, Frame, Hearing, Stretch, Voice
from tests.e2e.harness.listing import NAME_ATTRIBUTES
from tests.e2e.harness.livekit import LiveKitServer
from tests.e2e.harness.utterances import RATE, Sentence, spoken
from tests.e2e.harness.wait import wait_until

TRANSCRIPTION_TOPIC = "lk.transcription"
"""Where LiveKit's agents write what was said, by whom they heard and by themselves."""

MICROPHONE_QUEUE_MS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the transcript that the caller's client shows."""

    identity: str
    """Whose words they are."""
    text: str


class Caller:
    """One person in one room."""

    def __init__(self, server: LiveKitServer, room: str, identity: str) -> None:
        self.identity = identity
        self.room_name = room
        self.hearing = Hearing()
        self.lines: list[Line] = []
        self._server = server
        self._room = rtc.Room()
        self._room.on("participant_connected", self._see)
        self._room.on("participant_disconnected", self._miss)
        self._room.on("participant_attributes_changed", self._learn)
        self._room.on("track_subscribed", self._hear)
        self._room.on("track_unsubscribed", self._stop_hearing)
        self._room.register_text_stream_handler(TRANSCRIPTION_TOPIC, self._read)
        self._microphone = rtc.AudioSource(RATE, num_channels=1, queue_size_ms=MICROPHONE_QUEUE_MS)
        self._to_say: asyncio.Queue[tuple[array[int], asyncio.Event]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: dict[str, asyncio.Task[None]] = {}

    async def join(self, token: str) -> None:
        """Connect, with the microphone on; with it the room exists."""
        await self._room.connect(self._server.url, token)
        for participant in self._room.remote_participants.values():
            self._see(participant)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", self._microphone)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        await self._room.local_participant.publish_track(track, options)
        self._keep(self._speak())

    async def leave(self) -> None:
        """Disconnect."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._room.disconnect()
        await self._microphone.aclose()

    async def say(self, sentence: Sentence) -> float:
        """Say it; the monotonic time at which it was said."""
        said = asyncio.Event()
        await self._to_say.put((spoken(sentence), said))
        await said.wait()
        return time.monotonic()

    async def wait_for_words(self, agent_name: str, *, since: float = 0.0, timeout: float = 20.0) -> Stretch:
        """The first stretch of this agent after `since`, once it has ended."""

        def ended() -> Stretch | None:
            first = next(iter(self.hearing.heard(agent_name, since=since)), None)
            return first if first is not None and time.monotonic() > first.end + BREATH else None

        where = f"{self.identity} hears {agent_name} finish a sentence in {self.room_name}"
        return await wait_until(ended, timeout=timeout, description=where)

    async def wait_for_line(self, text: str, *, timeout: float = 20.0) -> Line:
        """The first line of the client's transcript that holds this text."""
        where = f"{self.identity} reads {text!r} in {self.room_name}"
        return await wait_until(
            lambda: next((line for line in self.lines if text in line.text), None), timeout=timeout, description=where
        )

    def _see(self, participant: rtc.RemoteParticipant) -> None:
        if _is_agent(participant) and self.hearing.of(participant.identity) is None:
            self.hearing.voices.append(Voice(participant.identity, _agent_name(participant), time.monotonic()))

    def _miss(self, participant: rtc.RemoteParticipant) -> None:
        if (voice := self.hearing.of(participant.identity)) is not None:
            voice.left = time.monotonic()

    def _learn(self, _: dict[str, str], participant: rtc.Participant) -> None:
        if (voice := self.hearing.of(participant.identity)) is not None:
            voice.agent_name = _agent_name(participant) or voice.agent_name

    def _hear(self, track: rtc.Track, _: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        self._see(participant)
        voice = self.hearing.of(participant.identity)
        if voice is not None and track.kind == rtc.TrackKind.KIND_AUDIO:
            self._listening[track.sid] = self._keep(self._listen(track, voice))

    def _stop_hearing(self, track: rtc.Track, _: rtc.RemoteTrackPublication, __: rtc.RemoteParticipant) -> None:
        # The client takes the receiver of a track that has ended for the next one: what still listens there hears that one.
        if (listening := self._listening.pop(track.sid, None)) is not None:
            listening.cancel()

    def _read(self, reader: rtc.TextStreamReader, identity: str) -> None:
        async def read() -> None:
            # Whoever is taken out in the middle of a sentence never writes the end of it: that is no line.
            with suppress(rtc.StreamError):
                self.lines.append(Line(identity, await reader.read_all()))

        self._keep(read())

    async def _speak(self) -> None:
        """The microphone: what is to be said, and silence."""
        size = round(RATE * FRAME_SECONDS)
        while True:
            samples, said = (array("h"), None) if self._to_say.empty() else self._to_say.get_nowait()
            for start in range(0, max(len(samples), 1), size):
                frame = samples[start : start + size]
                frame.extend([0] * (size - len(frame)))
                await self._microphone.capture_frame(rtc.AudioFrame(frame.tobytes(), RATE, 1, size))
            if said is not None:
                said.set()

    async def _listen(self, track: rtc.Track, voice: Voice) -> None:
        stream = rtc.AudioStream(track, sample_rate=RATE, num_channels=1, frame_size_ms=round(FRAME_SECONDS * 1_000))
        try:
            async for event in stream:
                samples = event.frame.data
                rms = math.sqrt(sum(sample * sample for sample in samples) / len(samples)) / 32_767
                crossings = sum((one < 0) != (other < 0) for one, other in itertools.pairwise(samples))
                voice.frames.append(Frame(time.monotonic(), rms, crossings))
        finally:
            await stream.aclose()

    def _keep(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


@asynccontextmanager
async def caller(server: LiveKitServer, room: str, identity: str = "ann", *, metadata: str = "") -> AsyncIterator[Caller]:
    """A caller in the room, who hangs up at the exit."""
    person = Caller(server, room, identity)
    try:
        await person.join(server.token(room, identity, metadata=metadata))
        yield person
    finally:
        await person.leave()


def _is_agent(participant: rtc.RemoteParticipant) -> bool:
    return participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


def _agent_name(participant: rtc.Participant) -> str:
    return next((name for attribute in NAME_ATTRIBUTES if (name := participant.attributes.get(attribute))), "")
