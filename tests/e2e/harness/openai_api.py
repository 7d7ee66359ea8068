"""A stand-in for OpenAI's HTTP API: it hears what is in the sound, answers by rule, and speaks in tones.

Nothing of the worker is replaced for it: the worker's own clients call it, as they would any server that speaks this API.
"""

from __future__ import annotations

import base64
import io
import itertools
import json
import math
import time
import wave
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from tests.e2e.harness.listening import listening
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.scripted_model import Answer, answer, chunks, instructions
from tests.e2e.harness.utterances import recognised

API_KEY = "sk-of-the-tests"

VOICE_RATE = 24_000
"""Samples per second of OpenAI's `pcm`."""

VOICES = ("alloy", "ash", "ballad", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "verse")
"""OpenAI's names. Each is a tone of its own here."""

_LOWEST = 300.0
_BETWEEN = 60.0
_PEAK = 0.3
_SECONDS_PER_CHARACTER = 0.025
"""Faster than people talk: tests wait for the end of a sentence."""
_SHORTEST, _LONGEST = 0.4, 2.0
_PIECE = VOICE_RATE // 5
"""Samples in one event of a streamed speech."""


def hertz(voice: str) -> float:
    """The tone of a voice; ValueError for a voice that OpenAI does not have."""
    return _LOWEST + _BETWEEN * VOICES.index(voice)


@dataclass(frozen=True, slots=True)
class Transcription:
    """One piece of sound that came to be written down."""

    text: str
    """Empty where nothing was recognised."""
    seconds: float
    at: float
    """Monotonic clock, seconds; of the others, too."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One turn of the model."""

    messages: list[dict[str, Any]]
    tools: tuple[str, ...]
    turn: Answer
    at: float

    @property
    def instructions(self) -> str:
        """The system prompt, and what was said to the model beside the conversation."""
        return instructions(self.messages)


@dataclass(frozen=True, slots=True)
class Speech:
    """One text that was spoken."""

    voice: str
    text: str
    at: float


class OpenAIApi:
    """Keeps all that it was asked, in order."""

    def __init__(self) -> None:
        self.port = free_port()
        self.transcriptions: list[Transcription] = []
        self.completions: list[Completion] = []
        self.speeches: list[Speech] = []
        self._numbers = itertools.count(1)

    @property
    def url(self) -> str:
        """As OPENAI_BASE_URL wants it."""
        return f"http://{LOOPBACK}:{self.port}/v1"

    def environment(self) -> dict[str, str]:
        """What a worker needs to find it."""
        return {"OPENAI_API_KEY": API_KEY, "OPENAI_BASE_URL": self.url}

    def routes(self) -> tuple[web.RouteDef, ...]:
        """What it answers."""
        return (
            web.post("/v1/audio/transcriptions", self.transcribe),
            web.post("/v1/chat/completions", self.complete),
            web.post("/v1/audio/speech", self.speak),
            web.get("/v1/models", self.models),
        )

    async def transcribe(self, request: web.Request) -> web.Response:
        """POST /audio/transcriptions: a form with a WAV file."""
        if refusal := _refusal(request):
            return refusal
        form: dict[str, bytes] = {}
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader) and part.name is not None:
                form[part.name] = bytes(await part.read())
        if not form.get("model") or "file" not in form:
            return _error(400, "model and file are required")
        with wave.open(io.BytesIO(form["file"])) as sound:
            rate = sound.getframerate()
            samples = array("h", sound.readframes(sound.getnframes()))[:: sound.getnchannels()]
        words = recognised(samples, rate) or ""
        self.transcriptions.append(Transcription(words, len(samples) / rate, time.monotonic()))
        return web.json_response({"text": words})

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """POST /chat/completions, streamed."""
        if refusal := _refusal(request):
            return refusal
        asked = await request.json()
        tools = asked.get("tools") or []
        turn = answer(asked["messages"], tools)
        names = tuple(tool["function"]["name"] for tool in tools)
        self.completions.append(Completion(asked["messages"], names, turn, time.monotonic()))
        events = chunks(turn, identity=f"chatcmpl-{next(self._numbers)}", model=asked["model"])
        return await _stream(request, [*map(json.dumps, events), "[DONE]"], self._request_id())

    async def speak(self, request: web.Request) -> web.StreamResponse:
        """POST /audio/speech: raw samples, or events that hold them, as is asked for."""
        if refusal := _refusal(request):
            return refusal
        asked = await request.json()
        if asked["voice"] not in VOICES:
            return _error(400, f"no such voice: {asked['voice']}")
        if asked.get("response_format") != "pcm":
            return _error(400, "only pcm is spoken here")
        self.speeches.append(Speech(asked["voice"], asked["input"], time.monotonic()))
        sound = _tone(asked["voice"], len(asked["input"])).tobytes()
        if asked.get("stream_format") != "sse":
            return web.Response(body=sound, content_type="application/octet-stream", headers=self._request_id())
        pieces = [sound[start : start + 2 * _PIECE] for start in range(0, len(sound), 2 * _PIECE)]
        deltas = [{"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()} for piece in pieces]
        events = list(map(json.dumps, [*deltas, {"type": "speech.audio.done"}]))
        return await _stream(request, events, self._request_id())

    async def models(self, request: web.Request) -> web.Response:
        """GET /models: with it clients warm their connection up."""
        return _refusal(request) or web.json_response({"object": "list", "data": []})

    def _request_id(self) -> dict[str, str]:
        """OpenAI numbers its answers, and clients tell when it does not."""
        return {"x-request-id": f"req_{next(self._numbers)}"}


@asynccontextmanager
async def openai_api() -> AsyncIterator[OpenAIApi]:
    """A listening stand-in."""
    service = OpenAIApi()
    async with listening(service.port, *service.routes()):
        yield service


def _tone(voice: str, characters: int) -> array[int]:
    seconds = min(_LONGEST, max(_SHORTEST, characters * _SECONDS_PER_CHARACTER))
    step = 2 * math.pi * hertz(voice) / VOICE_RATE
    return array("h", (round(32_767 * _PEAK * math.sin(step * at)) for at in range(round(VOICE_RATE * seconds))))


def _refusal(request: web.Request) -> web.Response | None:
    if request.headers.get("Authorization") == f"Bearer {API_KEY}":
        return None
    return _error(401, "Incorrect API key provided")


def _error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "invalid_request_error"}}, status=status)


async def _stream(request: web.Request, events: list[str], headers: dict[str, str]) -> web.StreamResponse:
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", **headers})
    await stream.prepare(request)
    for event in events:
        await stream.write(f"data: {event}\n\n".encode())
    return stream
