"""The proxy of deploy/compose, a real Caddy before two stand-ins: live updates pass, and a dead replica costs no webhook."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest_asyncio
from aiohttp import ClientConnectionError, ClientSession, web

from tests.e2e.harness.child import ChildProcess, clean_environment
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until
from tests.unit.deploy.installed import tool

CADDYFILE = Path(__file__).parents[3] / "deploy" / "compose" / "Caddyfile"


@dataclass
class Replica:
    """What the proxy sees of one: its readiness, its live updates, its door."""

    ready: bool = True
    listening: int = 0
    webhooks: int = 0
    port: int = field(default_factory=free_port)
    runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/events", self._events)
        app.router.add_post("/webhooks/livekit", self._webhook)
        self.runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self.runner.setup()
        await web.TCPSite(self.runner, LOOPBACK, self.port).start()

    async def die(self) -> None:
        if self.runner is not None:
            await self.runner.cleanup()

    async def _readyz(self, _: web.Request) -> web.Response:
        return web.Response(status=200 if self.ready else 503)

    async def _webhook(self, request: web.Request) -> web.Response:
        await request.read()
        self.webhooks += 1
        return web.Response()

    async def _events(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        self.listening += 1
        try:
            await stream.write(b"data: snapshot\n\n")
            await asyncio.Event().wait()
        finally:
            self.listening -= 1
        return stream


@dataclass
class Proxied:
    """Two replicas, and a client that knows the proxy alone."""

    replicas: tuple[Replica, Replica]
    http: ClientSession

    async def post(self) -> int:
        async with self.http.post("/webhooks/livekit", data=b"{}") as answer:
            return answer.status

    async def up(self) -> bool:
        with suppress(ClientConnectionError):
            return await self.post() == 200
        return False


@pytest_asyncio.fixture
async def proxied(tmp_path: Path) -> AsyncIterator[Proxied]:
    caddy = tool("caddy", "caddy")
    replicas = (Replica(), Replica())
    port = free_port()
    addresses = " ".join(f"{LOOPBACK}:{replica.port}" for replica in replicas)
    text = CADDYFILE.read_text().replace("rollcall-1:8080 rollcall-2:8080", addresses)
    file = tmp_path / "Caddyfile"
    file.write_text(text.replace("\n:8080 {\n", f"\n:{port} {{\n\tbind {LOOPBACK}\n"))
    # Otherwise it would keep an identity and a lock in the home of whoever runs the tests.
    environment = clean_environment(XDG_DATA_HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path))
    command = [caddy, "run", "--adapter", "caddyfile", "--config", str(file)]
    process = ChildProcess(command, log=tmp_path / "caddy.log", environment=environment)
    for replica in replicas:
        await replica.start()
    process.start()
    try:
        async with ClientSession(f"http://{LOOPBACK}:{port}") as http:
            proxied = Proxied(replicas, http)
            await wait_until(proxied.up, description="the proxy passes a webhook on")
            yield proxied
    finally:
        await process.clear_away()
        for replica in replicas:
            await replica.die()


async def test_live_updates_come_at_once_and_a_replica_learns_at_once_that_nobody_listens_any_more(proxied: Proxied) -> None:
    def listening() -> int:
        return sum(replica.listening for replica in proxied.replicas)

    async with proxied.http.get("/events") as answer, asyncio.timeout(2.0):
        assert await answer.content.readline() == b"data: snapshot\n"
        assert listening() == 1
        answer.close()
    await wait_until(lambda: listening() == 0, timeout=2.0, description="the replica tells nobody any more")


async def test_of_two_replicas_one_that_is_not_ready_gets_no_webhook_and_one_that_dies_takes_none_of_the_other_s(
    proxied: Proxied,
) -> None:
    first, second = proxied.replicas
    first.ready = False

    async def avoided() -> bool:
        before = first.webhooks
        return {await proxied.post() for _ in range(6)} == {200} and first.webhooks == before

    await wait_until(avoided, timeout=5.0, description="a replica that drains is left alone")
    first.ready = True

    async def met() -> bool:
        before = first.webhooks
        await proxied.post()
        return first.webhooks > before

    await wait_until(met, timeout=5.0, description="one that is ready again is asked again")
    await first.die()
    answers: Counter[int] = Counter()

    async def served() -> bool:
        last = [await proxied.post() for _ in range(6)]
        answers.update(last)
        return set(last) == {200} and sum(answers.values()) > 60

    await wait_until(served, timeout=8.0, description="the other one serves")
    # 502 is what LiveKit repeats; 503 would be the proxy's word that the other one is gone as well.
    assert set(answers) <= {200, 502}
    assert second.webhooks >= answers[200]
