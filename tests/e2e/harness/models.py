"""A model service: as much of OpenAI's API as a voice agent that speaks first needs."""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.e2e.harness.listening import listening
from tests.e2e.harness.ports import LOOPBACK, free_port

VOICE_RATE = 24_000
"""Samples per second of OpenAI's `pcm`."""


class ModelService:
    """Answers every prompt with the same words, and every text with a second of a tone."""

    def __init__(self) -> None:
        self.port = free_port()
        self.prompts: list[str] = []
        """Each request's messages, as one text."""
        self.spoken: list[str] = []
        """The texts that were read aloud."""

    @property
    def url(self) -> str:
        """As OPENAI_BASE_URL wants it."""
        return f"http://{LOOPBACK}:{self.port}/v1"

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """POST /chat/completions, streamed."""
        asked = await request.json()
        self.prompts.append("\n".join(_text(message["content"]) for message in asked["messages"]))
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await answer.prepare(request)
        for delta, reason in (({"role": "assistant", "content": "Good day."}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": reason}
            chunk = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": asked["model"],
                "choices": [choice],
            }
            await answer.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await answer.write(b"data: [DONE]\n\n")
        return answer

    async def speak(self, request: web.Request) -> web.Response:
        """POST /audio/speech."""
        self.spoken.append((await request.json())["input"])
        tone = (round(0.3 * 32_767 * math.sin(2 * math.pi * 440 * n / VOICE_RATE)) for n in range(VOICE_RATE))
        return web.Response(body=array("h", tone).tobytes(), content_type="application/octet-stream")

    async def models(self, _: web.Request) -> web.Response:
        """GET /models: with it clients warm their connection up."""
        return web.json_response({"object": "list", "data": []})


@asynccontextmanager
async def model_service() -> AsyncIterator[ModelService]:
    """A listening model service."""
    service = ModelService()
    routes = (
        web.post("/v1/chat/completions", service.complete),
        web.post("/v1/audio/speech", service.speak),
        web.get("/v1/models", service.models),
    )
    async with listening(service.port, *routes):
        yield service


def _text(content: str | list[dict[str, str]]) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)
