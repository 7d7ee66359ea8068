"""The store's own alert: told past the outbox, when it has been away for long enough, and its end."""

import asyncio
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from orchestrator.alerting.blackout import Blackout
from orchestrator.runtime.ports import StoreUnavailable
from tests.unit.alerting.test_deliveries import Defective, LoopClock, RecordingSink

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


class Store:
    up = True

    async def ask(self) -> float:
        if not self.up:
            raise StoreUnavailable("connection refused")
        return 0.0


async def watch(blackout: Blackout, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await blackout.run()


async def test_a_short_absence_wakes_nobody() -> None:
    store, hook = Store(), RecordingSink()
    blackout = Blackout(store.ask, [hook], LoopClock(), after=30.0)
    store.up = False
    await watch(blackout, 24)
    store.up = True
    await watch(blackout, 60)
    assert hook.sent == []


async def test_a_long_absence_is_told_and_its_end_too_and_again_to_who_wants_that() -> None:
    store, hook, manager = Store(), RecordingSink("hook"), RecordingSink("manager")
    manager.again = 60.0
    blackout = Blackout(store.ask, [hook, manager], LoopClock(), after=30.0)
    store.up = False
    await watch(blackout, 119)
    store.up = True
    await watch(blackout, 60)
    assert [alert.status for alert in hook.alerts] == ["firing", "resolved"]
    assert [alert.status for alert in manager.alerts] == ["firing", "firing", "resolved"]
    assert {(alert.type, alert.incident) for alert in manager.alerts} == {("store_trouble", "store_trouble")}
    store.up = False
    await watch(blackout, 40)
    assert [alert.status for alert in hook.alerts] == ["firing", "resolved", "firing"]


async def test_each_absence_has_ids_of_its_own_and_the_same_for_every_telling() -> None:
    store, manager = Store(), RecordingSink("manager")
    manager.again = 60.0
    blackout = Blackout(store.ask, [manager], LoopClock(), after=30.0)
    for _ in range(2):
        store.up = False
        await watch(blackout, 119)
        store.up = True
        await watch(blackout, 60)
    ids = [alert.id for alert in manager.alerts]
    assert (len(ids), len(set(ids)), ids[0]) == (6, 4, ids[1])


async def test_a_defect_in_one_sink_keeps_it_from_no_other_and_does_not_end_the_watch() -> None:
    store, hook = Store(), RecordingSink("hook")
    blackout = Blackout(store.ask, [Defective("defective"), hook], LoopClock(), after=30.0)
    store.up = False
    with capture_logs() as logs:
        await watch(blackout, 60)
    assert "delivery_failed" in [line["event"] for line in logs]
    store.up = True
    await watch(blackout, 60)
    assert [alert.status for alert in hook.alerts] == ["firing", "resolved"]


async def test_who_did_not_take_it_is_told_until_it_does() -> None:
    store, hook = Store(), RecordingSink()
    hook.refuse = lambda _: "HTTP 500" if len(hook.sent) < 4 else None
    blackout = Blackout(store.ask, [hook], LoopClock(), after=30.0)
    store.up = False
    await watch(blackout, 100)
    assert len(hook.sent) == 4
