"""Outbox: every alert reaches every sink at least once, whoever dies meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from orchestrator.core.causes import Cause
from orchestrator.runtime.ports import Alert
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.outbox import Delivery, Outbox
from orchestrator.store.sessions import Sessions
from tests.integration.store.stories import only_untaken_to_the_pager

ALERT = Alert(
    id="msg_1",
    type="unverified",
    status="firing",
    incident="inc_1",
    at=100.5,
    room="support-17",
    cause=Cause.NOT_TAKEN,
    summary="No worker took the job of mary.",
)


@pytest.fixture
def outbox(connection: Connection, keys: Keys) -> Outbox:
    return Outbox(connection, keys, ["hook", "pager"])


@pytest.fixture
def picky(connection: Connection, keys: Keys) -> Outbox:
    return Outbox(connection, keys, ["hook", "pager"], only_untaken_to_the_pager)


async def test_an_alert_is_due_at_once_to_every_sink(outbox: Outbox, store: Sessions) -> None:
    await outbox.queue(ALERT)
    due = await outbox.claim(await store.now(), 30.0)
    assert due == (Delivery(ALERT, "hook", 1), Delivery(ALERT, "pager", 1))


async def test_an_alert_is_queued_once_per_id_also_after_it_was_delivered(outbox: Outbox, store: Sessions) -> None:
    await outbox.queue(ALERT)
    await outbox.queue(ALERT)
    assert len(await outbox.claim(await store.now(), 30.0)) == 2
    await outbox.done("msg_1", "hook")
    await outbox.done("msg_1", "pager")
    await outbox.queue(ALERT)
    assert await outbox.pending() == {"hook": 0, "pager": 0}


async def test_what_is_claimed_is_nobody_elses_until_the_lease_ends(outbox: Outbox, store: Sessions) -> None:
    await outbox.queue(ALERT)
    now = await store.now()
    claims = await asyncio.gather(*(outbox.claim(now, 30.0) for _ in range(5)))
    assert sorted(len(claim) for claim in claims) == [0, 0, 0, 0, 2]
    assert await outbox.claim(now + 29.0, 30.0) == ()
    assert [delivery.tries for delivery in await outbox.claim(now + 31.0, 30.0)] == [2, 2]


async def test_what_one_sink_accepted_the_other_still_gets(outbox: Outbox, store: Sessions) -> None:
    await outbox.queue(ALERT)
    now = await store.now()
    await outbox.claim(now, 30.0)
    await outbox.done("msg_1", "hook")
    assert await outbox.pending() == {"hook": 0, "pager": 1}
    assert [delivery.sink for delivery in await outbox.claim(now + 60.0, 30.0)] == ["pager"]


async def test_a_retry_comes_when_it_was_asked_for(outbox: Outbox, store: Sessions) -> None:
    await outbox.queue(ALERT)
    now = await store.now()
    await outbox.claim(now, 30.0)
    await outbox.done("msg_1", "pager")
    await outbox.retry("msg_1", "hook", now + 300.0)
    assert await outbox.claim(now + 299.0, 30.0) == ()
    assert await outbox.claim(now + 301.0, 30.0) == (Delivery(ALERT, "hook", 2),)


async def test_a_late_retry_does_not_bring_back_what_was_accepted(outbox: Outbox) -> None:
    await outbox.queue(ALERT)
    await outbox.done("msg_1", "hook")
    await outbox.retry("msg_1", "hook", 0.0)
    assert (await outbox.pending())["hook"] == 0


async def test_an_alert_that_was_kept_for_its_whole_time_is_let_go(
    outbox: Outbox, store: Sessions, connection: Connection, keys: Keys
) -> None:
    await outbox.queue(ALERT)
    await connection.call("DEL", keys.alert("msg_1"))
    assert await outbox.claim(await store.now(), 30.0) == ()
    assert await outbox.pending() == {"hook": 0, "pager": 0}


async def test_a_body_that_cannot_be_read_does_not_stop_the_others(
    outbox: Outbox, store: Sessions, connection: Connection, keys: Keys
) -> None:
    await outbox.queue(ALERT)
    await connection.call("HSET", keys.alert("msg_1"), "body", "{")
    second = Alert(id="msg_2", type="unverified", status="resolved", incident="inc_1", at=101.0)
    await outbox.queue(second)
    claimed = await outbox.claim(await store.now(), 30.0)
    assert [delivery.alert for delivery in claimed] == [second, second]


async def test_without_sinks_there_is_nothing_to_deliver(connection: Connection, keys: Keys, store: Sessions) -> None:
    outbox = Outbox(connection, keys, [])
    await outbox.queue(ALERT)
    assert await outbox.claim(await store.now(), 30.0) == ()
    assert await outbox.pending() == {}


async def test_an_alert_waits_for_each_sink_until_that_sink_has_accepted_it(outbox: Outbox, store: Sessions) -> None:
    assert not await outbox.waits("msg_1", "hook")
    await outbox.queue(ALERT)
    await outbox.claim(await store.now(), 30.0)
    await outbox.done("msg_1", "hook")
    assert [await outbox.waits("msg_1", sink) for sink in ("hook", "pager")] == [False, True]


async def test_what_a_sink_is_sent_again_it_no_longer_waits_for(outbox: Outbox, store: Sessions) -> None:
    await outbox.queue(ALERT)
    now = await store.now()
    await outbox.claim(now, 30.0)
    await outbox.done("msg_1", "pager")
    await outbox.again("msg_1", "hook", now + 60.0)
    assert not await outbox.waits("msg_1", "hook")
    assert await outbox.pending() == {"hook": 0, "pager": 0}
    assert await outbox.claim(now + 59.0, 30.0) == ()
    assert await outbox.claim(now + 61.0, 30.0) == (Delivery(ALERT, "hook", 1, accepted=True),)
    await outbox.again("msg_1", "hook", now + 121.0)
    assert await outbox.claim(now + 120.0, 30.0) == ()
    assert [delivery.accepted for delivery in await outbox.claim(now + 122.0, 30.0)] == [True]


async def test_a_repetition_that_was_refused_is_tried_again(outbox: Outbox, store: Sessions) -> None:
    await outbox.queue(ALERT)
    now = await store.now()
    await outbox.claim(now, 30.0)
    await outbox.done("msg_1", "pager")
    await outbox.again("msg_1", "hook", now + 60.0)
    await outbox.claim(now + 61.0, 30.0)
    await outbox.retry("msg_1", "hook", now + 63.0)
    assert [delivery.tries for delivery in await outbox.claim(now + 64.0, 30.0)] == [2]


async def test_what_is_done_is_not_sent_again_by_one_who_is_late(outbox: Outbox, store: Sessions) -> None:
    await outbox.queue(ALERT)
    now = await store.now()
    await outbox.claim(now, 30.0)
    for sink in ("hook", "pager"):
        await outbox.done("msg_1", sink)
        await outbox.again("msg_1", sink, now)
    assert await outbox.claim(now + 100.0, 30.0) == ()


async def test_a_resolution_goes_to_those_who_were_told_and_under_the_same_cause(picky: Outbox, store: Sessions) -> None:
    firing = replace(ALERT, id="inc_1/firing")
    resolved = Alert(id="inc_1/resolved", type="unverified", status="resolved", incident="inc_1", at=160.0, cause=Cause.UNKNOWN)
    await picky.queue(firing)
    await picky.queue(resolved)
    told = [(d.sink, d.alert.status, d.alert.cause, d.alert.since) for d in await picky.claim(await store.now(), 30.0)]
    assert sorted(told, key=str) == [
        ("hook", "firing", Cause.NOT_TAKEN, None),
        ("hook", "resolved", Cause.NOT_TAKEN, 100.5),
        ("pager", "firing", Cause.NOT_TAKEN, None),
        ("pager", "resolved", Cause.NOT_TAKEN, 100.5),
    ]


async def test_a_sink_is_not_sent_what_it_does_not_want(picky: Outbox, store: Sessions) -> None:
    await picky.queue(replace(ALERT, cause=Cause.LEFT))
    assert [delivery.sink for delivery in await picky.claim(await store.now(), 30.0)] == ["hook"]
    assert await picky.pending() == {"hook": 1, "pager": 0}
