"""An orchestrator as a worker sees it: it keeps what it is sent, and answers what it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.e2e.harness.listening import listening
from tests.e2e.harness.ports import LOOPBACK, free_port

DROP = 0
"""Instead of a status: close the connection without an answer."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request."""

    method: str
    path: str
    """As it was sent, with its query."""
    headers: Mapping[str, str]
    body: Any
    """None without one."""


class FakeOrchestrator:
    """Answers 204 to everything, unless `answers` says otherwise."""

    def __init__(self) -> None:
        self.port = free_port()
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {}
        """By method and path without query: the status, and the JSON of the answer."""
        self.answering = asyncio.Event()
        """While it is clear, requests are taken in and not answered."""
        self.answering.set()
        self.requests: list[Sent] = []

    @property
    def url(self) -> str:
        """Its base address."""
        return f"http://{LOOPBACK}:{self.port}"

    def sent(self, method: str, path: str = "") -> list[Sent]:
        """The requests of this method whose path begins so, in order."""
        return [one for one in self.requests if one.method == method and one.path.startswith(path)]

    async def answer(self, request: web.Request) -> web.Response:
        """Any request."""
        body = await request.json() if request.can_read_body else None
        self.requests.append(Sent(request.method, request.raw_path, dict(request.headers), body))
        await self.answering.wait()
        status, answer = self.answers.get((request.method, request.raw_path.partition("?")[0]), (204, None))
        if status == DROP and request.transport is not None:
            request.transport.abort()
        return web.Response(status=204) if status in {DROP, 204} else web.json_response(answer, status=status)


@asynccontextmanager
async def fake_orchestrator() -> AsyncIterator[FakeOrchestrator]:
    """One that listens on the loopback interface."""
    fake = FakeOrchestrator()
    async with listening(fake.port, web.route("*", "/{path:.*}", fake.answer)):
        try:
            yield fake
        finally:
            # What is still held would hold the exit up.
            fake.answering.set()
