"""BookedCanaries: the last canary of each agent, failures in a row, turns, and rooms that must not stay."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.canary import By, Canary, Outcome
from orchestrator.core.causes import Cause
from orchestrator.runtime.ports import ScratchRoom
from orchestrator.store.canaries import BookedCanaries
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys

WELL = Canary("mary", Outcome.ANSWERING, "It joined.", None, "rollcall-scratch-1", 1_000.5, 0.25, 0.3, By.SCHEDULE)
ILL = replace(WELL, outcome=Outcome.FAILED, cause=Cause.NOT_TAKEN, joined=None, answered=None)
ROOM = ScratchRoom("r1", 1_020.5, 1_600.5)


@pytest.fixture
def canaries(connection: Connection, keys: Keys) -> BookedCanaries:
    return BookedCanaries(connection, keys)


async def test_the_last_canary_of_each_agent_is_read_as_it_was_written(canaries: BookedCanaries) -> None:
    assert await canaries.last(0.0) == {}
    await canaries.note(ILL, counts=True)
    await canaries.note(replace(WELL, agent_name=""), counts=True)
    await canaries.note(WELL, counts=True)
    assert await canaries.last(0.0) == {"mary": WELL, "": replace(WELL, agent_name="")}


async def test_failures_in_a_row_are_counted_per_agent_until_one_is_well(canaries: BookedCanaries) -> None:
    assert [await canaries.note(ILL, counts=True) for _ in range(3)] == [1, 2, 3]
    assert await canaries.note(replace(ILL, agent_name="tom"), counts=True) == 1
    assert await canaries.note(WELL, counts=True) == 0
    assert await canaries.note(ILL, counts=True) == 1


async def test_a_failure_that_does_not_count_is_kept_and_changes_no_count_and_a_good_one_does(
    canaries: BookedCanaries,
) -> None:
    await canaries.note(ILL, counts=True)
    assert await canaries.note(replace(ILL, by=By.OPERATOR), counts=False) == 1
    assert (await canaries.last(0.0))["mary"].by is By.OPERATOR
    assert await canaries.note(replace(WELL, by=By.OPERATOR), counts=False) == 0
    assert await canaries.note(ILL, counts=False) == 0


async def test_old_ones_are_forgotten_with_what_was_counted(canaries: BookedCanaries) -> None:
    await canaries.note(ILL, counts=True)
    await canaries.note(replace(WELL, agent_name="tom", at=2_000.0), counts=True)
    assert (await canaries.last(1_500.0)).keys() == {"tom"}
    assert (await canaries.last(0.0)).keys() == {"tom"}
    assert await canaries.note(ILL, counts=True) == 1


async def test_a_turn_is_one_replica_s_until_the_next_is_due_and_each_agent_has_its_own(canaries: BookedCanaries) -> None:
    assert await canaries.turn("agent:mary", "r1", 60.0)
    assert not await canaries.turn("agent:mary", "r2", 60.0)
    assert await canaries.turn("agent:tom", "r2", 60.0)


async def test_rooms_are_known_until_they_are_closed(canaries: BookedCanaries) -> None:
    await canaries.open("rollcall-scratch-1", ROOM)
    await canaries.open("rollcall-scratch-2", ROOM)
    await canaries.open("rollcall-scratch-2", replace(ROOM, until=7.0))
    assert await canaries.rooms() == {"rollcall-scratch-1": ROOM, "rollcall-scratch-2": replace(ROOM, until=7.0)}
    await canaries.close("rollcall-scratch-1")
    await canaries.close("rollcall-scratch-1")
    assert (await canaries.rooms()).keys() == {"rollcall-scratch-2"}


async def test_what_a_newer_replica_wrote_hides_nothing_else(
    canaries: BookedCanaries, connection: Connection, keys: Keys
) -> None:
    await canaries.note(WELL, counts=True)
    await canaries.open("rollcall-scratch-1", ROOM)
    await connection.call("HSET", keys.canaries, "tom", b'{"agent_name":"tom","outcome":"of tomorrow"}')
    await connection.call("HSET", keys.scratch_rooms, "rollcall-scratch-2", b'{"replica":7}')
    assert await canaries.last(0.0) == {"mary": WELL}
    assert await canaries.rooms() == {"rollcall-scratch-1": ROOM}
