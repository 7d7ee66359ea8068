"""A bad network between LiveKit and Rollcall: every webhook several times, in another order, to any replica."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import aiohttp
from aiohttp import web

from tests.e2e.harness.listening import listening

HELD = 0.3
"""Seconds for which webhooks are held back, to be sent on in another order."""


class Relay:
    """Takes LiveKit's webhooks on one port and sends them on, `copies` times each, shuffled, to the targets in turn."""

    def __init__(self, targets: Sequence[str], *, copies: int, seed: int) -> None:
        self.statuses: list[int] = []
        """What was answered, delivery by delivery."""
        self._targets = itertools.cycle(targets)
        self._copies = copies
        self._random = random.Random(seed)  # noqa: S311 a test that can be repeated, no secret
        self._held: list[tuple[bytes, dict[str, str]]] = []
        self._arrived = asyncio.Event()

    async def receive(self, request: web.Request) -> web.Response:
        """Hold one webhook back."""
        headers = {name: request.headers[name] for name in ("Authorization", "Content-Type")}
        self._held.append((await request.read(), headers))
        self._arrived.set()
        return web.Response()

    async def run(self) -> None:
        """Send on what was held, for ever."""
        async with aiohttp.ClientSession() as http:
            while True:
                await self._arrived.wait()
                await asyncio.sleep(HELD)
                self._arrived.clear()
                held, self._held = self._held, []
                deliveries = held * self._copies
                self._random.shuffle(deliveries)
                for body, headers in deliveries:
                    self.statuses.append(await self._delivered(http, body, headers))

    async def _delivered(self, http: aiohttp.ClientSession, body: bytes, headers: dict[str, str]) -> int:
        """The status; a target that does not listen yet is waited for, as LiveKit has been told that this is delivered."""
        target = next(self._targets)
        while True:
            with suppress(aiohttp.ClientConnectionError):
                async with http.post(target, data=body, headers=headers) as response:
                    return response.status
            await asyncio.sleep(HELD)


@asynccontextmanager
async def relay(port: int, targets: Sequence[str], *, copies: int, seed: int) -> AsyncIterator[Relay]:
    """A relay that listens on `port` until the exit."""
    between = Relay(targets, copies=copies, seed=seed)
    async with listening(port, web.post("/webhooks/livekit", between.receive)):
        running = asyncio.create_task(between.run(), name="relay")
        try:
            yield between
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
