"""What stands before several replicas: each webhook goes to one of them, to another one if that is down or hangs."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from tests.e2e.harness.listening import listening

PATIENCE = aiohttp.ClientTimeout(total=2.0)
"""For one replica's answer. A stopped one takes the webhook all the same, and stores it again when it goes on."""


class Balancer:
    """Takes LiveKit's webhooks on one port; the replica is chosen at random."""

    def __init__(self, targets: Sequence[str], *, seed: int) -> None:
        self.losing = False
        """Whether every webhook is answered with 200 and thrown away."""
        self.lost = 0
        self._targets = tuple(targets)
        self._random = random.Random(seed)  # noqa: S311 a test that can be repeated, no secret
        self._http = aiohttp.ClientSession(timeout=PATIENCE)

    async def receive(self, request: web.Request) -> web.Response:
        """Send one webhook on, and answer as the replica does."""
        body = await request.read()
        if self.losing:
            self.lost += 1
            return web.Response()
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
        for target in self._random.sample(self._targets, len(self._targets)):
            try:
                async with self._http.post(target, data=body, headers=headers) as answer:
                    return web.Response(status=answer.status, body=await answer.read())
            except (aiohttp.ClientConnectionError, TimeoutError):
                continue
        return web.Response(status=502)

    async def close(self) -> None:
        """Close the connections to the replicas."""
        await self._http.close()


@asynccontextmanager
async def balancer(port: int, targets: Sequence[str], *, seed: int) -> AsyncIterator[Balancer]:
    """A balancer that listens on `port` until the exit."""
    between = Balancer(targets, seed=seed)
    try:
        async with listening(port, web.post("/webhooks/livekit", between.receive)):
            yield between
    finally:
        await between.close()
