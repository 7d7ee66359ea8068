"""What somebody asks of a session, carried out: never nobody and never two, whatever is under way."""

from __future__ import annotations

import asyncio
import json

import pytest

from orchestrator.core.facts import AgentDismissed, AgentWanted, CandidateSpec, LeaveReason, PlacementSpec, RoomOpened, Source
from orchestrator.core.listing import ListedDispatch, ListedRoom
from orchestrator.core.placement import PlacementState
from orchestrator.core.proof import Key
from orchestrator.core.session import Session
from tests.fakes.livekit import FakeLiveKit, joins
from tests.unit.runtime.service import Service, running, wants

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

ROOM = "support-17"


def is_verified(name: str, session: Session) -> bool:
    placement = session.find_placement(name)
    return placement is not None and placement.state is PlacementState.VERIFIED


async def serving(service: Service, name: str = "mary") -> str:
    session = await service.until(ROOM, lambda s: is_verified(name, s))
    return session.placement(name).identity or ""


async def ask(service: Service, opening: RoomOpened, *, instead_of: str | None = None, grace: float = 0.0) -> None:
    spec = PlacementSpec((CandidateSpec("tom"),))
    wanted = AgentWanted(spec, Source.OPERATOR, instead_of=instead_of, grace=grace)
    await service.intake.receive(opening, [wanted], event_id=None)


async def dismiss(service: Service, opening: RoomOpened, name: str = "mary") -> None:
    await service.intake.receive(opening, [AgentDismissed(name, Source.OPERATOR)], event_id=None)


async def test_an_agent_that_is_asked_for_comes_beside_the_routes() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        first = await serving(service)
        await ask(service, opening)
        second = await serving(service, "tom")
        assert set(service.livekit.agents(ROOM)) == {first, second}


async def test_a_dismissed_agent_is_out_at_once_with_its_dispatch_and_stays_out() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        await serving(service)
        await dismiss(service, opening)
        await service.clock.sleep(0.2)
        assert service.livekit.agents(ROOM) == []
        await service.clock.sleep(120)
        assert service.livekit.agents(ROOM) == []
        assert service.livekit.living[ROOM].dispatches == {}
        assert service.livekit.calls.count("create_dispatch") == 1


async def test_one_that_is_dismissed_before_it_came_is_removed_when_it_comes() -> None:
    async def joins_late(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        job = await livekit.take_job(room, dispatch)
        await asyncio.sleep(9)
        await livekit.join(room, job.identity or "", dispatch.agent_name)

    async with running(wants("mary")) as service:
        service.livekit.worker = joins_late
        opening = await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").attempts_total == 1)
        await dismiss(service, opening)
        await service.clock.sleep(60)
        assert service.livekit.agents(ROOM) == []
        assert service.livekit.living[ROOM].dispatches == {}


async def test_the_dispatch_that_was_being_made_when_its_agent_was_dismissed_is_deleted_too() -> None:
    async with running(wants("mary")) as service:
        create = service.livekit.create_dispatch

        async def create_slowly(room: str, agent: CandidateSpec, key: Key) -> str:
            await asyncio.sleep(3)
            return await create(room, agent, key)

        service.livekit.create_dispatch = create_slowly  # type: ignore[method-assign]  # it is dismissed meanwhile
        opening = await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").attempts_total == 1)
        await dismiss(service, opening)
        await service.clock.sleep(4)
        assert len(service.livekit.living[ROOM].dispatches) == 1
        await service.clock.sleep(30)
        assert service.livekit.living[ROOM].dispatches == {}


async def test_one_look_that_lacks_the_room_does_not_keep_the_dispatch_of_a_dismissed_agent() -> None:
    async with running(wants("mary")) as service:
        opening = await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").attempts_total == 1)
        await dismiss(service, opening)
        await service.clock.sleep(1)
        there = service.livekit.living.pop(ROOM)
        await service.clock.sleep(7)
        service.livekit.living[ROOM] = there
        await service.clock.sleep(30)
        assert there.dispatches == {}


async def test_an_agent_of_a_dismissed_attempt_that_nothing_but_its_name_tells_is_removed_and_a_foreign_one_is_not() -> None:
    async with running(wants("mary")) as service:
        opening = await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").attempts_total == 1)
        await dismiss(service, opening)
        await service.clock.sleep(9)
        room = service.livekit.living[ROOM].room
        await service.livekit.join(room, "agent-AJ_late", "mary")
        service.livekit.worker = joins
        service.livekit.dispatch_by_hand(ROOM, "mary")
        await service.clock.sleep(30)
        assert len(service.livekit.agents(ROOM)) == 1
        assert "agent-AJ_late" not in service.livekit.agents(ROOM)


async def test_at_no_moment_of_a_switch_is_nobody_there_and_afterwards_only_the_new_one() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        old = await serving(service)
        await ask(service, opening, instead_of="mary")
        seen = []
        while not is_verified("tom", await service.session(ROOM)):
            seen.append(service.livekit.agents(ROOM))
            await service.clock.sleep(0.01)
        assert all(seen)
        await service.clock.sleep(30)
        assert service.livekit.agents(ROOM) == [await serving(service, "tom")]
        assert old not in service.livekit.agents(ROOM)
        told = json.loads(service.livekit.metadata[-1])["rollcall"]
        assert told["instead_of"] == {"agent_name": "mary", "identity": old}


async def test_a_relieved_agent_that_does_not_leave_by_itself_is_taken_out_after_its_grace() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        old = await serving(service)
        await ask(service, opening, instead_of="mary", grace=15.0)
        new = await serving(service, "tom")
        await service.clock.sleep(14)
        assert set(service.livekit.agents(ROOM)) == {old, new}
        await service.clock.sleep(2)
        assert service.livekit.agents(ROOM) == [new]


async def test_the_next_replica_takes_out_who_was_relieved_when_the_first_one_died() -> None:
    async with running(wants("mary")) as first:
        first.livekit.worker = joins
        opening = await first.start_room()
        await serving(first)
        await ask(first, opening, instead_of="mary", grace=15.0)
        new = await serving(first, "tom")
        await first.ownership.stop()
        async with running(wants("mary"), replica="r2", shared=first) as second:
            await second.clock.sleep(30)
            assert second.livekit.agents(ROOM) == [new]


async def test_a_switch_to_one_that_never_comes_leaves_the_old_one_serving() -> None:
    async def only_mary(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        if dispatch.agent_name == "mary":
            await joins(livekit, room, dispatch)

    async with running(wants("mary")) as service:
        service.livekit.worker = only_mary
        opening = await service.start_room()
        old = await serving(service)
        await ask(service, opening, instead_of="mary")
        await service.until(ROOM, lambda s: s.placement("tom").state is PlacementState.UNVERIFIED)
        assert service.livekit.agents(ROOM) == [old]
        await dismiss(service, opening, "tom")
        session = await service.until(ROOM, lambda s: s.placement("tom").over)
        assert [i.resolved_at is not None for i in session.placement("tom").incidents] == [True]


async def test_a_relieved_agent_that_leaves_by_itself_is_not_replaced_and_its_session_comes_to_rest() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        old = await serving(service)
        await ask(service, opening, instead_of="mary", grace=15.0)
        new = await serving(service, "tom")
        await service.clock.sleep(6)
        await service.livekit.leave(service.livekit.living[ROOM].room, old, LeaveReason.GOODBYE)
        await service.clock.sleep(60)
        assert service.livekit.agents(ROOM) == [new]
        assert service.livekit.calls.count("create_dispatch") == 2
        told = (await service.session()).timeline_total
        await service.clock.sleep(60)
        assert (await service.session()).timeline_total == told


async def test_a_session_whose_room_ends_while_somebody_is_leaving_is_let_go() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        await serving(service)
        await ask(service, opening, instead_of="mary", grace=15.0)
        await serving(service, "tom")
        await service.livekit.close_room(ROOM)
        await service.until(ROOM, lambda s: s.ended)
        await service.clock.sleep(60)
        assert service.ownership.sessions() == ()


async def test_the_agent_that_comes_is_told_whose_place_it_takes_though_that_one_was_never_there_itself() -> None:
    async def not_tom(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        if dispatch.agent_name != "tom":
            await joins(livekit, room, dispatch)

    async with running(wants("mary")) as service:
        service.livekit.worker = not_tom
        opening = await service.start_room()
        old = await serving(service)
        await ask(service, opening, instead_of="mary")
        ann = AgentWanted(PlacementSpec((CandidateSpec("ann"),)), Source.OPERATOR, instead_of="tom")
        await service.intake.receive(opening, [ann], event_id=None)
        new = await serving(service, "ann")
        told = json.loads(service.livekit.metadata[-1])["rollcall"]
        assert told["instead_of"] == {"agent_name": "mary", "identity": old}
        await service.clock.sleep(10)
        assert service.livekit.agents(ROOM) == [new]


async def test_a_dismissal_that_the_store_has_forgotten_leaves_no_session_that_nobody_works_for() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        await serving(service)
        await service.clock.sleep(30)
        await dismiss(service, opening)
        await service.clock.sleep(2)
        assert service.livekit.agents(ROOM) == []
        service.store.line.server.restart(lost=5)
        assert is_verified("mary", await service.session(ROOM))
        await service.clock.sleep(60)
        assert len(service.livekit.agents(ROOM)) == 1
