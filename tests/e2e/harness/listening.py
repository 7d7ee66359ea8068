"""A server of the test's own on the loopback interface."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.e2e.harness.ports import LOOPBACK


@asynccontextmanager
async def listening(port: int, *routes: web.RouteDef) -> AsyncIterator[None]:
    """Answer these routes until the exit."""
    app = web.Application()
    app.add_routes(routes)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
        yield
    finally:
        await runner.cleanup()
