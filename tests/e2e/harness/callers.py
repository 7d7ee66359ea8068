"""A caller with a microphone and ears: says sentences, and keeps when which agent was there and could be heard."""

from __future__ import annotations

import asyncio
import itertools
import math
import time
from array import array
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from livekit import rtc

from tests.e2e.harness.listing import NAME_ATTRIBUTES
from tests.e2e.harness.livekit import LiveKitServer
from tests.e2e.harness.utterances import RATE, Sentence, spoken
from tests.e2e.harness.wait import wait_until

TRANSCRIPTION_TOPIC = "lk.transcription"
"""Where LiveKit's agents write what was said, by whom they heard and by themselves."""

FRAME_SECONDS = 0.02
AUDIBLE = 0.02
"""RMS of full scale. A tone of the stand-in has 0.2, a track on which nothing is played 0."""

BREATH = 0.4
"""Seconds of silence within what counts as one stretch of speech: between two sentences the next one is fetched."""

MICROPHONE_QUEUE_MS = 100


@dataclass(frozen=True, slots=True)
class Frame:
    """20 ms of an agent's sound, as it came out of the client."""

    at: float
    """Monotonic clock, seconds."""
    rms: float
    """Of full scale."""
    crossings: int
    """How often the wave passed zero: twice per period of a tone."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """An agent was heard from here to there."""

    agent_name: str
    start: float
    end: float
    hertz: float
    """What a pure tone would have to be to pass zero as often."""


@dataclass(slots=True)
class Voice:
    """One agent, as long as the caller was in the room with it."""

    identity: str
    agent_name: str
    came: float
    """Monotonic clock, seconds; of `left`, too."""
    left: float | None = None
    frames: list[Frame] = field(default_factory=list)

    def stretches(self) -> list[Stretch]:
        """When it was heard."""
        heard = [frame for frame in self.frames if frame.rms > AUDIBLE]
        groups: list[list[Frame]] = []
        for frame in heard:
            if groups and frame.at - groups[-1][-1].at <= BREATH:
                groups[-1].append(frame)
            else:
                groups.append([frame])
        return [Stretch(self.agent_name, group[0].at, group[-1].at, _hertz(group)) for group in groups]


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
        self.voices: list[Voice] = []
        """Every agent that the caller ever was in the room with, in the order in which they were seen."""
        self.lines: list[Line] = []
        self._server = server
        self._room = rtc.Room()
        self._room.on("participant_connected", self._see)
        self._room.on("participant_disconnected", self._miss)
        self._room.on("participant_attributes_changed", self._learn)
        self._room.on("track_subscribed", self._hear)
        self._room.register_text_stream_handler(TRANSCRIPTION_TOPIC, self._read)
        self._microphone = rtc.AudioSource(RATE, num_channels=1, queue_size_ms=MICROPHONE_QUEUE_MS)
        self._to_say: asyncio.Queue[tuple[array[int], asyncio.Event]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

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

    def present(self) -> list[str]:
        """The agent names of those who are there now."""
        return [voice.agent_name for voice in self.voices if voice.left is None]

    def heard(self, agent_name: str | None = None, *, since: float = 0.0) -> list[Stretch]:
        """When an agent of this name (None: any) was heard, in order; stretches that begin before `since` are left out."""
        found = [
            stretch
            for voice in self.voices
            for stretch in voice.stretches()
            if agent_name in (None, voice.agent_name) and stretch.start >= since
        ]
        return sorted(found, key=lambda stretch: stretch.start)

    async def wait_for_words(self, agent_name: str, *, since: float = 0.0, timeout: float = 20.0) -> Stretch:
        """The first stretch of this agent after `since`, once it has ended."""

        def ended() -> Stretch | None:
            first = next(iter(self.heard(agent_name, since=since)), None)
            return first if first is not None and time.monotonic() > first.end + BREATH else None

        where = f"{self.identity} hears {agent_name} finish a sentence in {self.room_name}"
        return await wait_until(ended, timeout=timeout, description=where)

    async def wait_for_line(self, text: str, *, timeout: float = 20.0) -> Line:
        """The first line of the client's transcript that holds this text."""
        where = f"{self.identity} reads {text!r} in {self.room_name}"
        return await wait_until(
            lambda: next((line for line in self.lines if text in line.text), None), timeout=timeout, description=where
        )

    def longest_alone(self, since: float, until: float) -> float:
        """The longest time, in seconds, between `since` and `until` in which no agent was in the room."""
        return _longest_gap([(voice.came, voice.left or until) for voice in self.voices], since, until)

    def longest_without_frames(self, since: float, until: float) -> float:
        """The longest time, in seconds, in which no agent's track gave a frame, silent ones included."""
        at = sorted(frame.at for voice in self.voices for frame in voice.frames if since <= frame.at <= until)
        return max(after - before for before, after in itertools.pairwise([since, *at, until]))

    def talking_at_once(self) -> list[tuple[Stretch, Stretch]]:
        """Pairs of stretches of two agents, one of which begins before the other has ended."""
        return [(one, other) for one, other in itertools.combinations(self.heard(), 2) if other.start < one.end]

    def _see(self, participant: rtc.RemoteParticipant) -> None:
        if _is_agent(participant) and participant.identity not in {voice.identity for voice in self.voices}:
            self.voices.append(Voice(participant.identity, _agent_name(participant), time.monotonic()))

    def _miss(self, participant: rtc.RemoteParticipant) -> None:
        for voice in self.voices:
            if voice.identity == participant.identity:
                voice.left = time.monotonic()

    def _learn(self, _: dict[str, str], participant: rtc.Participant) -> None:
        for voice in self.voices:
            if voice.identity == participant.identity:
                voice.agent_name = _agent_name(participant) or voice.agent_name

    def _hear(self, track: rtc.Track, _: rtc.RemoteTrackPublication, participant: rtc.RemoteParticipant) -> None:
        self._see(participant)
        voice = next((voice for voice in self.voices if voice.identity == participant.identity), None)
        if voice is not None and track.kind == rtc.TrackKind.KIND_AUDIO:
            self._keep(self._listen(track, voice))

    def _read(self, reader: rtc.TextStreamReader, identity: str) -> None:
        async def read() -> None:
            words = await reader.read_all()
            self.lines.append(Line(identity, words))

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

    def _keep(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def caller(server: LiveKitServer, room: str, identity: str = "ann", *, metadata: str = "") -> AsyncIterator[Caller]:
    """A caller in the room, who hangs up at the exit."""
    person = Caller(server, room, identity)
    try:
        await person.join(server.token(room, identity, metadata=metadata))
        yield person
    finally:
        await person.leave()


def _hertz(frames: list[Frame]) -> float:
    """The middle one of all frames: the first and the last hold the tone's edges."""
    crossings = sorted(frame.crossings for frame in frames)[len(frames) // 2]
    return crossings / 2 / FRAME_SECONDS


def _longest_gap(spans: list[tuple[float, float]], since: float, until: float) -> float:
    covered, longest = since, 0.0
    for start, end in sorted(spans):
        longest = max(longest, min(start, until) - covered)
        covered = max(covered, end)
    return max(longest, until - covered)


def _is_agent(participant: rtc.RemoteParticipant) -> bool:
    return participant.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


def _agent_name(participant: rtc.Participant) -> str:
    return next((name for attribute in NAME_ATTRIBUTES if (name := participant.attributes.get(attribute))), "")
