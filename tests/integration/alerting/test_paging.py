"""Many rooms as one page: the real outbox, pages and deliveries on a real store, with a sink that one can watch."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace

import pytest

from orchestrator.alerting.deliveries import Deliveries
from orchestrator.alerting.paging import Paging
from orchestrator.alerting.ports import NotAccepted
from orchestrator.core.causes import Cause
from orchestrator.core.paging import Grouping
from orchestrator.core.silences import AlertMatch, Silence
from orchestrator.runtime.clock import SystemRandomness
from orchestrator.runtime.ports import Alert
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.outbox import Outbox
from orchestrator.store.paging import GroupPages
from orchestrator.store.sessions import Sessions

GROUPING = Grouping(wait=5.0, interval=300.0)
MARY = "No worker took the job of mary"


def firing(number: int, cause: Cause = Cause.NOT_TAKEN) -> Alert:
    incident = f"RM_{number:02}/mary/1"
    return Alert(
        f"{incident}/firing",
        "unverified",
        "firing",
        incident,
        100.0 + number,
        room=f"room {number}",
        sid=f"RM_{number:02}",
        agent_name="mary",
        cause=cause,
        summary=f"{MARY}.",
    )


def resolved(number: int) -> Alert:
    began = firing(number)
    return replace(began, id=f"{began.incident}/resolved", status="resolved", at=900.0, summary="mary is in the room.")


class Watched:
    """A sink, and what it accepted."""

    name = "pager"
    again = None

    def __init__(self) -> None:
        self.down = False
        self.told: list[Alert] = []
        self.tried: list[Alert] = []

    async def send(self, alert: Alert) -> None:
        self.tried.append(alert)
        if self.down:
            raise NotAccepted("down")
        self.told.append(alert)

    def take(self) -> list[tuple[str, int | None, str]]:
        """What was told since it was asked last: status, rooms, incident."""
        told, self.told = self.told, []
        return [(alert.status, alert.rooms, alert.incident) for alert in told]


class World:
    """Two replicas on one store, whose time one moves on by hand."""

    def __init__(self, connection: Connection, keys: Keys, now: float) -> None:
        self.at = now
        self.silences: list[Silence] = []
        self.sink = Watched()
        self.outbox = Outbox(connection, keys, ["pager"], groups={"pager": GROUPING})
        self.pages = GroupPages(connection, keys)
        self.replicas = [
            (Paging(self.pages, self, {"pager": GROUPING}, self, "https://r/#/incidents"), self._deliveries()) for _ in range(2)
        ]

    def _deliveries(self) -> Deliveries:
        return Deliveries(self.outbox, self, [self.sink], self, SystemRandomness(), lambda *_: None)

    def now(self) -> float:
        return self.at

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError

    async def look(self, now: float) -> list[Silence]:
        return self.silences

    async def fire(self, *numbers: int) -> None:
        for number in numbers:
            await self.outbox.queue(firing(number))

    async def resolve(self, *numbers: int) -> None:
        for number in numbers:
            await self.outbox.queue(resolved(number))

    async def turn(self, seconds: float = 1.0) -> None:
        """Time passes, and both replicas look and deliver, at once."""
        self.at += seconds
        await asyncio.gather(*(paging.look() for paging, _ in self.replicas))
        await asyncio.gather(*(deliveries.deliver_due() for _, deliveries in self.replicas))

    async def turns(self, seconds: float) -> list[tuple[str, int | None, str]]:
        for _ in range(3):
            await self.turn(seconds / 3)
        return self.sink.take()


@pytest.fixture
async def world(connection: Connection, keys: Keys, store: Sessions) -> World:
    return World(connection, keys, await store.now())


LEAD = "RM_01/mary/1"


async def test_many_rooms_are_one_page_with_one_end(world: World) -> None:
    await world.fire(*range(1, 41))
    await world.turn(1)
    assert world.sink.take() == []
    await world.turn(5)
    (page,) = world.sink.told
    assert (page.rooms, page.incident, page.room, page.sid) == (40, LEAD, None, None)
    assert (page.at, page.agent_name, page.cause) == (101.0, "mary", Cause.NOT_TAKEN)
    assert page.summary.startswith(f"40 rooms lack mary. {MARY}")
    assert page.incidents == tuple(firing(number).incident for number in range(1, 41))
    world.sink.take()
    await world.resolve(*range(1, 40))
    assert await world.turns(600) == []
    await world.resolve(40)
    await world.turn()
    (end,) = world.sink.told
    assert (end.status, end.rooms, end.incidents, end.since) == ("resolved", 40, page.incidents, 101.0)
    assert end.summary == "None of the 40 rooms lacks mary any more."


async def test_one_room_is_told_as_if_nothing_were_grouped(world: World) -> None:
    await world.fire(1)
    await world.turns(9)
    await world.resolve(1)
    await world.turns(9)
    assert world.sink.tried == [firing(1), replace(resolved(1), since=101.0)]


async def test_a_page_that_grows_is_brought_up_to_date_now_and_then(world: World) -> None:
    await world.fire(1)
    assert await world.turns(9) == [("firing", None, LEAD)]
    await world.fire(2, 3)
    assert await world.turns(60) == []
    await world.fire(4)
    assert await world.turns(300) == [("firing", 4, LEAD)]
    await world.resolve(1, 2, 3)
    await world.fire(5)
    assert await world.turns(400) == [("firing", 2, LEAD)]
    await world.resolve(4, 5)
    assert await world.turns(9) == [("resolved", 5, LEAD)]
    await world.fire(6)
    assert await world.turns(9) == [("firing", None, "RM_06/mary/1")]


async def test_rooms_with_another_cause_are_another_page(world: World) -> None:
    for alert in (firing(1), firing(2), firing(3, Cause.LEFT), firing(4, Cause.LEFT)):
        await world.outbox.queue(alert)
    assert sorted(await world.turns(9)) == [("firing", 2, LEAD), ("firing", 2, "RM_03/mary/1")]


async def test_what_was_over_before_its_page_nobody_hears_of(world: World) -> None:
    await world.fire(1, 2)
    await world.resolve(1, 2)
    assert await world.turns(60) == []


async def test_of_what_is_about_the_service_there_is_no_page(world: World) -> None:
    await world.outbox.queue(Alert("x/firing", "livekit_unreachable", "firing", "x", 100.0))
    await world.turn(0)
    assert world.sink.take() == [("firing", None, "x")]


async def test_while_the_sink_is_down_nothing_is_added_and_it_hears_of_the_beginning_first(world: World) -> None:
    world.sink.down = True
    await world.fire(1, 2)
    await world.turns(9)
    await world.fire(3)
    await world.turns(900)
    await world.resolve(1, 2, 3)
    await world.turns(900)
    world.sink.down = False
    told = [*await world.turns(600), *await world.turns(600), *await world.turns(600)]
    assert told == [("firing", 2, LEAD), ("resolved", 2, LEAD)]
    assert len({repr(alert) for alert in world.sink.tried}) == 2


async def test_a_silenced_room_is_in_no_page_before_its_silence_is_over(world: World) -> None:
    world.silences = [Silence("s", AlertMatch(room=("room 1", "room 2")), 0.0, world.at + 1000)]
    await world.fire(1, 2, 3)
    assert await world.turns(9) == [("firing", None, "RM_03/mary/1")]
    assert await world.outbox.silenced() == {"pager": 2}
    await world.resolve(2, 3)
    assert await world.turns(9) == [("resolved", None, "RM_03/mary/1")]
    assert await world.turns(900) == []
    assert await world.turns(300) == [("firing", None, LEAD)]
    assert await world.outbox.silenced() == {"pager": 0}


async def test_a_silence_that_is_ended_lets_the_page_begin_at_once(world: World) -> None:
    world.silences = [Silence("s", AlertMatch(agent=("mary",)), 0.0, world.at + 9_999)]
    await world.fire(1, 2)
    assert await world.turns(9) == []
    world.silences = []
    await world.outbox.release()
    await world.turn(0)
    assert world.sink.take() == [("firing", 2, LEAD)]


async def test_a_silence_that_comes_when_a_page_is_under_way_takes_neither_its_beginning_nor_its_end(world: World) -> None:
    world.sink.down = True
    await world.fire(1, 2)
    await world.turns(9)
    world.silences = [Silence("s", AlertMatch(agent=("mary",)), 0.0, world.at + 9_999)]
    world.sink.down = False
    assert await world.turns(60) == [("firing", 2, LEAD)]
    await world.resolve(1, 2)
    assert await world.turns(9) == [("resolved", 2, LEAD)]


async def test_a_room_whose_silence_held_back_its_page_is_told_of_no_more_once_a_later_page_has_named_it(world: World) -> None:
    world.sink.down = True
    await world.fire(1)
    await world.turns(9)
    world.silences = [Silence("s", AlertMatch(room=("room 1",)), 0.0, world.at + 999)]
    world.sink.down = False
    assert await world.turns(60) == []
    await world.fire(2)
    assert await world.turns(300) == [("firing", 2, LEAD)]
    await world.resolve(1, 2)
    assert await world.turns(60) == [("resolved", 2, LEAD)]
    world.silences = []
    await world.outbox.release()
    assert await world.turns(999) == []


async def test_what_changes_while_a_replica_decides_undoes_its_decision(world: World) -> None:
    await world.fire(1, 2)
    world.at += 9
    (group,) = await world.pages.due("pager", world.at)
    looked = await world.pages.look("pager", group)
    await world.fire(3)
    assert not await world.pages.commit(looked, None, look_at=None, held=0)
    assert await world.turns(9) == [("firing", 3, LEAD)]


async def test_a_page_that_cannot_be_read_keeps_no_other_from_being_told(
    world: World, connection: Connection, keys: Keys
) -> None:
    await world.outbox.queue(firing(1, Cause.LEFT))
    await world.fire(2)
    await connection.call("HSET", keys.page("pager", "unverified:left:mary"), "record", "{")
    assert await world.turns(9) == [("firing", None, "RM_02/mary/1")]


@pytest.mark.parametrize("ungrouped_before", [True, False])
async def test_whoever_was_told_before_a_sink_grouped_hears_of_the_end_and_nobody_else(
    world: World, connection: Connection, keys: Keys, *, ungrouped_before: bool
) -> None:
    if ungrouped_before:
        await Outbox(connection, keys, ["pager"]).queue(firing(1))
        assert await world.turns(9) == [("firing", None, LEAD)]
    else:
        await Outbox(connection, keys, []).queue(firing(1))
    grouping = Outbox(connection, keys, ["pager"], lambda *_: ungrouped_before, {"pager": GROUPING})
    await grouping.queue(resolved(1))
    assert await world.turns(9) == ([("resolved", None, LEAD)] if ungrouped_before else [])


async def test_a_sink_that_groups_no_more_hears_of_each_room_of_which_it_was_not_told(
    world: World, connection: Connection, keys: Keys
) -> None:
    await world.fire(1, 2)
    assert await world.turns(9) == [("firing", 2, LEAD)]
    await world.fire(3, 4)
    await world.resolve(4)
    outbox = Outbox(connection, keys, ["pager"])
    deliveries = Deliveries(outbox, world, [world.sink], world, SystemRandomness(), lambda *_: None)
    await deliveries.deliver_due()
    assert world.sink.take() == [("firing", None, "RM_03/mary/1")]
    for number in (1, 2, 3):
        await outbox.queue(resolved(number))
    await deliveries.deliver_due()
    assert [(status, rooms) for status, rooms, _ in world.sink.take()] == [("resolved", None)] * 3
    assert await world.turns(999) == []


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_each_page_begins_once_counts_and_ends_once_and_nothing_is_lost(world: World, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a schedule, no secret
    open_, waiting = set[int](), list(range(1, 31))
    for _ in range(60):
        match chance.choice(("fire", "fire", "resolve", "silence", "sink", "pass", "pass")):
            case "fire" if waiting:
                burst = [waiting.pop() for _ in range(min(len(waiting), chance.randint(1, 4)))]
                await world.fire(*burst)
                open_.update(burst)
            case "resolve" if open_:
                gone = chance.sample(sorted(open_), chance.randint(1, len(open_)))
                await world.resolve(*gone)
                open_.difference_update(gone)
            case "silence":
                room = f"room {chance.choice(['1', '2', ''])}*"
                world.silences = [Silence("s", AlertMatch(room=(room,)), 0.0, world.at + chance.randint(1, 900))]
            case "sink":
                world.sink.down = not world.sink.down
            case _:
                await world.turn(chance.choice([1, 5, 60, 400]))
    world.silences, world.sink.down = [], False
    for _ in range(8):
        await world.turn(120)
    named = {
        incident for alert in world.sink.told if alert.status == "firing" for incident in alert.incidents or (alert.incident,)
    }
    assert {firing(number).incident for number in open_} <= named
    await world.resolve(*open_)
    for _ in range(4):
        await world.turn(120)
    standing: set[str] = set()
    for alert in world.sink.told:
        if alert.status == "firing":
            assert alert.rooms is not None or alert.incident not in standing
            standing.add(alert.incident)
        else:
            standing.remove(alert.incident)  # a KeyError would be an end without a beginning
    assert standing == set()
    assert max(Counter(alert.id for alert in world.sink.told).values(), default=1) == 1
    assert len({repr(alert) for alert in world.sink.tried}) == len({alert.id for alert in world.sink.tried})
