"""Leases, the self-fence, takeover: one replica at a time drives a session, and none acts after its lease may be gone."""

from __future__ import annotations

import pytest

from orchestrator.core.policy import Policy
from orchestrator.core.session import SessionState
from orchestrator.runtime.fencing import FencedLiveKit
from orchestrator.runtime.owner import Superseded
from tests.fakes.livekit import joins
from tests.unit.runtime.service import running, wants

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

ROOM = "support-17"


def verified(session: object) -> bool:
    return getattr(session, "state", None) is SessionState.VERIFIED


async def test_a_replica_that_cannot_renew_its_lease_stops_writing_before_others_may_take_over() -> None:
    async with running(wants("mary")) as service:
        assert not service.ownership.fenced()
        service.store.down = True
        await service.clock.sleep(6.4)
        assert not service.ownership.fenced()
        await service.clock.sleep(2.6)
        assert service.ownership.fenced()


async def test_a_fenced_replica_may_look_and_must_not_touch() -> None:
    async with running(wants("mary")) as service:
        await service.start_room()
        fenced = FencedLiveKit(service.livekit, lambda: True)
        assert await fenced.room(ROOM) is not None
        assert [room.name for room in await fenced.rooms()] == [ROOM]
        assert await fenced.participants(ROOM) == ()
        for write in (
            fenced.delete_dispatch(ROOM, "AD_1"),
            fenced.remove_participant(ROOM, "agent-AJ_1"),
            fenced.delete_room(ROOM),
        ):
            with pytest.raises(Superseded):
                await write
        assert ROOM in service.livekit.living


async def test_when_the_lease_is_back_its_sessions_are_loaded_again_and_go_on() -> None:
    async with running(wants("mary", policy=Policy(attempts=20, deadline=300))) as service:
        await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").attempts_total == 1)
        service.store.down = True
        await service.clock.sleep(20)
        assert service.ownership.sessions() == ()
        calls = service.livekit.calls.count("create_dispatch")
        service.store.down = False
        service.livekit.worker = joins
        await service.until(ROOM, verified)
        assert service.livekit.calls.count("create_dispatch") > calls


async def test_a_session_that_another_replica_took_is_let_go_by_the_first_that_hears_of_it() -> None:
    async with running(wants("mary")) as first:
        opening = await first.start_room()
        await first.until(ROOM, lambda s: s.placement("mary").attempts)
        await first.leases.renew("r2", 600)
        await first.store.take(opening.sid, "r2", from_owner="r1")
        await first.clock.sleep(30)
        assert first.ownership.sessions() == ()
        assert first.livekit.calls.count("create_dispatch") == 1


async def test_an_ended_session_is_driven_by_nobody_and_a_late_event_is_still_folded() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        await service.start_room()
        await service.until(ROOM, verified)
        room = service.livekit.living[ROOM].room
        await service.livekit.close_room(ROOM)
        await service.until(ROOM, lambda s: s.ended)
        await service.clock.sleep(20)
        assert service.ownership.sessions() == ()
        service.livekit.living.clear()
        await service.livekit.join(room, "agent-AJ_late", "mary")
        await service.clock.sleep(1)
        assert (await service.session()).ended


async def test_a_lease_that_was_given_up_does_not_come_back_while_the_replica_drains() -> None:
    async with running(wants("mary")) as first:
        first.livekit.worker = joins
        await first.start_room()
        await first.until("support-17", lambda s: s.state is SessionState.VERIFIED)
        await first.ownership.stop()
        await first.clock.sleep(30)
        assert await first.leases.live() == frozenset()


async def test_a_lease_that_lapsed_is_counted_when_it_is_taken_anew_however_long_that_takes() -> None:
    async with running(wants("mary")) as service:
        assert service.ownership.lapses == 0
        service.store.down = True
        await service.clock.sleep(60)
        service.store.down = False
        await service.clock.sleep(10)
        assert not service.ownership.fenced()
        assert service.ownership.lapses == 1


async def test_what_is_taken_over_from_a_replica_that_died_is_counted() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        await service.until(ROOM, verified)
        await service.leases.renew("r2", 1)
        await service.store.take(opening.sid, "r2", from_owner="r1")
        await service.clock.sleep(30)
        assert (service.ownership.takeovers, service.ownership.taken_over) == (1, 1)
