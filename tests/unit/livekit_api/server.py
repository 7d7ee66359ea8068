"""A server on loopback that answers every call as the test says, and keeps what it was asked. Real HTTP, no LiveKit."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from aiohttp import web
from aiohttp.test_utils import TestServer
from google.protobuf.message import Message
from livekit.api.access_token import Claims, TokenVerifier

from orchestrator.livekit.api import LiveKitApi

KEY = "APIkey"
SECRET = "a-secret-of-at-least-thirty-two-characters"

Behaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Asked(NamedTuple):
    method: str
    body: bytes
    token: str

    @property
    def claims(self) -> Claims:
        return TokenVerifier(KEY, SECRET).verify(self.token)


@dataclass
class TwirpServer:
    url: str = ""
    behaviour: Behaviour | None = None
    asked: list[Asked] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, message: Message) -> None:
        self.answer_bytes(200, message.SerializeToString(), "application/protobuf")

    def refuse(self, status: int, code: str, msg: str = "") -> None:
        """As Twirp does it."""
        self.answer_bytes(status, json.dumps({"code": code, "msg": msg}).encode(), "application/json")

    def answer_bytes(self, status: int, body: bytes, content_type: str) -> None:
        async def behaviour(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, body=body, headers={"Content-Type": content_type})

        self.behaviour = behaviour

    def break_off(self, status: int) -> None:
        """Promise a body, send a part of it, and reset the connection."""

        async def behaviour(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(
                status=status, headers={"Content-Length": "1000", "Content-Type": "application/protobuf"}
            )
            await response.prepare(request)
            await response.write(b"\x0a")
            assert request.transport is not None
            request.transport.abort()
            return response

        self.behaviour = behaviour

    def hang(self) -> None:
        async def behaviour(_: web.Request) -> web.StreamResponse:
            await self.stopping.wait()
            return web.Response(status=500)

        self.behaviour = behaviour

    async def handle(self, request: web.Request) -> web.StreamResponse:
        assert self.behaviour is not None
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.asked.append(Asked(request.match_info["method"], await request.read(), token))
        return await self.behaviour(request)


@asynccontextmanager
async def twirp_server() -> AsyncIterator[TwirpServer]:
    twirp = TwirpServer()
    app = web.Application()
    app.router.add_post("/twirp/{service}/{method}", twirp.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        twirp.url = str(server.make_url(""))
        yield twirp
        twirp.stopping.set()


class HandClock:
    """Moves when the test moves it."""

    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds


class Throttled:
    """Counts the 429s that the adapter tells of."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@dataclass
class Adapter:
    api: LiveKitApi
    server: TwirpServer
    clock: HandClock
    throttled: Throttled


@asynccontextmanager
async def adapter() -> AsyncIterator[Adapter]:
    clock, throttled = HandClock(), Throttled()
    async with (
        twirp_server() as server,
        LiveKitApi(server.url, KEY, SECRET, clock=clock, on_throttled=throttled) as api,
    ):
        yield Adapter(api, server, clock, throttled)
