"""AnnouncedWorkers: who answers to an agent name, as the workers themselves say, over all replicas."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.contract import ANNOUNCED_FOR
from orchestrator.core.fleet import REMEMBERED, TALLIED, Announcement, Fleet, NameState, Tally
from orchestrator.runtime.ports import Announced
from orchestrator.store.connection import Connection
from orchestrator.store.fleet import AnnouncedWorkers
from orchestrator.store.keys import Keys
from orchestrator.store.sessions import Sessions
from tests.e2e.harness.wait import wait_until
from tests.integration.store.stories import A, B

MARY = Announcement("w1", "mary", load=0.25, active_jobs=2, capacity=8, version="1.2", region="eu", capabilities=("de", "fr"))
FULL = replace(MARY, active_jobs=8)


async def look(workers: AnnouncedWorkers) -> Fleet:
    return await workers.look()


async def ago(connection: Connection, key: str, member: str, seconds: float) -> None:
    """Put a member of a sorted set of times so far into the past."""
    seconds_now, _ = await connection.call("TIME")
    await connection.call("ZADD", key, round((int(seconds_now) - seconds) * 1000), member)


async def test_what_a_worker_says_is_seen_as_it_said_it(workers: AnnouncedWorkers) -> None:
    await workers.announce(MARY)
    fleet = await look(workers)
    (worker,) = fleet.workers("mary")
    assert worker.told == MARY
    assert worker.since == worker.seen_at == fleet.since["mary"] == fleet.announced["mary"]
    assert fleet.at == pytest.approx(worker.seen_at, abs=5.0)
    assert fleet.state("mary") is NameState.SERVING


async def test_names_of_any_characters_are_kept_apart(workers: AnnouncedWorkers) -> None:
    names = ["", "mary", "mary ann", "mary:w1", 'ma"ry', "Märy", "name:mary", "\u65e5\u672c"]
    for number, name in enumerate(names):
        assert await workers.announce(Announcement(f"w{number}", name)) is Announced.ARRIVED
    fleet = await look(workers)
    assert sorted(fleet.live) == sorted(names)
    assert [len(fleet.workers(name)) for name in names] == [1] * len(names)


async def test_a_worker_that_is_seen_first_has_arrived_and_is_known_afterwards(workers: AnnouncedWorkers) -> None:
    assert [await workers.announce(MARY) for _ in range(3)] == [Announced.ARRIVED, Announced.KNOWN, Announced.KNOWN]
    assert await workers.announce(replace(MARY, worker_id="w2")) is Announced.ARRIVED


async def test_a_worker_without_room_arrives_when_it_has_some(workers: AnnouncedWorkers) -> None:
    assert await workers.announce(FULL) is Announced.KNOWN
    assert await workers.announce(MARY) is Announced.ARRIVED


async def test_room_beside_another_that_had_room_is_no_news(workers: AnnouncedWorkers) -> None:
    await workers.announce(MARY)
    await workers.announce(replace(FULL, worker_id="w2"))
    assert await workers.announce(replace(MARY, worker_id="w2")) is Announced.KNOWN


async def test_what_drains_has_no_room_and_is_live_all_the_same(workers: AnnouncedWorkers) -> None:
    assert await workers.announce(replace(MARY, draining=True)) is Announced.KNOWN
    assert (await look(workers)).state("mary") is NameState.DRAINING


async def test_a_worker_is_there_since_it_announced_itself_first_and_its_name_since_the_first_of_all(
    workers: AnnouncedWorkers,
) -> None:
    await workers.announce(MARY)
    before = (await look(workers)).since["mary"]

    async def later() -> bool:  # times are told apart by the millisecond
        await workers.announce(replace(MARY, worker_id="w2"))
        await workers.announce(MARY)
        first, second = (await look(workers)).workers("mary")
        await workers.withdraw("w2")
        return first.since == before < second.since <= first.seen_at

    await wait_until(later, description="a second worker of a later millisecond")
    assert (await look(workers)).since["mary"] == before


async def test_who_withdraws_is_gone_at_once_and_the_name_is_remembered(workers: AnnouncedWorkers) -> None:
    await workers.announce(MARY)
    await workers.withdraw("w1")
    await workers.withdraw("nobody")
    fleet = await look(workers)
    assert not fleet.live
    assert not fleet.since
    assert fleet.state("mary") is NameState.OFFLINE
    assert await workers.announce(MARY) is Announced.ARRIVED


async def test_a_worker_that_changes_its_name_leaves_the_old_one(workers: AnnouncedWorkers) -> None:
    await workers.announce(MARY)
    assert await workers.announce(replace(MARY, agent_name="tom")) is Announced.ARRIVED
    fleet = await look(workers)
    assert [fleet.state(name) for name in ("mary", "tom")] == [NameState.OFFLINE, NameState.SERVING]


async def test_no_more_workers_of_a_name_and_of_all_are_taken_in_than_there_is_room_for(few_workers: AnnouncedWorkers) -> None:
    async def announced(worker_id: str, name: str) -> Announced:
        return await few_workers.announce(Announcement(worker_id, name))

    assert [await announced(f"m{n}", "mary") for n in range(3)] == [
        Announced.ARRIVED,
        Announced.ARRIVED,
        Announced.TOO_MANY_WORKERS,
    ]
    assert await announced("m1", "mary") is Announced.KNOWN
    assert [await announced(f"t{n}", "tom") for n in range(2)] == [Announced.ARRIVED, Announced.TOO_MANY_WORKERS]
    await few_workers.withdraw("m0")
    assert await announced("t1", "tom") is Announced.ARRIVED


async def test_no_more_names_are_remembered_than_there_is_room_for(few_workers: AnnouncedWorkers) -> None:
    names = ("mary", "tom", "ann", "tom")
    outcomes = [await few_workers.announce(Announcement("w1", name)) for name in names]
    assert outcomes == [Announced.ARRIVED, Announced.ARRIVED, Announced.TOO_MANY_NAMES, Announced.ARRIVED]


async def test_when_an_agent_joined_last_is_remembered_by_its_name(workers: AnnouncedWorkers) -> None:
    now = (await look(workers)).at
    await workers.tell(A, {"mary": now - 60, "tom": now - 30}, {})
    await workers.tell(B, {"mary": now - 90}, {})
    fleet = await look(workers)
    assert fleet.joined == pytest.approx({"mary": now - 60, "tom": now - 30}, abs=0.001)
    assert fleet.state("mary") is NameState.UNANNOUNCED


async def test_what_is_long_ago_is_forgotten(workers: AnnouncedWorkers) -> None:
    now = (await look(workers)).at
    await workers.tell(A, {"mary": now - REMEMBERED - 1}, {})
    assert not (await look(workers)).joined


async def test_what_the_replicas_count_is_added_and_a_replica_that_counts_again_is_counted_once(
    workers: AnnouncedWorkers,
) -> None:
    await workers.tell(A, {}, {"mary": Tally(verified=9), "tom": Tally(unverified=1)})
    await workers.tell(A, {}, {"mary": Tally(verified=2, dispatching=1)})
    await workers.tell(B, {}, {"mary": Tally(verified=3), "": Tally(dispatching=1)})
    assert (await look(workers)).tallies == {"mary": Tally(verified=5, dispatching=1), "": Tally(dispatching=1)}


async def test_a_replica_that_counts_no_more_is_forgotten(
    workers: AnnouncedWorkers, connection: Connection, keys: Keys
) -> None:
    await workers.tell(A, {}, {"mary": Tally(verified=1)})
    await ago(connection, keys.tallied, A, TALLIED + 1)
    assert not (await look(workers)).tallies
    await workers.tell(B, {}, {})
    assert await connection.call("HKEYS", keys.tallies) == [B.encode()]


async def test_a_worker_that_has_fallen_silent_is_live_no_more_and_arrives_anew(
    workers: AnnouncedWorkers, connection: Connection, keys: Keys
) -> None:
    await workers.announce(MARY)
    await ago(connection, keys.workers_seen, "w1", ANNOUNCED_FOR - 2)
    assert (await look(workers)).state("mary") is NameState.SERVING
    await ago(connection, keys.workers_seen, "w1", ANNOUNCED_FOR + 1)
    assert (await look(workers)).state("mary") is NameState.OFFLINE
    assert await workers.announce(MARY) is Announced.ARRIVED


async def test_of_those_who_fell_silent_nothing_is_kept_but_their_name(
    workers: AnnouncedWorkers, connection: Connection, keys: Keys
) -> None:
    await workers.announce(MARY)
    await ago(connection, keys.workers_seen, "w1", ANNOUNCED_FOR + 1)
    await workers.announce(Announcement("w2", "tom"))
    assert await connection.call("ZRANGE", keys.workers_seen, 0, -1) == [b"w2"]
    assert list(await connection.call("HGETALL", keys.worker_records)) == [b"w2"]
    assert await connection.call("ZRANGE", keys.workers_by_name, 0, -1) == [b"tom\0w2"]
    assert await connection.call("ZRANGE", keys.workers_with_room, 0, -1) == [b"tom\0w2"]
    assert sorted(await connection.call("ZRANGE", keys.worker_names, 0, -1)) == [b"mary", b"tom"]


async def test_a_name_is_remembered_for_a_day(workers: AnnouncedWorkers, connection: Connection, keys: Keys) -> None:
    await workers.announce(MARY)
    await workers.withdraw("w1")
    await ago(connection, keys.worker_names, "mary", REMEMBERED - 60)
    assert "mary" in (await look(workers)).announced
    await ago(connection, keys.worker_names, "mary", REMEMBERED + 1)
    assert "mary" not in (await look(workers)).announced
    await workers.announce(Announcement("w2", "tom"))
    assert await connection.call("ZRANGE", keys.worker_names, 0, -1) == [b"tom"]
    assert await connection.call("HEXISTS", keys.workers_since, "name:mary") == 0


async def test_every_key_outlives_what_it_holds_and_no_more(
    workers: AnnouncedWorkers, store: Sessions, connection: Connection, keys: Keys
) -> None:
    await workers.announce(MARY)
    await workers.tell(A, {"mary": await store.now()}, {})
    for key in (keys.workers_seen, keys.worker_records, keys.worker_names, keys.joined_names):
        assert REMEMBERED < await connection.call("TTL", key) <= REMEMBERED + 3600
