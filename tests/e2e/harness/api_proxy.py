"""Between one replica and LiveKit's API: every call is seen, and chosen ones go wrong."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from tests.e2e.harness.listening import listening
from tests.e2e.harness.livekit import LiveKitServer
from tests.e2e.harness.ports import LOOPBACK, free_port

Step = Callable[["ApiProxy"], Awaitable[object]]
"""What is done at the proxy by which the call comes."""

PASSED_ON = ("Authorization", "Content-Type")


@dataclass(frozen=True, slots=True)
class Call:
    """One call that the replica made."""

    method: str
    """As LiveKit names it: CreateDispatch, PerformRpc, …"""
    body: bytes
    at: float
    """Monotonic clock, seconds."""

    def about(self, room: str) -> bool:
        """Whether the call names this room: in protobuf a text follows its length."""
        name = room.encode()
        return bytes((len(name),)) + name in self.body


class Accidents:
    """What is to happen to calls, each thing once, by whichever of the proxies that share it the call comes."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, str], Step] = {}
        self._after: dict[tuple[str, str], Step] = {}

    def before(self, method: str, room: str, step: Step) -> None:
        """Do this before the next such call about this room is executed; then it never is."""
        self._before[method, room] = step

    def after(self, method: str, room: str, step: Step) -> None:
        """Do this after the next such call about this room was executed; its answer is lost."""
        self._after[method, room] = step

    def take_before(self, call: Call) -> Step | None:
        """What is to be done before this call, now in the caller's hands."""
        return _take(self._before, call)

    def take_after(self, call: Call) -> Step | None:
        """What is to be done after this call, now in the caller's hands."""
        return _take(self._after, call)


class ApiProxy:
    """Stands in for the server where a replica is given its address."""

    def __init__(self, server: LiveKitServer, accidents: Accidents) -> None:
        self.port = free_port()
        self.calls: list[Call] = []
        self.losing: set[str] = set()
        """Methods whose calls are executed and never answered: the connection is closed instead."""
        self.lost = 0
        self._server = server
        self._accidents = accidents
        self._http = aiohttp.ClientSession()

    def environment(self) -> dict[str, str]:
        """What a replica needs to find the server through this proxy."""
        return {**self._server.environment(), "LIVEKIT_URL": f"ws://{LOOPBACK}:{self.port}"}

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """Execute one call, unless it is to go wrong before."""
        call = Call(request.path.rpartition("/")[2], await request.read(), time.monotonic())
        self.calls.append(call)
        if step := self._accidents.take_before(call):
            await step(self)
            return _hang_up(request)
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        url = self._server.url.replace("ws://", "http://") + request.path
        try:
            async with self._http.post(url, data=call.body, headers=headers) as answer:
                body = await answer.read()
        except aiohttp.ClientConnectionError:
            return _hang_up(request)
        if step := self._accidents.take_after(call):
            await step(self)
            return _hang_up(request)
        if call.method in self.losing:
            self.lost += 1
            return _hang_up(request)
        return web.Response(status=answer.status, body=body, headers={"Content-Type": answer.headers["Content-Type"]})

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._http.close()


@asynccontextmanager
async def api_proxy(server: LiveKitServer, accidents: Accidents) -> AsyncIterator[ApiProxy]:
    """A proxy that listens until the exit."""
    proxy = ApiProxy(server, accidents)
    try:
        async with listening(proxy.port, web.post("/twirp/{method:.*}", proxy.receive)):
            yield proxy
    finally:
        await proxy.close()


def _take(steps: dict[tuple[str, str], Step], call: Call) -> Step | None:
    return next((steps.pop(key) for key in tuple(steps) if key[0] == call.method and call.about(key[1])), None)


def _hang_up(request: web.Request) -> web.Response:
    """The client's connection ends without an answer; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
