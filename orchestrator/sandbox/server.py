"""The sandbox over HTTP: LiveKit's API under /twirp, and signed webhooks to whoever wants them. In real time."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from orchestrator.runtime.ports import Clock
from orchestrator.sandbox.calls import calls
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.posting import webhook_poster
from orchestrator.sandbox.signing import Credentials
from orchestrator.sandbox.twirp import Twirp

BODY_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of a request's body: more than metadata may have, so that the sandbox itself can refuse it as LiveKit does."""


def build_app(sandbox: Sandbox, credentials: Credentials) -> web.Application:
    """The API, and the page by which LiveKit says that it is there."""
    app = web.Application(client_max_size=BODY_LIMIT)
    app.router.add_post("/twirp/{call:.+}", Twirp(calls(sandbox), credentials).handle)
    app.router.add_get("/", _is_there)
    return app


@asynccontextmanager
async def serving(
    sandbox: Sandbox, clock: Clock, credentials: Credentials, *, host: str, port: int, webhook_urls: Sequence[str] = ()
) -> AsyncIterator[int]:
    """Serve until the exit; gives the port, which the system chooses where 0 is asked for. Raises OSError."""
    # Callers who lost patience take their hanging calls with them.
    runner = web.AppRunner(build_app(sandbox, credentials), access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
    async with webhook_poster(webhook_urls, credentials, clock) as deliver:
        sandbox.deliver = deliver
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield int(runner.addresses[0][1])
        finally:
            await runner.cleanup()


async def _is_there(_: web.Request) -> web.Response:
    return web.Response(text="OK")
