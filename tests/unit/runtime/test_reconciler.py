"""The reconciler: whatever was not heard is found, and nothing is believed of one listing alone."""

import asyncio
import json

import pytest

from orchestrator.core.facts import LeaveReason
from orchestrator.core.listing import ListedDispatch, ListedRoom
from orchestrator.core.placement import PlacementState
from orchestrator.core.session import Outcome, Session, SessionState
from orchestrator.runtime.assembly import Times
from orchestrator.runtime.ports import LiveKitUnavailable, Pulse
from orchestrator.runtime.reconciler import ReconcilerTimes
from tests.fakes.livekit import FakeLiveKit, joins
from tests.unit.runtime.service import Service, running, wants

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

ROOM = "support-17"
TIMES = Times(reconciler=ReconcilerTimes())
ADOPTING = Times(reconciler=ReconcilerTimes(adopt=True))


def verified(session: Session) -> bool:
    return session.placement("mary").state is PlacementState.VERIFIED


async def no_webhook(*_: object) -> None:
    """LiveKit's webhooks are lost."""


async def a_first_round(service: Service) -> None:
    """What it finds lived before us; everything later did not."""
    await service.clock.sleep(5)


async def joins_unheard(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
    job = await livekit.take_job(room, dispatch)
    await asyncio.sleep(0.3)
    await livekit.join(room, job.identity or "", dispatch.agent_name, webhook=False)


async def test_with_all_webhooks_lost_an_agent_is_verified_within_thirty_five_seconds() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        await a_first_round(service)
        service.livekit.webhook = no_webhook
        service.livekit.worker = joins_unheard
        service.livekit.open_room(ROOM)
        await service.opened(ROOM)
        session = await service.until(ROOM, verified, timeout=35)
        assert session.placement("mary").attempts_total == 1
        assert {e.source.value for e in session.timeline if e.event == "agent_joined"} == {"listing"}


async def test_an_agent_that_only_a_listing_shows_counts_when_it_answers_and_not_before() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        await a_first_round(service)
        service.livekit.webhook = no_webhook
        service.livekit.worker = joins_unheard
        service.livekit.says = Pulse.UNKNOWN
        service.livekit.open_room(ROOM)
        await service.clock.sleep(60)
        assert not verified(await service.session())
        service.livekit.says = None
        await service.until(ROOM, verified, timeout=3)


async def test_people_and_agents_whose_leaving_was_not_heard_are_seen_to_be_gone() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        service.livekit.worker = joins
        await service.start_room()
        await service.livekit.enter(ROOM, "alice")
        await service.livekit.enter(ROOM, "bob")
        await service.until(ROOM, verified)
        service.livekit.webhook = no_webhook
        await service.livekit.hang_up(ROOM, "alice")
        await service.until(ROOM, lambda s: s.people == 1, timeout=40)
        await service.livekit.hang_up(ROOM, "bob")
        await service.until(ROOM, lambda s: s.empty, timeout=40)


async def test_people_are_counted_by_who_they_are_so_that_the_next_one_who_leaves_leaves_the_right_number() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        heard = service.livekit.webhook
        service.livekit.worker = joins
        await service.start_room()
        service.livekit.webhook = no_webhook
        await service.livekit.enter(ROOM, "alice")
        service.livekit.webhook = heard
        await service.livekit.enter(ROOM, "bob")
        await service.until(ROOM, lambda s: s.people == 2, timeout=60)
        await service.livekit.hang_up(ROOM, "bob")
        assert (await service.session()).people == 1
        assert not (await service.session()).empty


async def test_a_room_whose_end_was_not_heard_is_ended_and_only_after_it_was_asked_for_by_name() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        service.livekit.worker = joins
        await service.start_room()
        await service.until(ROOM, verified)
        service.livekit.webhook = no_webhook
        await service.livekit.close_room(ROOM)
        session = await service.until(ROOM, lambda s: s.ended, timeout=40)
        assert session.outcome is Outcome.VERIFIED


async def test_an_empty_listing_by_mistake_ends_nothing() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        service.livekit.worker = joins
        await service.start_room()
        await service.until(ROOM, verified)
        service.livekit.lists_nothing = True
        await service.clock.sleep(120)
        assert (await service.session()).state is SessionState.VERIFIED


async def test_an_agent_that_a_listing_lacks_by_mistake_and_that_answers_serves_on() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        service.livekit.worker = joins
        await service.start_room()
        await service.livekit.enter(ROOM, "alice")
        session = await service.until(ROOM, verified)
        service.livekit.omits.add(session.placement("mary").identity or "")
        await service.clock.sleep(120)
        session = await service.session()
        assert verified(session)
        assert session.placement("mary").attempts_total == 1


async def test_an_agent_that_came_back_into_the_listing_is_known_again() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        service.livekit.worker = joins
        await service.start_room()
        await service.livekit.enter(ROOM, "alice")
        session = await service.until(ROOM, verified)
        first = session.placement("mary").identity or ""
        service.livekit.omits.add(first)
        service.livekit.gone_with_their_node.add(first)
        await service.until(ROOM, lambda s: verified(s) and s.placement("mary").identity != first, timeout=60)
        service.livekit.omits.clear()
        service.livekit.gone_with_their_node.clear()
        await service.clock.sleep(60)
        assert len(service.livekit.agents(ROOM)) == 1, "the two are not left beside each other"


async def test_a_listing_that_fails_ends_nothing_and_is_asked_for_again() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        service.livekit.worker = joins
        await service.start_room()
        await service.until(ROOM, verified)
        for call in ("rooms", "room"):
            service.livekit.fails[call] = LiveKitUnavailable("503")
        service.livekit.webhook = no_webhook
        await service.livekit.close_room(ROOM)
        await service.clock.sleep(120)
        assert (await service.session()).state is SessionState.VERIFIED
        service.livekit.fails.clear()
        await service.until(ROOM, lambda s: s.ended, timeout=20)


async def test_an_end_that_only_listings_showed_is_undone_by_whatever_is_heard_later() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        service.livekit.worker = joins
        await service.start_room()
        await service.livekit.enter(ROOM, "alice")
        await service.until(ROOM, verified)
        hidden = service.livekit.living.pop(ROOM)
        await service.until(ROOM, lambda s: s.ended, timeout=60)
        service.livekit.living[ROOM] = hidden
        await service.livekit.enter(ROOM, "bob")
        session = await service.until(ROOM, lambda s: not s.ended and verified(s), timeout=5)
        assert session.placement("mary").attempts_total == 1, "its agent had been there all the time"


async def test_rooms_that_lived_before_the_first_start_are_observed_and_adopted_when_their_agent_answers() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        room = service.livekit.open_room(ROOM, age=60)
        await service.opened(ROOM)
        session = await service.until(ROOM, lambda s: s.state is SessionState.OBSERVED, timeout=10)
        await service.clock.sleep(300)
        assert "create_dispatch" not in service.livekit.calls
        await service.livekit.join(service.livekit.living[ROOM].room, "agent-by-hand", "mary")
        session = await service.until(ROOM, verified, timeout=5)
        assert session.state is SessionState.VERIFIED
        assert session.sid == room.sid
        await service.livekit.enter(ROOM, "alice")
        service.livekit.worker = joins
        await service.clock.sleep(10)
        await service.livekit.leave(service.livekit.living[ROOM].room, "agent-by-hand", LeaveReason.FAILURE)
        session = await service.until(ROOM, lambda s: verified(s) and s.placement("mary").identity != "agent-by-hand", 20)
        assert json.loads(service.livekit.metadata[-1])["rollcall"]["resumes"]["identity"] == "agent-by-hand"


async def test_an_agent_that_was_there_before_the_first_start_is_found_without_any_webhook() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        service.livekit.webhook = no_webhook
        service.livekit.open_room(ROOM, age=60)
        await service.livekit.join(service.livekit.living[ROOM].room, "agent-by-hand", "mary")
        await service.opened(ROOM)
        await service.until(ROOM, verified, timeout=40)


async def test_whoever_wants_it_has_what_lived_before_dispatched_to() -> None:
    async with running(wants("mary"), times=ADOPTING) as service:
        service.livekit.worker = joins
        service.livekit.open_room(ROOM, age=60)
        await service.opened(ROOM)
        await service.until(ROOM, verified, timeout=10)


async def test_silent_webhooks_are_one_alert_within_a_minute_and_resolved_when_they_are_heard_again() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        await a_first_round(service)
        heard = service.livekit.webhook
        service.livekit.webhook = no_webhook
        service.livekit.worker = joins_unheard
        for n in range(3):
            service.livekit.open_room(f"unheard-{n}")
        await service.opened("unheard-0")
        await service.clock.sleep(60)
        (firing,) = service.alerts.queued.values()
        assert (firing.type, firing.status) == ("webhooks_silent", "firing")
        assert firing.fix
        await service.clock.sleep(300)
        assert len(service.alerts.queued) == 1
        service.livekit.webhook = heard
        await service.start_room()
        await service.clock.sleep(40)
        assert [a.status for a in service.alerts.queued.values()] == ["firing", "resolved"]


async def test_a_first_start_on_a_quiet_fleet_that_has_its_agents_is_no_silence() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        service.livekit.webhook = no_webhook
        service.livekit.open_room(ROOM, age=600)
        await service.livekit.join(service.livekit.living[ROOM].room, "agent-by-hand", "mary")
        await service.opened(ROOM)
        await service.until(ROOM, verified, timeout=40)
        await service.clock.sleep(300)
        assert service.alerts.queued == {}


async def test_one_room_whose_webhooks_were_lost_beside_others_is_no_silence() -> None:
    async with running(wants("mary"), times=TIMES) as service:
        await a_first_round(service)
        heard = service.livekit.webhook
        service.livekit.worker = joins
        service.livekit.webhook = no_webhook
        service.livekit.open_room("unheard")
        service.livekit.webhook = heard
        for n in range(30):
            await service.start_room(f"heard-{n}")
            await service.clock.sleep(5)
        assert service.alerts.queued == {}


async def test_several_replicas_take_turns() -> None:
    async with running(wants("mary"), times=TIMES) as one, running(wants("mary"), replica="r2", shared=one, times=TIMES):
        await one.clock.sleep(150)
        assert 9 <= one.livekit.calls.count("rooms") <= 14
