"""An operator's pause: no new attempt, no deadline that runs, and all goes on when it is over."""

from __future__ import annotations

import pytest

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Awaited, LeaveReason, RoundWanted, Source
from orchestrator.core.pauses import Pause
from orchestrator.core.placement import PlacementState
from orchestrator.core.policy import Policy
from tests.fakes.livekit import joins
from tests.unit.runtime.service import Service, running, wants

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

ROOM = "support-17"
SEEN_ELSEWHERE = 2.5
"""Seconds after which every replica knows of a pause."""


async def pause(service: Service, name: str = "mary", *, seconds: float | None = None) -> None:
    now = service.clock.now()
    await service.runtime.pauses.pause(name, Pause(now, None if seconds is None else now + seconds))


async def calls(service: Service) -> int:
    return service.livekit.calls.count("create_dispatch")


async def waits_for_that(service: Service) -> None:
    await service.until(ROOM, lambda s: s.placement("mary").awaited is Awaited.PAUSED)


async def verified(service: Service) -> str:
    session = await service.until(ROOM, lambda s: s.placement("mary").state is PlacementState.VERIFIED)
    return session.placement("mary").identity or ""


async def test_while_it_holds_nobody_is_dispatched_and_nobody_is_told_however_long_it_takes() -> None:
    async with running(wants("mary", fallback=["tom"])) as service:
        service.livekit.worker = joins
        await pause(service)
        await service.start_room()
        await waits_for_that(service)
        await service.clock.sleep(1_000)
        assert await calls(service) == 0
        placement = (await service.session()).placement("mary")
        assert (placement.state, placement.incidents) == (PlacementState.WAITING, ())


async def test_when_it_is_ended_the_round_begins_at_once_with_its_whole_deadline() -> None:
    async with running(wants("mary", policy=Policy(deadline=30))) as service:
        await pause(service)
        await service.start_room()
        await service.clock.sleep(500)
        await service.runtime.pauses.resume("mary")
        resumed_at = service.clock.now()
        session = await service.until(ROOM, lambda s: s.placement("mary").attempts_total == 1)
        assert service.clock.now() - resumed_at < 1
        assert session.placement("mary").wanted_at == pytest.approx(resumed_at, abs=1)
        await service.until(ROOM, lambda s: s.placement("mary").state is PlacementState.UNVERIFIED)
        assert 25 < service.clock.now() - resumed_at < 50


async def test_it_ends_by_itself_at_its_time() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        await pause(service, seconds=60)
        await service.start_room()
        await service.clock.sleep(59)
        assert await calls(service) == 0
        await service.clock.sleep(SEEN_ELSEWHERE + 2)
        await verified(service)


async def test_another_name_is_dispatched_meanwhile() -> None:
    async with running(wants("mary", "tom")) as service:
        service.livekit.worker = joins
        await pause(service)
        await service.start_room()
        await service.until(ROOM, lambda s: s.placement("tom").state is PlacementState.VERIFIED)
        assert (await service.session()).placement("mary").awaited is Awaited.PAUSED


async def test_every_replica_knows_of_it_and_of_its_end() -> None:
    async with running(wants("mary")) as first, running(wants("mary"), replica="r2", shared=first) as second:
        first.livekit.worker = joins
        await pause(second)
        await first.clock.sleep(SEEN_ELSEWHERE)
        await first.start_room()
        await waits_for_that(first)
        await second.runtime.pauses.resume("mary")
        await verified(first)


async def test_a_replica_knows_of_it_before_it_drives_its_first_session() -> None:
    async with running(wants("mary")) as first:
        first.livekit.worker = joins
        await first.pauses.pause("mary", Pause(first.clock.now()))
        async with running(wants("mary"), replica="r2", shared=first) as second:
            await second.start_room()
            await waits_for_that(second)
            assert await calls(second) == 0


async def test_a_replica_that_takes_over_lets_go_on_what_waited_for_a_pause_that_is_over() -> None:
    async with running(wants("mary")) as first:
        first.livekit.worker = joins
        await pause(first)
        await first.start_room()
        await waits_for_that(first)
        await first.ownership.stop()
        await first.pauses.resume("mary")
        async with running(wants("mary"), replica="r2", shared=first) as second:
            await verified(second)


async def test_whoever_serves_is_not_touched_and_is_not_replaced_before_its_end() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        await service.start_room()
        old = await verified(service)
        await pause(service)
        await service.clock.sleep(30)
        assert service.livekit.agents(ROOM) == [old]
        await service.livekit.leave(service.livekit.living[ROOM].room, old, LeaveReason.FAILURE)
        await waits_for_that(service)
        await service.clock.sleep(200)
        assert await calls(service) == 1
        await service.runtime.pauses.resume("mary")
        assert await verified(service) != old


async def test_what_was_called_before_it_goes_on_to_its_end_and_nothing_follows() -> None:
    async with running(wants("mary")) as service:
        await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").attempts_total == 1)
        await pause(service)
        await service.clock.sleep(300)
        placement = (await service.session()).placement("mary")
        assert (placement.attempts_total, placement.open_attempt) == (1, None)
        assert (placement.awaited, placement.incidents) == (Awaited.PAUSED, ())


async def test_whoever_waits_for_a_slot_does_not_run_out_of_time_meanwhile() -> None:
    async with running(wants("mary", policy=Policy(deadline=30))) as service:
        service.slots.breaker = Cause.NOT_TAKEN
        await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").awaited is Awaited.BREAKER)
        await pause(service)
        await service.clock.sleep(300)
        placement = (await service.session()).placement("mary")
        assert (placement.state, placement.awaited) == (PlacementState.WAITING, Awaited.PAUSED)


async def test_an_unverified_one_is_tried_no_more_until_its_end() -> None:
    async with running(wants("mary")) as service:
        await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").state is PlacementState.UNVERIFIED)
        await pause(service)
        before = await calls(service)
        await service.clock.sleep(300)
        assert await calls(service) == before
        service.livekit.worker = joins
        await service.runtime.pauses.resume("mary")
        await verified(service)


async def test_a_redispatch_waits_for_its_end_as_everything_else() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        await pause(service)
        opening = await service.start_room()
        await waits_for_that(service)
        await service.intake.wish(opening, [RoundWanted(None, "wish-1", Source.OPERATOR)], key=None)
        await service.clock.sleep(5)
        assert await calls(service) == 0
        await waits_for_that(service)
        await service.runtime.pauses.resume("mary")
        await verified(service)


async def test_a_store_that_is_away_ends_no_pause() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        await pause(service)
        await service.start_room()
        await waits_for_that(service)
        service.store.down = True
        await service.clock.sleep(5)
        service.store.down = False
        await service.clock.sleep(30)
        assert await calls(service) == 0
