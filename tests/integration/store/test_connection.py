"""Connection and Script: many callers, few pipelines; each caller's failure is its own; no failure is the last."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from orchestrator.core.facts import RoomStarted
from orchestrator.runtime.ports import Appended, StoreUnavailable
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script
from orchestrator.store.sessions import Retention, Sessions
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.redis import Flavour, RedisServer, redis_server
from tests.e2e.harness.wait import wait_until
from tests.integration.conftest import connected, need
from tests.integration.store.sentinels import SERVICE, sentinel
from tests.integration.store.stories import SID, STARTED, A, opening, tell


class CountingSpawn:
    """Starts tasks and counts them: one is one pipeline."""

    def __init__(self) -> None:
        self.started: list[asyncio.Task[Any]] = []

    def __call__(self, name: str, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.started.append(task)
        return task


@pytest_asyncio.fixture
async def spawn() -> CountingSpawn:
    return CountingSpawn()


@pytest_asyncio.fixture
async def counted(redis_url: str, spawn: CountingSpawn) -> AsyncIterator[Connection]:
    connection = Connection(redis_url, spawn)
    yield connection
    await connection.close()


async def test_calls_of_one_moment_leave_as_one_pipeline(counted: Connection, spawn: CountingSpawn) -> None:
    replies = await asyncio.gather(*(counted.call("ECHO", str(number)) for number in range(50)))
    assert replies == [str(number).encode() for number in range(50)]
    assert len(spawn.started) == 1


async def test_calls_that_come_in_floods_share_few_connections(counted: Connection, spawn: CountingSpawn) -> None:
    replies = await asyncio.gather(*(counted.call("ECHO", str(number)) for number in range(5000)))
    assert replies == [str(number).encode() for number in range(5000)]
    clients = await counted.client.client_list()
    assert len(clients) <= 10


async def test_commands_of_one_caller_are_executed_in_their_order(connection: Connection) -> None:
    assert await connection.calls(("SET", "k", 1, "EX", 9), ("INCR", "k"), ("GET", "k")) == [True, 2, b"2"]


async def test_a_command_that_fails_fails_its_own_caller_only(connection: Connection) -> None:
    wrong, right = await asyncio.gather(
        connection.call("NO-SUCH-COMMAND"), connection.call("ECHO", "x"), return_exceptions=True
    )
    assert isinstance(wrong, StoreUnavailable)
    assert wrong.__cause__ is not None
    assert right == b"x"


async def test_a_caller_that_is_cancelled_takes_nobody_with_it(connection: Connection) -> None:
    cancelled, other = (asyncio.get_running_loop().create_task(connection.call("ECHO", text)) for text in "ab")
    await asyncio.sleep(0)  # both have queued their call
    cancelled.cancel()
    assert await other == b"b"
    with pytest.raises(asyncio.CancelledError):
        await cancelled


async def test_a_pipeline_that_is_cancelled_leaves_no_caller_waiting(counted: Connection, spawn: CountingSpawn) -> None:
    call = asyncio.get_running_loop().create_task(counted.call("ECHO", "x"))
    await wait_until(lambda: spawn.started, description="the pipeline is under way", every=0)
    spawn.started[0].cancel()
    with pytest.raises(StoreUnavailable):
        await call
    assert await counted.call("ECHO", "y") == b"y"


async def test_text_that_is_no_unicode_fails_nobody(connection: Connection) -> None:
    strange, plain = await asyncio.gather(connection.call("EXISTS", "\udcff"), connection.call("ECHO", "x"))
    assert (strange, plain) == (0, b"x")


async def test_scripts_are_taught_again_to_a_server_that_forgot_them(store: Sessions, connection: Connection) -> None:
    await tell(store, STARTED, event_id="EV_1")
    await connection.call("SCRIPT", "FLUSH")
    outcomes = await asyncio.gather(*(tell(store, STARTED, event_id=f"EV_{number}") for number in range(2, 12)))
    assert set(outcomes) == {Appended.STORED}
    assert len(await store.inbox(SID)) == 12


async def test_a_script_runs_behind_the_commands_that_must_come_first(connection: Connection) -> None:
    source = "return redis.call('GET', KEYS[1])"
    script = Script(source, hashlib.sha1(source.encode()).hexdigest())  # noqa: S324 - Redis names scripts so
    for value in (b"never loaded", b"loaded"):
        assert await script.run(connection, ["k"], [], after=[("SET", "k", value, "EX", 9)]) == value
    with pytest.raises(StoreUnavailable):
        await script.run(connection, ["k"], [], after=[("NO-SUCH-COMMAND",)])


async def test_a_stopped_store_is_unavailable_and_a_started_one_goes_on_with_what_it_had(server: RedisServer) -> None:
    async with connected(server.url) as connection:
        store = Sessions(connection, Keys(), Retention())
        await tell(store, STARTED, event_id="EV_1")
        await server.process.stop()
        for attempt in (store.ping(), store.now(), store.read(SID), tell(store, STARTED, event_id="EV_2")):
            with pytest.raises(StoreUnavailable) as raised:
                await attempt
            assert raised.value.__cause__ is not None
        await server.start()
        assert await tell(store, STARTED, event_id="EV_1") is Appended.DUPLICATE
        assert await tell(store, STARTED, event_id="EV_2") is Appended.STORED
        assert [d.fact for d in await store.inbox(SID)] == [opening(), STARTED, STARTED]


async def test_a_store_that_hangs_is_unavailable_in_time(server: RedisServer) -> None:
    async with connected(server.url, timeout=0.2) as connection:
        await connection.call("ECHO", "x")
        server.process.pause()
        begun = time.monotonic()
        replies = await asyncio.gather(*(connection.call("ECHO", "x") for _ in range(10)), return_exceptions=True)
        assert all(isinstance(reply, StoreUnavailable) for reply in replies)
        assert time.monotonic() - begun < 2.0
        server.process.resume()
        assert await connection.call("ECHO", "y") == b"y"


async def test_a_command_whose_reply_was_lost_is_not_sent_again(server: RedisServer) -> None:
    """redis-py repeats up to ten times by default: an append would be stored as often."""
    async with connected(server.url, timeout=0.2) as connection:
        store = Sessions(connection, Keys(), Retention())
        await tell(store, STARTED)
        server.process.pause()
        with pytest.raises(StoreUnavailable):
            await store.append(opening(), [RoomStarted(2.0)], event_id=None, replica=A)
        server.process.resume()
        await connection.call("ECHO", "x")
        assert [d.fact for d in await store.inbox(SID)].count(RoomStarted(2.0)) <= 1


async def test_nobody_there_is_unavailable_too(tmp_path: Path) -> None:
    for url in (f"redis://{LOOPBACK}:{free_port()}", f"unix://{tmp_path}/none.sock", "redis://no-such-host.invalid"):
        async with connected(url) as connection:
            with pytest.raises(StoreUnavailable):
                await connection.call("ECHO", "x")


async def test_the_master_is_found_through_its_sentinels(tmp_path: Path) -> None:
    need(Flavour.REDIS)
    async with redis_server(tmp_path, Flavour.REDIS) as master, sentinel(tmp_path, master) as port:
        async with connected(f"redis+sentinel://{LOOPBACK}:{port},{LOOPBACK}:{free_port()}/{SERVICE}/2") as connection:

            async def answers() -> bool:
                try:
                    return bool(await connection.call("SET", "k", "v", "EX", 9))
                except StoreUnavailable:
                    return False

            await wait_until(answers, description="the sentinel knows its master")
        async with connected(f"{master.url.removesuffix('0')}2") as direct:
            assert await direct.call("GET", "k") == b"v"
