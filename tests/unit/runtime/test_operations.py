"""What an operator asks of a session, carried out: at once, by counted attempts, never nobody and never two."""

from __future__ import annotations

import json

import pytest

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Awaited, Fact, IncidentTaken, LeaveReason, RoomOpened, RoundWanted, SessionCancelled, Source
from orchestrator.core.listing import ListedDispatch, ListedRoom
from orchestrator.core.placement import PlacementState
from orchestrator.core.policy import Policy
from orchestrator.runtime.ports import Appended
from tests.fakes.livekit import FakeLiveKit, joins
from tests.unit.runtime.service import Service, running, wants

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

ROOM = "support-17"
OVERLAP = 1.5
"""Seconds after which whoever was replaced is out."""


async def ask(service: Service, opening: RoomOpened, fact: Fact, key: str | None = None) -> Appended:
    return await service.intake.wish(opening, [fact], key=key)


def again(placement: str | None = None, wish: str = "wish-1") -> RoundWanted:
    return RoundWanted(placement, wish, Source.OPERATOR)


async def in_state(service: Service, state: PlacementState) -> str:
    session = await service.until(ROOM, lambda s: s.placement("mary").state is state)
    return session.placement("mary").identity or ""


async def attempts(service: Service) -> int:
    return (await service.session()).placement("mary").attempts_total


async def test_an_unverified_placement_is_tried_at_once_and_not_a_minute_later() -> None:
    async with running(wants("mary")) as service:
        opening = await service.start_room()
        await in_state(service, PlacementState.UNVERIFIED)
        service.livekit.worker = joins
        asked_at = service.clock.now()
        await ask(service, opening, again())
        await in_state(service, PlacementState.VERIFIED)
        assert service.clock.now() - asked_at < 2
        session = await service.session()
        assert [i.resolved_at is not None for i in session.placement("mary").incidents] == [True]


async def test_a_whole_round_of_attempts_follows_and_then_one_a_minute() -> None:
    policy = Policy(attempts=2, keep_trying=60)
    async with running(wants("mary", policy=policy)) as service:
        opening = await service.start_room()
        await in_state(service, PlacementState.UNVERIFIED)
        before = await attempts(service)
        await ask(service, opening, again())
        await service.clock.sleep(1)
        assert await attempts(service) == before + 1
        await in_state(service, PlacementState.UNVERIFIED)
        assert await attempts(service) == before + 2


async def test_a_backoff_is_over() -> None:
    policy = Policy(backoff=60, backoff_cap=60, deadline=300)
    async with running(wants("mary", policy=policy)) as service:
        opening = await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").awaited is Awaited.BACKOFF)
        await ask(service, opening, again())
        await service.clock.sleep(1)
        assert await attempts(service) == 2


async def test_the_wait_for_the_breaker_is_over_when_it_is_closed() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        service.slots.breaker = Cause.NOT_TAKEN
        opening = await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").awaited is Awaited.BREAKER)
        await service.pacing.welcome("mary")
        await ask(service, opening, again())
        await service.clock.sleep(0.5)
        await in_state(service, PlacementState.VERIFIED)


async def test_the_grace_after_a_goodbye_is_over() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        old = await in_state(service, PlacementState.VERIFIED)
        await service.clock.sleep(20)
        await service.livekit.leave(service.livekit.living[ROOM].room, old, LeaveReason.GOODBYE)
        await service.until(ROOM, lambda s: s.placement("mary").awaited is Awaited.GRACE)
        await ask(service, opening, again())
        await service.clock.sleep(1)
        assert await in_state(service, PlacementState.VERIFIED) != old


async def test_at_no_moment_of_a_replacement_is_nobody_there_and_afterwards_only_the_new_one() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        old = await in_state(service, PlacementState.VERIFIED)
        await service.clock.sleep(30)
        await ask(service, opening, again())
        seen = []
        for _ in range(round(OVERLAP / 0.01)):
            await service.clock.sleep(0.01)
            seen.append(set(service.livekit.agents(ROOM)))
        assert all(seen)
        new = await in_state(service, PlacementState.VERIFIED)
        assert new != old
        assert {old, new} in seen
        assert service.livekit.agents(ROOM) == [new]
        assert len(service.livekit.living[ROOM].dispatches) == 1
        told = json.loads(service.livekit.metadata[-1])["rollcall"]
        assert told["instead_of"] == {"agent_name": "mary", "identity": old}
        await service.clock.sleep(120)
        assert service.livekit.agents(ROOM) == [new]
        assert service.livekit.calls.count("create_dispatch") == 2


async def test_an_agent_for_whom_nobody_else_comes_serves_on_and_is_asked_whether_it_answers() -> None:
    async with running(wants("mary", fallback=["tom"])) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        old = await in_state(service, PlacementState.VERIFIED)
        service.livekit.worker = None
        (dispatch,) = service.livekit.living[ROOM].dispatches
        await ask(service, opening, again())
        await in_state(service, PlacementState.LOST)
        assert await in_state(service, PlacementState.VERIFIED) == old
        assert dispatch in service.livekit.living[ROOM].dispatches
        asked = len(service.livekit.asked)
        await service.clock.sleep(60)
        assert service.livekit.agents(ROOM) == [old]
        assert len(service.livekit.asked) > asked
        assert (await service.session()).placement("mary").incidents == ()


async def test_a_foreign_agent_is_replaced_by_one_of_ours() -> None:
    async with running(wants("mary")) as service:
        opening = await service.start_room()
        service.livekit.worker = joins
        service.livekit.dispatch_by_hand(ROOM, "mary")
        old = await in_state(service, PlacementState.VERIFIED)
        await service.clock.sleep(30)
        await ask(service, opening, again())
        await service.clock.sleep(60)
        new = await in_state(service, PlacementState.VERIFIED)
        assert service.livekit.agents(ROOM) == [new]
        assert new != old


async def test_the_next_replica_takes_out_who_was_replaced_when_the_first_one_died() -> None:
    async with running(wants("mary")) as first:
        first.livekit.worker = joins
        opening = await first.start_room()
        old = await in_state(first, PlacementState.VERIFIED)
        await ask(first, opening, again())
        await first.until(ROOM, lambda s: s.placement("mary").identity not in (None, old))
        await first.ownership.stop()
        async with running(wants("mary"), replica="r2", shared=first) as second:
            await second.clock.sleep(30)
            assert second.livekit.agents(ROOM) == [await in_state(second, PlacementState.VERIFIED)]


async def test_a_wish_that_comes_twice_with_one_key_is_carried_out_once() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        await in_state(service, PlacementState.VERIFIED)
        assert await ask(service, opening, again(wish="a"), key="k") is Appended.STORED
        await service.clock.sleep(10)
        assert await ask(service, opening, again(wish="b"), key="k") is Appended.DUPLICATE
        await service.clock.sleep(10)
        assert await attempts(service) == 2


async def test_in_a_cancelled_session_nobody_is_left_and_nothing_is_tried() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        await in_state(service, PlacementState.VERIFIED)
        await ask(service, opening, SessionCancelled(Source.OPERATOR))
        await service.clock.sleep(120)
        assert service.livekit.agents(ROOM) == []
        assert service.livekit.living[ROOM].dispatches == {}
        assert await attempts(service) == 1
        await ask(service, opening, again("mary"))
        await service.clock.sleep(2)
        assert service.livekit.agents(ROOM) == [await in_state(service, PlacementState.VERIFIED)]


async def test_after_an_incident_was_taken_its_resolution_is_told_and_attempts_go_on() -> None:
    async def never(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        return None

    async with running(wants("mary")) as service:
        service.livekit.worker = never
        opening = await service.start_room()
        await in_state(service, PlacementState.UNVERIFIED)
        before = await attempts(service)
        await ask(service, opening, IncidentTaken(None, Source.OPERATOR))
        session = await service.until(ROOM, lambda s: all(i.resolved_queued for i in s.placement("mary").incidents))
        assert session.placement("mary").state is PlacementState.UNVERIFIED
        assert [a.summary for a in service.alerts.queued.values()][1:] == ["A person sees to it: mary is still missing."]
        await service.clock.sleep(130)
        assert await attempts(service) == before + 2
        assert len((await service.session()).placement("mary").incidents) == 1
