"""What the replicas do as one: the reconciler's rounds, hearing webhooks, shares of the API budget, incidents."""

from __future__ import annotations

import pytest

from orchestrator.store.connection import Connection
from orchestrator.store.hearing import WebhookHearing
from orchestrator.store.incidents import ServiceIncidents
from orchestrator.store.keys import Keys
from orchestrator.store.rounds import ReconcileRounds
from orchestrator.store.sessions import Sessions
from orchestrator.store.shares import BudgetShares
from tests.e2e.harness.wait import wait_until
from tests.integration.store.stories import A, B

DAY = 86_400


async def test_of_all_replicas_one_takes_the_next_round(rounds: ReconcileRounds) -> None:
    assert [await rounds.begin(replica, 60.0) for replica in (A, B, A)] == [True, False, False]


async def test_the_next_round_can_be_taken_when_its_time_has_come(rounds: ReconcileRounds) -> None:
    assert await rounds.begin(A, 0.05)

    async def begun() -> bool:
        return await rounds.begin(B, 60.0)

    await wait_until(begun, description="the next round is due")


async def test_a_store_knows_whether_it_has_ever_seen_a_whole_round(rounds: ReconcileRounds) -> None:
    await rounds.begin(A, 60.0)
    assert not await rounds.completed()
    await rounds.complete()
    assert await rounds.completed()


async def test_a_completed_round_is_remembered_longer_than_any_session_and_each_one_anew(
    rounds: ReconcileRounds, connection: Connection, keys: Keys
) -> None:
    await rounds.complete()
    await connection.call("EXPIRE", keys.round_completed, 60)
    await rounds.complete()
    assert 7 * DAY < await connection.call("TTL", keys.round_completed) <= 8 * DAY


async def test_of_webhooks_the_newest_time_counts_whoever_heard_it(hearing: WebhookHearing) -> None:
    assert await hearing.last() is None
    for at in (100.5, 200.123456, 150.0):
        await hearing.heard(at)
    assert await hearing.last() == 200.123456


async def test_a_lone_replica_has_the_whole_budget_whatever_it_wants(shares: BudgetShares) -> None:
    assert [await shares.share(A, demand) for demand in (0.0, 50.0, 0.0)] == [1.0, 1.0, 1.0]


async def settled(shares: BudgetShares, **demands: float) -> dict[str, float]:
    """What each replica has once all have asked three times."""
    rounds = [{replica: await shares.share(replica, demand) for replica, demand in demands.items()} for _ in range(3)]
    return rounds[-1]


async def test_replicas_that_want_nothing_have_equal_parts(shares: BudgetShares) -> None:
    assert await settled(shares, a=0.0, b=0.0, c=0.0) == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})


async def test_parts_follow_demand_and_who_wants_nothing_keeps_a_little(shares: BudgetShares) -> None:
    least = 0.05 / 4
    parts = await settled(shares, a=30.0, b=60.0, c=10.0, d=0.0)
    assert parts == pytest.approx({"a": least + 0.95 * 0.3, "b": least + 0.95 * 0.6, "c": least + 0.95 * 0.1, "d": least})
    assert sum(parts.values()) == pytest.approx(1.0)


async def test_parts_follow_demand_when_it_changes(shares: BudgetShares) -> None:
    before = await settled(shares, a=90.0, b=10.0)
    after = await settled(shares, a=10.0, b=90.0)
    assert before["a"] == pytest.approx(after["b"])
    assert before["b"] == pytest.approx(after["a"])


async def test_a_replica_that_suddenly_wants_more_waits_until_the_others_have_let_go(shares: BudgetShares) -> None:
    """Its fair part at once, while another still spends the larger part of all, would be too many calls."""
    parts = await settled(shares, a=90.0, b=0.0)
    parts["b"] = await shares.share("b", 90.0)
    assert sum(parts.values()) == pytest.approx(1.0)
    parts["a"] = await shares.share("a", 90.0)
    assert await shares.share("b", 90.0) == pytest.approx(0.5)


async def test_a_newcomer_begins_with_a_little_and_never_waits_for_that(shares: BudgetShares) -> None:
    await shares.share(A, 100.0)
    assert await shares.share(B, 100.0) == pytest.approx(0.05 / 2)


async def test_who_has_not_asked_for_ten_seconds_is_forgotten(
    shares: BudgetShares, store: Sessions, connection: Connection, keys: Keys
) -> None:
    await settled(shares, a=50.0, b=50.0)
    await connection.call("ZADD", keys.askers, round((await store.now() - 9.0) * 1000), "b")
    assert await shares.share("a", 50.0) == pytest.approx(0.5)
    await connection.call("ZADD", keys.askers, round((await store.now() - 10.1) * 1000), "b")
    assert await shares.share("a", 50.0) == 1.0
    for key in (keys.askers, keys.demands, keys.grants):
        assert 0 < await connection.call("TTL", key) <= 10
    assert await connection.call("HKEYS", keys.demands) == await connection.call("HKEYS", keys.grants) == [b"a"]


async def test_an_incident_has_one_id_whichever_replicas_find_it(incidents: ServiceIncidents) -> None:
    assert await incidents.current("webhooks_silent") is None
    incident = await incidents.open("webhooks_silent")
    assert incident.startswith("webhooks_silent/")
    assert await incidents.open("webhooks_silent") == incident
    assert await incidents.current("webhooks_silent") == incident


async def test_incidents_of_two_kinds_are_two(incidents: ServiceIncidents) -> None:
    first, second = await incidents.open("webhooks_silent"), await incidents.open("livekit_unreachable")
    await incidents.close("webhooks_silent")
    assert await incidents.current("webhooks_silent") is None
    assert await incidents.current("livekit_unreachable") == second != first


async def test_an_incident_that_comes_again_is_another_one(incidents: ServiceIncidents) -> None:
    before = await incidents.open("webhooks_silent")
    await incidents.close("webhooks_silent")

    async def another() -> bool:  # ids are told apart by the millisecond
        after = await incidents.open("webhooks_silent")
        await incidents.close("webhooks_silent")
        return after != before

    await wait_until(another, description="an incident under another id")


async def test_an_incident_that_stays_open_is_remembered_for_as_long_as_it_is_found(
    incidents: ServiceIncidents, connection: Connection, keys: Keys
) -> None:
    incident = await incidents.open("webhooks_silent")
    await connection.call("EXPIRE", keys.incident("webhooks_silent"), 60)
    assert await incidents.open("webhooks_silent") == incident
    assert await connection.call("TTL", keys.incident("webhooks_silent")) > 7 * DAY


async def test_an_incident_of_which_nothing_is_found_any_more_is_remembered_for_as_long_as_a_replica_looks(
    incidents: ServiceIncidents, connection: Connection, keys: Keys
) -> None:
    kept = (keys.incidents_open, keys.incident("webhooks_silent"))
    await incidents.open("webhooks_silent")
    for key in kept:
        await connection.call("EXPIRE", key, 60)
    await incidents.kinds()
    for key in kept:
        assert await connection.call("TTL", key) > 7 * DAY


async def test_what_several_replicas_see_is_there_until_the_last_sees_it_no_more(incidents: ServiceIncidents) -> None:
    await incidents.complain("livekit_unreachable", "a", 100.0)
    await incidents.complain("livekit_unreachable", "b", 101.0)
    await incidents.complain("sink_down:hook", "b", 101.0)
    assert await incidents.complaints("livekit_unreachable", 90.0) == 2
    await incidents.content("livekit_unreachable", "b")
    assert await incidents.complaints("livekit_unreachable", 90.0) == 1
    assert await incidents.complaints("livekit_unreachable", 100.5) == 0
    await incidents.content("livekit_unreachable", "a")
    assert await incidents.complaints("livekit_unreachable", 0.0) == 0


async def test_the_kinds_that_are_open_are_known(incidents: ServiceIncidents) -> None:
    await incidents.open("webhooks_silent")
    await incidents.open("sink_down:hook")
    await incidents.close("webhooks_silent")
    assert await incidents.kinds() == {"sink_down:hook"}
