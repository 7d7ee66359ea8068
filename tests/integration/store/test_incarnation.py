"""A store that is not what it was: it is noticed, said once, and what this process remembered is looked up anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from orchestrator.runtime.ports import Committed, StoreUnavailable
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.sessions import Retention, Sessions
from tests.e2e.harness.ports import LOOPBACK
from tests.e2e.harness.redis import Flavour, RedisServer, redis_server
from tests.e2e.harness.wait import wait_until
from tests.integration.conftest import connected, need
from tests.integration.store.sentinels import SERVICE, sentinel
from tests.integration.store.stories import FINISHED, SID, STARTED, A, B, drive, folded, load, opening, routed, tell


def backwards(lines: list[Any]) -> list[Any]:
    return [line for line in lines if line["event"] == "store_went_backwards"]


async def on_disk(server: RedisServer, connection: Connection) -> int:
    """How many bytes there are, and that each reply from now on comes after its own are written."""
    await connection.call("CONFIG", "SET", "appendfsync", "always")
    return server.written


async def crash(server: RedisServer, *, keep: int) -> None:
    """The machine loses power: what was written beyond `keep` bytes never reached the disk."""
    await server.process.kill()
    server.cut(keep)
    await server.start()


async def test_an_incarnation_is_the_same_for_everybody_until_the_store_is_restarted(server: RedisServer) -> None:
    async with connected(server.url) as connection:
        one, another = (Sessions(connection, Keys(), Retention()) for _ in range(2))
        before = await one.incarnation()
        assert before == await one.incarnation() == await another.incarnation() != ""
        await server.process.stop()
        await server.start()
        assert await one.incarnation() == await another.incarnation() != before


async def test_after_a_failover_it_is_another_incarnation(tmp_path: Path) -> None:
    need(Flavour.REDIS)
    async with (
        redis_server(tmp_path / "1", Flavour.REDIS) as master,
        redis_server(tmp_path / "2", Flavour.REDIS) as successor,
        sentinel(tmp_path, master) as port,
        connected(f"redis://{LOOPBACK}:{port}") as of_sentinel,
        connected(f"redis+sentinel://{LOOPBACK}:{port}/{SERVICE}") as connection,
    ):
        store = Sessions(connection, Keys(), Retention())

        async def incarnation() -> str | None:
            try:
                return await store.incarnation()
            except StoreUnavailable:
                return None

        before = await wait_until(incarnation, description="the sentinel knows its master")
        await master.process.kill()
        # What a failover comes to for those that ask the sentinel, without the quarter of a minute that it takes.
        await of_sentinel.call("SENTINEL", "REMOVE", SERVICE)
        await of_sentinel.call("SENTINEL", "MONITOR", SERVICE, LOOPBACK, successor.port, 1)

        async def another() -> bool:
            return await incarnation() not in (None, before)

        await wait_until(another, description="the successor answers")


async def test_a_commit_on_what_a_crash_took_back_is_refused_and_said_once(server: RedisServer) -> None:
    async with connected(server.url) as connection:
        store = Sessions(connection, Keys(), Retention())
        sids = ("RM_1", "RM_2")
        for sid in sids:
            await tell(store, STARTED, sid=sid)
        old = {sid: (await load(store, sid)).epoch for sid in sids}
        durable = await on_disk(server, connection)
        held = {sid: await load(store, sid) for sid in sids}
        await crash(server, keep=durable)
        with capture_logs() as lines:
            for loaded in held.values():
                assert await store.commit(folded(loaded), epoch=loaded.epoch, trim=2) is Committed.SUPERSEDED
        assert backwards(lines) == [
            {
                "event": "store_went_backwards",
                "log_level": "error",
                "incarnation": await store.incarnation(),
                "sid": "RM_1",
                "held_epoch": held["RM_1"].epoch,
                "stored_epoch": old["RM_1"],
            }
        ]


async def test_who_takes_a_session_that_a_crash_took_back_gets_an_epoch_above_all_that_were(server: RedisServer) -> None:
    async with connected(server.url) as connection:
        store = Sessions(connection, Keys(), Retention())
        await tell(store, STARTED)
        durable = await on_disk(server, connection)
        held = await load(store)
        await crash(server, keep=durable)
        with capture_logs() as lines:
            again = await load(store)
        assert again.epoch > held.epoch
        assert [line["held_epoch"] for line in backwards(lines)] == [held.epoch]


async def test_each_incarnation_that_went_backwards_is_said(server: RedisServer) -> None:
    async with connected(server.url) as connection:
        store = Sessions(connection, Keys(), Retention())
        await tell(store, STARTED)
        with capture_logs() as lines:
            for _ in range(2):
                durable = await on_disk(server, connection)
                await load(store)
                await crash(server, keep=durable)
                await store.incarnation()
                await load(store)
        first, second = backwards(lines)
        assert first["incarnation"] != second["incarnation"]


async def test_a_store_that_was_emptied_went_backwards(store: Sessions, connection: Connection) -> None:
    await tell(store, STARTED)
    loaded = await load(store)
    await connection.call("FLUSHALL")
    with capture_logs() as lines:
        assert await store.commit(folded(loaded), epoch=loaded.epoch, trim=2) is Committed.SUPERSEDED
    assert [line["stored_epoch"] for line in backwards(lines)] == [0]


async def test_to_be_superseded_or_to_commit_what_was_buried_is_no_step_backwards(store: Sessions, other: Sessions) -> None:
    await tell(store, STARTED)
    stale = await load(store)
    await load(other, replica=B, from_owner=A)
    with capture_logs() as lines:
        assert await store.commit(folded(stale), epoch=stale.epoch, trim=2) is Committed.SUPERSEDED
        await store.bury(SID)
        assert await store.commit(folded(stale), epoch=stale.epoch, trim=2) is Committed.SUPERSEDED
    assert backwards(lines) == []


async def held(store: Sessions) -> list[str]:
    return [one.sid async for portion in store.held() for one in portion]


async def lose_indexes(connection: Connection) -> None:
    await connection.call("DEL", *[key async for key in connection.client.scan_iter(match="*{index}*")])


async def test_a_session_whose_place_in_the_indexes_was_never_written_gets_it_with_its_next_fact(
    store: Sessions, other: Sessions, connection: Connection
) -> None:
    """The process that stored its first fact died before it wrote the indexes."""
    await tell(store, STARTED)
    await lose_indexes(connection)
    assert await held(store) == []
    await tell(other, STARTED, replica=B)
    assert await held(store) == [SID]
    assert await store.find("support-17") == SID


async def test_a_place_in_the_indexes_that_the_store_lost_comes_back_with_the_next_fact_or_commit(server: RedisServer) -> None:
    async with connected(server.url) as connection:
        store = Sessions(connection, Keys(), Retention())
        await store.incarnation()
        await tell(store, STARTED)
        session = await drive(store, opening(sid="RM_18", room="support-18"), STARTED, routed())
        loaded = await load(store, "RM_18")
        await lose_indexes(connection)
        await server.process.stop()
        await server.start()
        await store.incarnation()
        await tell(store, FINISHED)
        await store.commit(session, epoch=loaded.epoch, trim=0)
        assert sorted(await held(store)) == [SID, "RM_18"]
        assert await store.find("support-18") == "RM_18"
