"""Where alerts go: a receiver of Standard Webhooks that believes only what is signed."""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from tests.e2e.harness.listening import listening
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until


@dataclass(frozen=True, slots=True)
class Alert:
    """One delivery whose signature was right."""

    webhook_id: str
    body: dict[str, Any]
    at: float
    """Monotonic clock, seconds."""


class AlertSink:
    """Keeps every delivery; `answer` is the status that it gives to signed ones."""

    def __init__(self) -> None:
        self.port = free_port()
        self.secret = "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()
        self.answer = 204
        self.received: list[Alert] = []
        self.refused = 0
        """Deliveries with a wrong signature, or none."""

    @property
    def url(self) -> str:
        """Where to send alerts."""
        return f"http://{LOOPBACK}:{self.port}/hook"

    def config(self) -> list[dict[str, dict[str, str]]]:
        """The `alerts` of a rollcall.yaml."""
        return [{"webhook": {"url": self.url, "secret": self.secret}}]

    def about(self, room: str, *, status: str | None = None) -> list[Alert]:
        """The deliveries about this room, in order."""
        return [one for one in self.received if one.body.get("room") == room and status in (None, one.body.get("status"))]

    async def wait_for(self, room: str, *, status: str, timeout: float) -> Alert:
        """The first delivery of this status about this room."""
        found = await wait_until(
            lambda: self.about(room, status=status), timeout=timeout, description=f"an alert about {room} is {status}"
        )
        return found[0]

    async def receive(self, request: web.Request) -> web.Response:
        """Take one delivery."""
        raw = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            body = Webhook(self.secret).verify(raw, headers)
        except WebhookVerificationError:
            self.refused += 1
            return web.Response(status=401)
        self.received.append(Alert(headers["webhook-id"], body, time.monotonic()))
        return web.Response(status=self.answer)


@asynccontextmanager
async def alert_sink() -> AsyncIterator[AlertSink]:
    """A listening sink."""
    sink = AlertSink()
    async with listening(sink.port, web.post("/hook", sink.receive)):
        yield sink
