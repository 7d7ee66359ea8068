"""What silences and open incidents are on a real store: kept, held back, let go, listed, and never without a TTL."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from orchestrator.core.causes import Cause
from orchestrator.core.silences import LONGEST, AlertMatch, Silence
from orchestrator.runtime.ports import Alert
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.open_incidents import OpenIncidents
from orchestrator.store.outbox import Outbox
from orchestrator.store.sessions import Sessions
from orchestrator.store.silences import Silences

SILENCE = Silence("s1", AlertMatch(agent=("ma*",), cause=(Cause.LEFT,)), 100.0, 200.0, "a release", "operate")


def alert(number: int = 1, status: str = "firing", *, agent: str = "mary", cause: Cause = Cause.NOT_TAKEN) -> Alert:
    incident = f"RM_{number}/{agent}/1"
    return Alert(
        f"{incident}/{status}", "unverified", status, incident, float(number), f"r-{number}", f"RM_{number}", agent, cause
    )


@pytest.fixture
def silences(connection: Connection, keys: Keys) -> Silences:
    return Silences(connection, keys, most=2)


@pytest.fixture
def outbox(connection: Connection, keys: Keys) -> Outbox:
    return Outbox(connection, keys, ["hook", "pager"])


@pytest.fixture
def incidents(connection: Connection, keys: Keys) -> OpenIncidents:
    return OpenIncidents(connection, keys)


async def test_a_silence_is_what_it_was_until_a_day_after_its_end_and_there_are_not_too_many(silences: Silences) -> None:
    later = replace(SILENCE, id="s2", starts_at=150.0, ends_at=100.0 + LONGEST)
    assert [await silences.add(one) for one in (SILENCE, later, replace(later, id="s3"))] == [True, True, False]
    assert await silences.look(300.0) == (later, SILENCE)
    await silences.change(replace(SILENCE, ends_at=160.0))
    assert (await silences.look(300.0))[1].ends_at == 160.0
    assert await silences.look(160.0 + 86_401.0) == (later,)
    assert await silences.add(replace(later, id="s3"))


async def test_those_that_have_ended_keep_no_room_from_new_ones(silences: Silences) -> None:
    second = replace(SILENCE, id="s2", ends_at=190.0)
    third = replace(SILENCE, id="s3", starts_at=195.0, ends_at=900.0)
    await silences.add(SILENCE)
    await silences.add(second)
    assert await silences.add(third)
    assert await silences.look(195.0) == (third, SILENCE)  # the other one ended first
    assert not await silences.add(replace(third, id="s4"))


async def test_one_that_a_newer_replica_wrote_hides_no_other(silences: Silences, connection: Connection, keys: Keys) -> None:
    await silences.add(SILENCE)
    await connection.call("HSET", keys.silences, "s9", b'{"match":{"type":["of tomorrow"]}}')
    assert await silences.look(100.0) == (SILENCE,)


async def test_what_is_held_is_no_longer_waited_for_and_due_again_then(outbox: Outbox, store: Sessions) -> None:
    await outbox.queue(alert())
    now = await store.now()
    (hook, _) = await outbox.claim(now, 30.0)
    await outbox.hold(hook.alert.id, "hook", now + 50.0)
    assert (await outbox.pending(), await outbox.silenced()) == ({"hook": 0, "pager": 1}, {"hook": 1, "pager": 0})
    assert not await outbox.waits(hook.alert.id, "hook")
    assert [d.sink for d in await outbox.claim(now + 49.0, 30.0)] == ["pager"]
    assert [(d.sink, d.tries) for d in await outbox.claim(now + 51.0, 30.0)] == [("hook", 1)]
    assert await outbox.silenced() == {"hook": 0, "pager": 0}


async def test_the_end_of_a_silence_makes_everything_due_that_any_held(outbox: Outbox, store: Sessions) -> None:
    for number in range(3):
        await outbox.queue(alert(number))
    now = await store.now()
    for delivery in await outbox.claim(now, 30.0):
        await outbox.hold(delivery.alert.id, delivery.sink, now + 9_999.0)
    assert await outbox.claim(now + 100.0, 30.0) == ()
    await outbox.release()
    assert len(await outbox.claim(now + 100.0, 30.0)) == 6


async def test_either_an_incident_is_forgone_or_it_is_told_whoever_is_quicker(outbox: Outbox, store: Sessions) -> None:
    firing, resolved = alert(), alert(status="resolved")
    await outbox.queue(firing)
    now = await store.now()
    for delivery in await outbox.claim(now, 30.0):
        await outbox.hold(firing.id, delivery.sink, now + 50.0)
    await outbox.queue(resolved)
    assert await outbox.forgo(firing.id, resolved.id, "hook")
    assert not await outbox.forgo(firing.id, resolved.id, "hook")
    claimed, forgone = await asyncio.gather(outbox.claim(now + 60.0, 30.0), outbox.forgo(firing.id, resolved.id, "pager"))
    told = {(d.alert.status, d.sink) for d in claimed if d.sink == "pager"}
    assert forgone is (("firing", "pager") not in told)
    assert not any(d.sink == "hook" for d in claimed)


async def test_who_holds_late_brings_nothing_back(outbox: Outbox) -> None:
    await outbox.queue(alert())
    await outbox.done(alert().id, "hook")
    await outbox.hold(alert().id, "hook", 0.0)
    assert await outbox.silenced() == {"hook": 0, "pager": 0}


# --- what is open -------------------------------------------------------------------------------------------------------


async def test_open_incidents_are_listed_newest_first_page_by_page_until_they_are_resolved(
    outbox: Outbox, incidents: OpenIncidents
) -> None:
    for number in (1, 2, 3, 4):
        await outbox.queue(alert(number))
    await outbox.queue(alert(3, "resolved", cause=Cause.UNKNOWN))
    first, cursor = await incidents.page(cursor=None, limit=2)
    assert [one.room for one in first] == ["r-4", "r-2"]
    second, end = await incidents.page(cursor=cursor, limit=2)
    assert ([one.room for one in second], end) == (["r-1"], None)
    with pytest.raises(ValueError, match="float"):
        await incidents.page(cursor="nonsense", limit=2)


async def test_what_nobody_is_left_to_resolve_is_counted_no_longer_than_it_is_listed(
    outbox: Outbox, incidents: OpenIncidents, connection: Connection, keys: Keys
) -> None:
    for number in (1, 2):
        await outbox.queue(alert(number))
    await connection.call("DEL", keys.alert(alert(1).id))  # as after the month for which it is kept
    assert [one.room for one in (await incidents.page(cursor=None, limit=10))[0]] == ["r-2"]
    assert await incidents.count() == 1
    assert [group.rooms for group in await incidents.groups()] == [1]


async def test_those_of_one_moment_are_all_listed(outbox: Outbox, incidents: OpenIncidents) -> None:
    for number in range(5):
        await outbox.queue(replace(alert(number), at=7.0))
    seen, cursor = await incidents.page(cursor=None, limit=2)
    while cursor:
        more, cursor = await incidents.page(cursor=cursor, limit=2)
        seen += more
    assert sorted(one.room or "" for one in seen) == [f"r-{number}" for number in range(5)]


async def test_groups_count_what_is_open_and_leave_with_the_last(outbox: Outbox, incidents: OpenIncidents) -> None:
    for number in (1, 2, 3):
        await outbox.queue(alert(number))
    await outbox.queue(alert(4, agent="a:b", cause=Cause.LEFT))
    await outbox.queue(Alert("x/firing", "livekit_unreachable", "firing", "x", 9.0))
    await outbox.queue(alert(1, "resolved"))
    found = [(group.agent_name, group.cause, group.rooms, group.since) for group in await incidents.groups()]
    assert found == [("mary", Cause.NOT_TAKEN, 2, 2.0), ("a:b", Cause.LEFT, 1, 4.0)]
    assert len((await incidents.page(cursor=None, limit=10))[0]) == 4
    await outbox.queue(alert(4, "resolved", agent="a:b"))
    assert [group.agent_name for group in await incidents.groups()] == ["mary"]


async def test_a_late_beginning_reopens_nothing_and_a_sign_of_life_is_no_incident(
    outbox: Outbox, incidents: OpenIncidents
) -> None:
    await outbox.queue(alert())
    await outbox.queue(alert(status="resolved"))
    await outbox.queue(alert())
    await outbox.queue(Alert("watchdog/1", "watchdog", "firing", "watchdog", 0.0))
    assert (await incidents.page(cursor=None, limit=10), await incidents.groups()) == (((), None), ())
