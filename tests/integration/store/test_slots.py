"""PacedSlots: a burst is let through as fast as LiveKit can take it, and no faster."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.core.causes import Cause
from orchestrator.runtime.ports import SlotEnd, SlotReply
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.slots import PacedSlots, SlotLimits
from tests.e2e.harness.wait import wait_until


@pytest.fixture
def slots(connection: Connection, keys: Keys) -> PacedSlots:
    return PacedSlots(connection, keys, SlotLimits())


async def take(
    slots: PacedSlots, holder: str, *, agent_name: str = "mary", priority: int = 0, since: float = 100.0, hold: float = 20.0
) -> SlotReply:
    return await slots.take(agent_name, holder, priority=priority, since=since, hold=hold)


async def end(
    slots: PacedSlots, holder: str, end: SlotEnd, *, accept_window: float = 6.0, cause: Cause | None = Cause.NOT_TAKEN
) -> None:
    await slots.give_back("mary", holder, end, accept_window=accept_window, cause=cause)


async def taken(slots: PacedSlots, count: int) -> list[str]:
    """Take as many slots as there are, up to `count`; the holders."""
    holders = [f"h{number}" for number in range(count)]
    return [holder for holder in holders if (await take(slots, holder)).granted]


async def limit(slots: PacedSlots) -> int:
    return (await slots.counts())["mary"][1]


async def through(slots: PacedSlots, ending: SlotEnd, times: int, *, accept_window: float = 6.0) -> None:
    """So many dispatches, one after the other."""
    for _ in range(times):
        assert (await take(slots, "passing")).granted
        await end(slots, "passing", ending, accept_window=accept_window)


async def test_at_first_four_are_let_through_and_the_fifth_waits(slots: PacedSlots) -> None:
    assert await taken(slots, 5) == ["h0", "h1", "h2", "h3"]
    assert await take(slots, "h4") == SlotReply(granted=False, limit=4, ahead=0, breaker_open=False, cause=None)
    assert await take(slots, "h5", since=101.0) == SlotReply(granted=False, limit=4, ahead=1, breaker_open=False, cause=None)
    assert await slots.counts() == {"mary": (4, 4, 2, False)}


async def test_each_agent_name_has_its_own_slots(slots: PacedSlots) -> None:
    await taken(slots, 4)
    assert (await take(slots, "h", agent_name="tom")).granted
    assert await slots.counts() == {"mary": (4, 4, 0, False), "tom": (1, 4, 0, False)}


async def test_a_holder_that_asks_again_holds_one_slot(slots: PacedSlots) -> None:
    """The reply of the first time was lost."""
    assert (await take(slots, "h")).granted
    assert (await take(slots, "h")).granted
    assert (await slots.counts())["mary"][0] == 1


async def test_fifty_who_ask_at_once_get_no_more_than_the_limit(slots: PacedSlots) -> None:
    replies = await asyncio.gather(*(take(slots, f"h{number}", since=float(number)) for number in range(50)))
    assert sum(reply.granted for reply in replies) == 4
    assert sorted(reply.ahead for reply in replies if not reply.granted) == list(range(46))


async def test_a_slot_that_is_given_back_goes_to_the_head_of_the_queue_only(slots: PacedSlots) -> None:
    await taken(slots, 4)
    await take(slots, "late", since=300.0)
    await take(slots, "early", since=200.0)
    await end(slots, "h0", SlotEnd.OTHER)
    assert not (await take(slots, "late", since=300.0)).granted
    assert (await take(slots, "early", since=200.0)).granted


async def test_priority_goes_before_time(slots: PacedSlots) -> None:
    await taken(slots, 4)
    await take(slots, "early", since=1.0, priority=0)
    await take(slots, "low", since=0.0, priority=-1)
    await take(slots, "high", since=2_000_000_000.0, priority=1)
    order = sorted(
        [
            ((await take(slots, "early", since=1.0, priority=0)).ahead, "early"),
            ((await take(slots, "low", since=0.0, priority=-1)).ahead, "low"),
            ((await take(slots, "high", since=2_000_000_000.0, priority=1)).ahead, "high"),
        ]
    )
    assert order == [(0, "high"), (1, "early"), (2, "low")]


async def test_waiters_a_millisecond_apart_are_served_in_their_order_at_any_priority(slots: PacedSlots) -> None:
    await taken(slots, 4)
    for number in range(5):
        await take(slots, f"w{number}", since=1_795_000_000.0 + number / 1000, priority=1000)
    for number in range(5):
        reply = await take(slots, f"w{number}", since=1_795_000_000.0 + number / 1000, priority=1000)
        assert reply.ahead == number


async def test_a_slot_lapses_when_its_holder_died(slots: PacedSlots) -> None:
    for number in range(4):
        await take(slots, f"h{number}", hold=0.2)
    assert not (await take(slots, "next")).granted

    async def granted() -> bool:
        return (await take(slots, "next")).granted

    await wait_until(granted, description="the slot of the first of the dead has lapsed")

    async def alone() -> bool:
        return (await slots.counts())["mary"][0] == 1

    await wait_until(alone, description="the slots of the other dead have lapsed")


async def test_a_waiter_that_does_not_ask_for_five_seconds_is_not_waited_for(slots: PacedSlots) -> None:
    await taken(slots, 4)
    await take(slots, "dead", since=1.0)

    async def is_next() -> bool:
        return (await take(slots, "alive", since=2.0)).ahead == 0

    assert not await is_next()
    await wait_until(is_next, timeout=8.0, description="the waiter that died is taken off the queue")


async def test_a_waiter_that_gives_up_makes_room(slots: PacedSlots) -> None:
    await taken(slots, 4)
    await take(slots, "first", since=1.0)
    await take(slots, "second", since=2.0)
    await end(slots, "first", SlotEnd.OTHER, cause=None)
    assert (await take(slots, "second", since=2.0)).ahead == 0
    assert (await slots.counts())["mary"][:3] == (4, 4, 1)


async def test_each_join_makes_room_for_one_more_up_to_the_ceiling(slots: PacedSlots) -> None:
    await through(slots, SlotEnd.JOINED, 3)
    assert await limit(slots) == 7
    await through(slots, SlotEnd.JOINED, 70)
    assert await limit(slots) == 64


async def test_an_end_that_says_nothing_of_the_pace_changes_nothing(slots: PacedSlots) -> None:
    await through(slots, SlotEnd.OTHER, 10)
    assert await slots.counts() == {"mary": (0, 4, 0, False)}


async def test_a_burst_of_losses_halves_the_limit_once_per_accept_window(slots: PacedSlots) -> None:
    await through(slots, SlotEnd.JOINED, 12)
    await through(slots, SlotEnd.LOST, 10, accept_window=60.0)
    assert await limit(slots) == 8
    await through(slots, SlotEnd.LOST, 1, accept_window=0.0)
    assert await limit(slots) == 4


async def test_the_limit_never_falls_below_the_floor(slots: PacedSlots) -> None:
    await through(slots, SlotEnd.JOINED, 1)
    await through(slots, SlotEnd.LOST, 10, accept_window=0.0)
    assert await slots.counts() == {"mary": (0, 2, 0, False)}


async def test_losses_while_nobody_ever_joined_do_not_halve_but_open_the_breaker(slots: PacedSlots) -> None:
    await through(slots, SlotEnd.LOST, 2)
    assert await slots.counts() == {"mary": (0, 4, 0, False)}
    await through(slots, SlotEnd.LOST, 1)
    assert await slots.counts() == {"mary": (0, 1, 0, True)}


async def test_an_open_breaker_lets_one_probe_through_at_a_time_and_says_why(slots: PacedSlots) -> None:
    await through(slots, SlotEnd.LOST, 3)
    assert (await take(slots, "probe")).granted
    refused = await take(slots, "next")
    assert refused == SlotReply(granted=False, limit=1, ahead=0, breaker_open=True, cause=Cause.NOT_TAKEN)
    await end(slots, "probe", SlotEnd.LOST, cause=Cause.NO_WORKER)
    assert (await take(slots, "next")).granted
    assert (await take(slots, "another")).cause is Cause.NO_WORKER


async def test_the_first_join_closes_the_breaker(slots: PacedSlots) -> None:
    await through(slots, SlotEnd.LOST, 5)
    await through(slots, SlotEnd.JOINED, 1)
    assert await slots.counts() == {"mary": (0, 5, 0, False)}
    assert (await take(slots, "h")).cause is None


async def test_losses_soon_after_a_join_do_not_open_the_breaker(slots: PacedSlots) -> None:
    await through(slots, SlotEnd.JOINED, 1)
    await through(slots, SlotEnd.LOST, 5)
    assert (await slots.counts())["mary"][3] is False


async def test_losses_long_after_the_last_join_open_the_breaker(slots: PacedSlots, connection: Connection, keys: Keys) -> None:
    await through(slots, SlotEnd.JOINED, 1)
    an_hour_ago = await connection.call("HINCRBY", keys.pace("mary"), "joined_at", -3_600_000)
    assert an_hour_ago > 0
    await through(slots, SlotEnd.LOST, 3)
    assert (await slots.counts())["mary"][3] is True


async def test_only_who_held_a_slot_is_learned_from(slots: PacedSlots) -> None:
    await take(slots, "h")
    await end(slots, "h", SlotEnd.JOINED)
    await end(slots, "h", SlotEnd.JOINED)
    await end(slots, "stranger", SlotEnd.JOINED)
    assert await limit(slots) == 5


async def test_a_limit_that_a_burst_has_reached_stands_for_all_replicas(connection: Connection, keys: Keys) -> None:
    one, another = (PacedSlots(connection, keys, SlotLimits(start=2)) for _ in range(2))
    assert [(await take(slots, f"h{n}")).granted for n, slots in enumerate((one, another, one))] == [True, True, False]
    await end(another, "h1", SlotEnd.JOINED)
    assert (await take(one, "h2")).granted


async def test_a_worker_that_arrives_closes_the_breaker_and_what_was_lost_before_counts_no_more(slots: PacedSlots) -> None:
    await through(slots, SlotEnd.LOST, 3)
    assert await limit(slots) == 1
    await slots.welcome("mary")
    assert await slots.counts() == {"mary": (0, 4, 0, False)}
    await through(slots, SlotEnd.LOST, 2)
    assert (await slots.counts())["mary"][3] is False


async def test_a_worker_of_a_name_that_nobody_asked_for_changes_nothing(slots: PacedSlots) -> None:
    await slots.welcome("mary")
    assert await taken(slots, 5) == ["h0", "h1", "h2", "h3"]
