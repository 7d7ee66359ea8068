"""A receiver of webhooks that keeps what it was sent, and takes it, unless told otherwise."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import web

from tests.e2e.harness.ports import LOOPBACK
from tests.e2e.harness.wait import wait_until


@dataclass(frozen=True, slots=True)
class Heard:
    """One webhook, as it came."""

    received_at: float
    authorization: str
    content_type: str
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        decoded: dict[str, Any] = msgspec.json.decode(self.raw)
        return decoded

    @property
    def event(self) -> str:
        return str(self.body["event"])

    @property
    def identity(self) -> str:
        """Of its participant; empty for an event of the room."""
        return str(self.body.get("participant", {}).get("identity", ""))


class Receiver:
    """Everything that came so far, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.hang: set[str] = set()
        """Rooms of which no webhook is ever answered."""
        self._heard: list[Heard] = []
        self._refusals: list[int] = []

    def of(self, room: str) -> list[Heard]:
        return [heard for heard in self._heard if heard.body["room"]["name"] == room]

    async def wait_for(self, event: str, *, room: str, identity: str = "", timeout: float = 10.0) -> Heard:
        """The first such event of this room; of this participant, if one is named."""

        def found() -> Heard | None:
            return next((h for h in self.of(room) if h.event == event and identity in {"", h.identity}), None)

        return await wait_until(found, timeout=timeout, description=f"{event} {identity} of {room}")

    def refuse_next(self, status: int) -> None:
        """Answer the next webhook with this status."""
        self._refusals.append(status)

    async def receive(self, request: web.Request) -> web.Response:
        heard = Heard(time.time(), request.headers["Authorization"], request.content_type, await request.read())
        self._heard.append(heard)
        if heard.body["room"]["name"] in self.hang:
            await asyncio.Event().wait()
        return web.Response(status=self._refusals.pop(0) if self._refusals else 200)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """One that listens until the exit."""
    opened = Receiver()
    app = web.Application()
    app.router.add_post("/hook", opened.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        opened.url = f"http://{LOOPBACK}:{runner.addresses[0][1]}/hook"
        yield opened
    finally:
        await runner.cleanup()
