"""GET /events: what a client of server-sent events gets, and when it gets nothing."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient
from structlog.testing import capture_logs

from orchestrator.core.causes import Cause
from orchestrator.core.facts import GaveUp
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.tasks import Tasks
from orchestrator.web import events as module
from orchestrator.web.auth import Bearers
from orchestrator.web.events import Events, event_routes
from orchestrator.web.feed import Feed, Watcher
from orchestrator.web.server import build_app, build_runner
from tests.e2e.harness.wait import wait_until
from tests.fakes.store import Line, MemoryStore, Server
from tests.integration.conftest import crashed
from tests.integration.store.stories import SID, drive, folded, load, opening, routed
from tests.integration.web.door import READ, TOKENS
from tests.integration.web.feeding import feed_parts

Client = TestClient[Any, Any]


class CountingFeed(Feed):
    """It says how many snapshots were made."""

    snapshots = 0

    def snapshot(self, watcher: Watcher) -> str:
        self.snapshots += 1
        return super().snapshot(watcher)


class Desk:
    """A service that tells of sessions, and the store behind it."""

    def __init__(self) -> None:
        clock = StoreClock()
        self.server = Server(clock)
        self.store = MemoryStore(Line(self.server))
        self.tasks = Tasks(crashed)
        self.dropped = 0
        self.feed = CountingFeed(feed_parts(self.store, clock, self.tasks))
        routes = event_routes(Events(self.feed, clock, lambda: 0.25, self._drop))
        self.app = build_app(routes, bearers=Bearers(TOKENS, dev=False), version="1")

    def _drop(self) -> None:
        self.dropped += 1

    async def fill(self) -> None:
        """With more than the sockets between us hold."""
        for number in range(200):
            await drive(self.store, opening(f"RM_{number}", "x" * 60_000), routed("mary"))

    async def give_up(self) -> None:
        loaded = await load(self.store, SID)
        session = folded(loaded, GaveUp("mary", Cause.NOT_TAKEN))
        await self.store.commit(session, epoch=loaded.epoch, trim=len(loaded.inbox))


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    await drive(desk.store, opening(), routed("mary"))
    yield desk
    await desk.tasks.cancel()


@pytest.fixture
async def client(desk: Desk, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(desk.app, headers=READ)


async def event(response: ClientResponse) -> tuple[dict[str, str], Any]:
    """The next one: its fields, and its data."""
    async with asyncio.timeout(5):
        block = (await response.content.readuntil(b"\r\n\r\n")).decode()
    fields = dict(line.split(": ", 1) for line in block.splitlines() if line)
    return fields, json.loads(fields.pop("data"))


async def test_a_snapshot_comes_first_and_then_what_changes(client: Client, desk: Desk) -> None:
    async with client.get("/events") as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        fields, told = await event(response)
        assert fields == {"event": "snapshot", "retry": "1250"}
        assert [row["sid"] for row in told["sessions"]] == [SID]
        await desk.give_up()
        fields, told = await event(response)
        assert fields == {"event": "changed"}
        assert [row["state"] for row in told["sessions"]] == ["unverified"]


async def test_at_most_four_events_a_second_reach_a_client_however_much_changes(client: Client, desk: Desk) -> None:
    async with client.get("/events") as response:
        await event(response)
        begun = asyncio.get_running_loop().time()
        for number in range(4):
            await drive(desk.store, opening(f"RM_{number}"))
            await event(response)
        assert asyncio.get_running_loop().time() - begun >= 4 * module.AT_ONCE - 0.1


async def test_a_replica_that_stops_says_so_and_takes_nobody_any_more(client: Client, desk: Desk) -> None:
    async with client.get("/events") as response:
        await event(response)
        desk.feed.stop()
        assert await event(response) == ({"event": "service_stopping"}, {})
        assert await response.content.read() == b""
    async with client.get("/events") as refused:
        assert (refused.status, refused.headers["Retry-After"]) == (503, "2")


async def test_one_client_too_many_is_sent_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 1)
    async with client.get("/events") as response:
        await event(response)
        async with client.get("/events") as refused:
            assert refused.status == 503
            assert (await refused.json(content_type=None))["detail"] == "1 others look at this replica."


async def test_a_client_that_has_gone_is_forgotten(client: Client, desk: Desk) -> None:
    async with client.get("/events") as response:
        await event(response)
        assert len(desk.feed) == 1
    for number in range(2):  # the first is written into the void
        await drive(desk.store, opening(f"RM_{number}"))
    await wait_until(lambda: len(desk.feed) == 0, timeout=15, description="nobody looks any more")
    assert desk.dropped == 0


async def test_however_many_come_at_once_only_a_few_snapshots_are_under_way(desk: Desk, aiohttp_client: AiohttpClient) -> None:
    await desk.fill()
    client = await aiohttp_client(desk.app, headers=READ)
    async with AsyncExitStack() as stack:
        responses = [await stack.enter_async_context(client.get("/events")) for _ in range(module.SNAPSHOTS + 2)]
        await wait_until(lambda: desk.feed.snapshots == module.SNAPSHOTS, description="some are told")
        async with client.head("/events"):
            assert (len(desk.feed), desk.feed.snapshots) == (len(responses), module.SNAPSHOTS)
        responses[0].close()
        await wait_until(lambda: desk.feed.snapshots > module.SNAPSHOTS, description="the next one is told")


async def test_a_client_that_takes_nothing_is_dropped(client: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEND_TIMEOUT", 0.2)
    await desk.fill()
    async with client.get("/events"):
        await wait_until(lambda: desk.dropped, timeout=10, description="it is dropped")
        await wait_until(lambda: len(desk.feed) == 0, timeout=10, description="nobody looks any more")


async def test_a_client_that_goes_in_the_middle_of_a_snapshot_is_no_defect_of_ours(desk: Desk) -> None:
    """Served as in production: the test server cancels a handler whose client has gone."""
    await desk.fill()
    runner = build_runner(desk.app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with capture_logs() as lines, socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it ends in a reset
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(runner.addresses[0])
        peer.sendall(f"GET /events HTTP/1.1\r\nHost: x\r\nAuthorization: {READ['Authorization']}\r\n\r\n".encode())
        received = 0
        while received < 100_000:  # it stands in the middle
            received += len(await asyncio.to_thread(peer.recv, 65_536))
        peer.close()
        await wait_until(lambda: len(desk.feed) == 0, description="nobody looks any more")
    await runner.cleanup()
    assert [line["event"] for line in lines if line["log_level"] == "error"] == []


async def test_a_client_comes_again_after_a_while_and_is_asked_again_who_it_is(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LIFETIME", 0.0)
    async with client.get("/events") as response:
        await event(response)
        assert await response.content.read() == b""


async def test_without_the_store_nothing_is_told(client: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOADING", 0.01)
    desk.server.down = True
    async with client.get("/events") as refused:
        assert refused.status == 503


async def test_a_replica_that_stops_lets_those_go_who_wait_for_a_list(client: Client, desk: Desk) -> None:
    desk.server.down = True

    async def ask() -> int:
        async with client.get("/events") as refused:
            return refused.status

    asked = desk.tasks.spawn("client", ask())
    await wait_until(lambda: len(desk.feed), description="somebody waits")
    desk.feed.stop()
    async with asyncio.timeout(2):
        assert await asked == 503


async def test_who_only_asks_for_the_head_gets_no_stream(client: Client, desk: Desk) -> None:
    async with client.head("/events") as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
    assert len(desk.feed) == 0
