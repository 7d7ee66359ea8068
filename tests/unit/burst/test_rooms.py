"""What a burst has made is removed, and is told when it cannot be."""

from __future__ import annotations

import pytest

from orchestrator import contract
from orchestrator.burst.rooms import LONGEST, Removal, names
from orchestrator.sandbox.direct import DirectLiveKit
from orchestrator.sandbox.faults import Faults
from tests.unit.sandbox.world import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

ROOMS = frozenset({"a", "b"})


def removal(on: World) -> Removal:
    return Removal(DirectLiveKit(on.sandbox, on.clock), on.clock, on.tasks)


async def opened(on: World) -> None:
    for room in (*ROOMS, "somebody else's"):
        await on.sandbox.create_room_call(room)


async def listed(on: World) -> set[str]:
    return {room.name for room in await on.sandbox.list_rooms()}


async def test_no_route_wants_an_agent_there_and_no_two_bursts_have_the_same_rooms() -> None:
    first, second = names(3), names(3)

    assert all(name.startswith(contract.SCRATCH_PREFIX) for name in first)
    assert len({*first, *second}) == 6


async def test_our_rooms_go_and_no_others() -> None:
    async with world() as on:
        await opened(on)

        assert await removal(on).remove(ROOMS, quiet=0.0) == frozenset()
        assert await listed(on) == {"somebody else's"}


async def test_a_room_that_comes_again_is_removed_again_and_is_not_left_behind() -> None:
    async with world() as on:
        await opened(on)

        async def come_again() -> None:
            await on.clock.sleep(0.5)
            await on.sandbox.create_room_call("a")

        on.tasks.spawn("come again", come_again())

        assert await removal(on).remove(ROOMS, quiet=0.0) == frozenset()
        assert await listed(on) == {"somebody else's"}


async def test_what_cannot_be_removed_in_time_is_told() -> None:
    async with world() as on:
        await opened(on)
        on.sandbox.faults = Faults(api_error=1.0)
        began = on.clock.monotonic()

        assert await removal(on).remove(ROOMS, quiet=0.0) == ROOMS
        assert LONGEST <= on.clock.monotonic() - began < LONGEST + 5
