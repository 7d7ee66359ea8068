"""In the place of a service that does not run: a receiver of webhooks, for the moment of one check."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

import jwt
from aiohttp import hdrs, web

from orchestrator import contract
from orchestrator.core.facts import RoomStarted
from orchestrator.livekit.signature import Forged, Forgery, verify
from orchestrator.livekit.webhook import Event, parse
from orchestrator.livekit.wire import Malformed
from orchestrator.runtime.ports import Clock, RollcallError
from orchestrator.web.webhooks import PATH

_BODY: Final = 256 * 1024
_COPY: Final = 0.5
"""Seconds by which one of several copies (one per webhook URL) may be behind another."""

_KEPT: Final = 1000
"""Deliveries that are remembered: on a busy project others come meanwhile."""


class ListenRefused(RollcallError):
    """The address is taken, or not ours."""


@dataclass(frozen=True, slots=True)
class Mishap:
    """A webhook that came, and would have told the service nothing."""

    path: str
    forgery: Forgery | None
    """None: it is LiveKit's, but of another kind or path."""
    key: str = ""
    """The API key that it says it is signed with."""


@dataclass(frozen=True, slots=True)
class _Delivery:
    mishap: Mishap
    body: str


class Listener:
    """Takes what comes about scratch rooms, and lets LiveKit bring the rest again later, to the service."""

    def __init__(self, keys: Mapping[str, str], clock: Clock, lifetime: float, leeway: float) -> None:
        """`keys` maps API keys to secrets."""
        self._keys = keys
        self._clock = clock
        self._lifetime = lifetime
        self._leeway = leeway
        self._started: set[str] = set()
        self._missed: list[_Delivery] = []
        self._came = asyncio.Event()

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncIterator[None]:
        """Raises ListenRefused."""
        app = web.Application(client_max_size=_BODY)
        app.router.add_post("/{path:.*}", self._post)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            try:
                await web.TCPSite(runner, host, port).start()
            except OSError as error:
                raise ListenRefused(str(error.strerror or error).lower()) from error
            yield
        finally:
            await runner.cleanup()

    async def started(self, room: str, *, within: float) -> bool:
        """Whether room_started of this room comes in so many seconds, or has come.

        One that is forged, or comes to another path, will be so when it is sent again: no more than a copy is waited for.
        """
        await self._until(lambda: room in self._started or self._is_hopeless(room), within)
        if room not in self._started and self._is_hopeless(room):
            await self._until(lambda: room in self._started, _COPY)
        return room in self._started

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition():
                    self._came.clear()
                    await self._came.wait()

    def _is_hopeless(self, room: str) -> bool:
        """Whether what speaks of this room came in a way that the service would not take."""
        return any(room in d.body and (d.mishap.forgery is not None or d.mishap.path != PATH) for d in self._missed)

    def mishap(self, room: str) -> Mishap | None:
        """The most telling of what came instead: what speaks of this room, else whatever is LiveKit's."""
        of_this_room = [delivery.mishap for delivery in self._missed if room in delivery.body]
        genuine = [delivery.mishap for delivery in self._missed if delivery.mishap.forgery is None]
        return next(iter([*of_this_room, *genuine]), None)

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.read()
        mishap, event = self._read(request.path, body, request.headers.get(hdrs.AUTHORIZATION))
        if event is not None and mishap.path == PATH and any(isinstance(fact, RoomStarted) for fact in event.facts):
            self._started.add(event.opening.room)
        elif len(self._missed) < _KEPT:
            self._missed.append(_Delivery(mishap, body.decode(errors="replace")))
        self._came.set()
        ours = event is not None and event.opening.room.startswith(contract.SCRATCH_PREFIX)
        return web.Response(status=200 if ours else 503)

    def _read(self, path: str, body: bytes, authorization: str | None) -> tuple[Mishap, Event | None]:
        try:
            verify(body, authorization, self._keys, self._clock.now(), lifetime=self._lifetime, leeway=self._leeway)
            event = parse(body)
        except Forged as error:
            return Mishap(path, error.reason, _named_key(authorization)), None
        except Malformed:
            return Mishap(path, None), None
        return Mishap(path, None), event if isinstance(event, Event) else None


def _named_key(authorization: str | None) -> str:
    """The key that a token names, true or not."""
    token = (authorization or "").removeprefix("Bearer ")
    try:
        claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        return ""
    return str(claims.get("iss", ""))
