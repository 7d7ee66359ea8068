"""The webhook queues: in order per room, retried, given up when old, and what faults make of them."""

from __future__ import annotations

import pytest

from orchestrator.sandbox.faults import Faults
from tests.unit.sandbox.world import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


def times(world: World) -> list[float]:
    return [round(at, 1) for at, _ in world.received]


@pytest.mark.parametrize("status", [0, 429, 500, 503])
async def test_a_delivery_that_fails_is_repeated_after_1_2_4_and_8_seconds_and_then_given_up(status: int) -> None:
    async with world() as w:
        w.status = status
        w.sandbox.create_room("r")
        await w.clock.sleep(60)
        assert times(w) == [0, 1, 3, 7, 15]
        assert len({webhook.id for _, webhook in w.received}) == 1


@pytest.mark.parametrize("status", [200, 204, 400, 401, 404, 413])
async def test_neither_success_nor_a_4xx_is_repeated(status: int) -> None:
    async with world() as w:
        w.status = status
        w.sandbox.create_room("r")
        await w.clock.sleep(60)
        assert times(w) == [0]


async def test_a_room_waits_for_its_first_event_and_other_rooms_do_not() -> None:
    async with world() as w:
        w.status = 503
        w.sandbox.join("r", "alice")
        await w.clock.sleep(2)
        w.status = 200
        w.sandbox.create_room("s")
        await w.clock.sleep(5)
        assert [(at, webhook.room.name, webhook.event) for at, webhook in w.received[1:]] == [
            (1, "r", "room_started"),
            (2, "s", "room_started"),
            (3, "r", "room_started"),
            (3, "r", "participant_joined"),
        ]


async def test_what_has_waited_for_thirty_seconds_is_dropped_and_what_comes_later_is_not() -> None:
    async with world() as w:
        w.status = 0
        for n in range(4):
            w.sandbox.join("r", f"p{n}")
        await w.clock.sleep(31)
        assert w.events == ["room_started"] * 5 + ["participant_joined p0"] * 5
        w.status = 200
        w.sandbox.join("r", "late")
        await w.clock.sleep(60)
        assert w.events[10:] == ["participant_joined late"]


async def test_a_queue_holds_two_hundred() -> None:
    async with world() as w:
        w.status = 503
        w.sandbox.create_room("r")
        await w.clock.sleep(0.5)
        for n in range(250):
            w.sandbox.join("r", f"p{n}")
        w.status = 200
        await w.clock.sleep(10)
        assert w.events[-1] == "participant_joined p199"


async def test_events_hold_what_was_true_when_they_happened() -> None:
    async with world() as w:
        w.status = 0
        w.sandbox.join("r", "alice")
        w.sandbox.leave("r", "alice")
        await w.clock.sleep(0.5)
        w.status = 200
        await w.clock.sleep(5)
        states = [webhook.participant.state for _, webhook in w.received if webhook.participant]
        assert states == ["ACTIVE", "DISCONNECTED"]
        assert all(isinstance(webhook.created_at, int) for _, webhook in w.received)


async def test_some_may_be_lost_and_all_be_blocked() -> None:
    async with world(faults=Faults(lose_webhooks=0.5)) as w:
        for n in range(100):
            w.sandbox.create_room(f"r{n}")
        await w.clock.sleep(1)
        assert 30 < len(w.received) < 70
        w.received.clear()
        w.sandbox.faults = Faults(webhooks_blocked=True)
        w.sandbox.join("r0", "alice")
        await w.clock.sleep(60)
        assert w.received == []


async def test_each_may_come_several_times_with_the_same_id() -> None:
    async with world(faults=Faults(duplicate_webhooks=2)) as w:
        w.sandbox.create_room("r")
        await w.clock.sleep(1)
        assert w.events == ["room_started"] * 3
        assert len({webhook.id for _, webhook in w.received}) == 1


async def test_they_may_come_late_and_out_of_order() -> None:
    async with world(faults=Faults(shuffle_webhooks=10.0)) as w:
        for n in range(20):
            w.sandbox.join("r", f"p{n}")
        await w.clock.sleep(10)
        assert len(w.received) == 21
        joined = [e for e in w.events if e != "room_started"]
        assert joined != sorted(joined, key=lambda e: int(e.split("p")[-1]))
