"""GET /events: the list of sessions as it is, and then as it changes, for as long as somebody looks."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aiohttp import hdrs, web
from aiohttp_sse import EventSourceResponse, sse_response

from orchestrator.configuration.credentials import Scope
from orchestrator.runtime.ports import Clock
from orchestrator.web.answers import HEADERS
from orchestrator.web.feed import Feed, Watcher
from orchestrator.web.problems import problem
from orchestrator.web.routes import PROTECTED, Answer, Route, refusal

log = structlog.get_logger()

PATH: Final = "/events"

MOST: Final = 200
"""Who may look at one replica at once: a few rooms full of people. Each is told all that changes."""

AT_ONCE: Final = 0.25
"""Seconds between two events to one client."""

HEARTBEAT: Final = 5.0
"""Seconds after which a client is told that nothing has changed."""

SEND_TIMEOUT: Final = 10.0
"""Seconds in which a client must take what it is sent; otherwise it is dropped, and comes again."""

SNAPSHOTS: Final = 4
"""That are under way at once, however many clients come together: each may be 5 MB, copied more than once."""

LIFETIME: Final = 1800.0
"""Seconds. Then a client comes again, and is asked again who it is."""

_LOADING: Final = 10.0
_RETRY_AFTER: Final = 2


class Events:
    """The handler."""

    def __init__(self, feed: Feed, clock: Clock, fraction: Callable[[], float], on_dropped: Callable[[], None]) -> None:
        """`fraction`: by chance, in [0, 1); so many clients do not come again at one moment."""
        self._feed = feed
        self._clock = clock
        self._fraction = fraction
        self._on_dropped = on_dropped
        self._snapshots = asyncio.Semaphore(SNAPSHOTS)

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Tell until the client has gone, is too slow, or should come again."""
        if request.method == hdrs.METH_HEAD:
            return web.Response(content_type="text/event-stream", headers=HEADERS)
        if self._feed.stopping:
            return _unavailable("This replica is stopping.")
        if len(self._feed) >= MOST:
            return _unavailable(f"{MOST} others look at this replica.")
        with self._feed.watch() as watcher:
            if not await self._feed.loaded(_LOADING):
                return _unavailable("The store has not answered yet, or this replica is stopping.")
            async with sse_response(
                request, send_timeout=SEND_TIMEOUT, headers={"X-Content-Type-Options": "nosniff"}
            ) as stream:
                try:
                    await self._tell(stream, watcher)
                except TimeoutError:
                    log.info("event_client_dropped")
                    self._on_dropped()
                except ConnectionError:
                    pass  # it has gone
            return stream

    async def _tell(self, stream: EventSourceResponse, watcher: Watcher) -> None:
        """Raises TimeoutError and ConnectionError."""
        retry = 1000 + round(1000 * self._fraction())
        async with self._snapshots:
            await stream.send(self._feed.snapshot(watcher), event="snapshot", retry=retry)
        until = self._clock.monotonic() + LIFETIME
        while not self._feed.stopping:
            if self._clock.monotonic() >= until:
                return
            await self._clock.sleep(AT_ONCE)
            await watcher.wait(HEARTBEAT - AT_ONCE)
            if not self._feed.stopping:
                await stream.send(self._feed.changes(watcher), event="changed")
        await stream.send("{}", event="service_stopping")


def event_routes(events: Events) -> tuple[Route, ...]:
    """A table of one row."""
    return (
        Route(
            "GET",
            PATH,
            events.get,
            scope=Scope.READ,
            name="followSessions",
            summary="Server-sent events: all sessions that live or ended lately, and then whatever changes of them.",
            answers={
                200: Answer(
                    "Events for as long as somebody listens: snapshot, changed, service_stopping.", None, "text/event-stream"
                ),
                503: refusal("The store does not answer, too many look already, or this replica is stopping."),
                **PROTECTED,
            },
        ),
    )


def _unavailable(detail: str) -> web.Response:
    return problem(503, "Service Unavailable", detail, headers={"Retry-After": str(_RETRY_AFTER)})
