"""After the verification: one agent, and nothing of ours left that could bring a second one."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.core.listing import ListedDispatch, ListedRoom
from orchestrator.core.proof import Key
from orchestrator.core.session import SessionState
from tests.fakes.livekit import FakeLiveKit, joins
from tests.unit.runtime.service import Service, running, wants

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

ROOM = "support-17"


async def verified(service: Service) -> str:
    session = await service.until(ROOM, lambda s: s.state is SessionState.VERIFIED)
    return session.placement("mary").identity or ""


async def test_a_foreign_agent_that_comes_beside_ours_stays_and_ours_goes() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        await service.start_room()
        ours = await verified(service)
        service.livekit.dispatch_by_hand(ROOM, "mary")
        session = await service.until(ROOM, lambda s: s.placement("mary").identity != ours)
        await service.clock.sleep(20)
        assert service.livekit.agents(ROOM) == [session.placement("mary").identity]
        assert session.state is SessionState.VERIFIED
        assert "did not dispatch" in session.warnings[0]


async def test_ours_gives_way_to_a_foreign_agent_that_is_only_listed_when_that_one_answers_and_not_before() -> None:
    async def unheard(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        job = await livekit.take_job(room, dispatch)
        livekit.silent.add(job.identity or "")
        await livekit.join(room, job.identity or "", dispatch.agent_name, webhook=False)

    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        await service.start_room()
        ours = await verified(service)
        service.livekit.worker = unheard
        service.livekit.dispatch_by_hand(ROOM, "mary")
        await service.clock.sleep(60)
        assert (await service.session()).placement("mary").identity == ours
        assert ours in service.livekit.agents(ROOM)
        service.livekit.silent.clear()
        await service.clock.sleep(20)
        assert (await service.session()).placement("mary").identity != ours
        assert ours not in service.livekit.agents(ROOM)


async def test_a_create_that_was_ambiguous_and_came_late_is_deleted_ten_seconds_after_the_verification() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        await verified(service)
        service.livekit.worker = None
        late = service.livekit.dispatch_by_hand(ROOM, "mary")
        ours = ListedDispatch(late.dispatch_id, "mary", Key(opening.sid, "mary", 2, "attempt-x"), ())
        service.livekit.living[ROOM].dispatches[late.dispatch_id] = ours
        await service.clock.sleep(15)
        assert late.dispatch_id not in service.livekit.living[ROOM].dispatches


async def test_a_second_agent_of_ours_is_removed_as_soon_as_a_look_shows_whose_it_is() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        first = await verified(service)

        async def joins_twice(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
            key = Key(opening.sid, "mary", 2, "attempt-x")
            job = await livekit.take_job(room, ListedDispatch(dispatch.dispatch_id, "mary", key, ()))
            await asyncio.sleep(0.1)
            await livekit.join(room, job.identity or "", "mary")

        service.livekit.worker = joins_twice
        service.livekit.dispatch_by_hand(ROOM, "mary")
        await service.clock.sleep(3)
        assert service.livekit.agents(ROOM) == [first]


async def test_a_stranger_of_another_name_is_nobody_s_business() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        await service.start_room()
        await verified(service)
        await service.livekit.join(service.livekit.living[ROOM].room, "agent-AJ_tom", "tom")
        await service.clock.sleep(30)
        assert "agent-AJ_tom" in service.livekit.agents(ROOM)
        assert "remove_participant" not in service.livekit.calls


async def test_two_agents_that_somebody_else_dispatched_are_left_alone_and_told_of() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        service.livekit.open_room(ROOM)
        service.livekit.dispatch_by_hand(ROOM, "mary")
        service.livekit.dispatch_by_hand(ROOM, "mary")
        await service.tell_started(service.livekit.living[ROOM].room)
        await service.until(ROOM, lambda s: s.warnings, timeout=30)
        assert len(service.livekit.agents(ROOM)) == 2
        assert "remove_participant" not in service.livekit.calls
        assert "dispatched neither" in (await service.session()).warnings[0]


async def test_an_orphan_of_ours_whose_webhook_comes_late_is_looked_at_until_it_can_be_judged() -> None:
    async def in_vain(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        return None

    async with running(wants("mary")) as service:
        service.livekit.worker = in_vain
        await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").attempts_total == 2)
        service.livekit.worker = joins
        first = await verified(service)
        room = service.livekit.living[ROOM].room
        await service.livekit.join(room, "agent-AJ_orphan", "mary", webhook=False)
        await service.until(ROOM, lambda s: s.present_agent("agent-AJ_orphan"), timeout=30)
        await service.clock.sleep(5)
        await service.livekit.say_joined(ROOM, "agent-AJ_orphan")
        await service.clock.sleep(30)
        assert service.livekit.agents(ROOM) == [first]
