"""Workers that announce themselves: who waits is woken, causes are named, typing errors are told. Virtual time."""

from dataclasses import replace
from itertools import pairwise

import pytest

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Awaited
from orchestrator.core.fleet import NOTHING_KNOWN, Announcement, Choice, Tally, ranked
from orchestrator.core.policy import Policy
from orchestrator.core.session import Session, SessionState
from orchestrator.runtime.ports import Announced, LiveKitUnavailable, SlotEnd
from tests.fakes.livekit import joins
from tests.fakes.store import MemoryWorkers
from tests.unit.runtime.service import Service, running, wants

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

ROOM = "support-17"
MARY = Announcement("w1", "mary", capacity=4)
FULL = replace(MARY, active_jobs=4)

STEADY = 20.0
"""Seconds after which the view of a replica is relied on."""


def unverified(session: Session) -> bool:
    return session.state is SessionState.UNVERIFIED


def verified(session: Session) -> bool:
    return session.state is SessionState.VERIFIED


async def keep_announcing(service: Service, announcement: Announcement) -> None:
    while True:
        await service.runtime.fleet.announce(announcement)
        await service.clock.sleep(5)


async def first_cause(service: Service) -> Cause | None:
    await service.start_room()
    session = await service.until(ROOM, lambda s: any(not a.open for a in s.placement("mary").attempts))
    return session.placement("mary").attempts[0].cause


# --- causes -----------------------------------------------------------------------------------------------------------


async def test_a_name_whose_workers_are_gone_has_no_worker() -> None:
    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        await service.runtime.fleet.announce(MARY)
        await service.runtime.fleet.withdraw("w1")
        await service.clock.sleep(STEADY)
        assert await first_cause(service) is Cause.NO_WORKER
        session = await service.until(ROOM, unverified)
        assert session.placement("mary").cause is Cause.NO_WORKER
        await service.clock.sleep(1)
        (alert,) = service.alerts.queued.values()
        assert alert.cause is Cause.NO_WORKER


async def test_workers_that_fell_silent_are_gone() -> None:
    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        await service.runtime.fleet.announce(MARY)
        await service.clock.sleep(STEADY)
        assert await first_cause(service) is Cause.NO_WORKER


@pytest.mark.parametrize("announcement", [FULL, replace(MARY, load=1.0), replace(MARY, draining=True)])
async def test_a_name_whose_workers_have_no_room_is_full(announcement: Announcement) -> None:
    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        service.tasks.spawn("worker", keep_announcing(service, announcement))
        await service.clock.sleep(STEADY)
        assert await first_cause(service) is Cause.WORKER_FULL


async def test_a_worker_with_room_that_did_not_take_the_job_leaves_it_at_not_taken() -> None:
    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        service.tasks.spawn("worker", keep_announcing(service, MARY))
        await service.clock.sleep(STEADY)
        assert await first_cause(service) is Cause.NOT_TAKEN


async def test_of_a_name_that_was_never_announced_nothing_is_said() -> None:
    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        await service.clock.sleep(STEADY)
        assert await first_cause(service) is Cause.NOT_TAKEN


async def test_whatever_the_workers_name_as_the_cause_pacing_learns_of_a_loss() -> None:
    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        service.tasks.spawn("worker", keep_announcing(service, FULL))
        await service.clock.sleep(STEADY)
        assert await first_cause(service) is Cause.WORKER_FULL
        await service.clock.sleep(1)
        assert service.slots.ends == [("mary", SlotEnd.LOST)]


async def test_a_replica_that_has_just_started_does_not_say_that_workers_are_gone() -> None:
    """They may only have been unable to announce themselves."""
    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        await service.runtime.fleet.announce(MARY)
        await service.runtime.fleet.withdraw("w1")
        assert await first_cause(service) is Cause.NOT_TAKEN


async def test_after_the_store_was_away_nobody_is_said_to_be_gone_before_all_could_announce_themselves() -> None:
    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        await service.runtime.fleet.announce(MARY)
        await service.clock.sleep(STEADY)
        assert service.runtime.fleet.cause_of_not_taken("mary") is Cause.NO_WORKER
        service.store.down = True
        await service.clock.sleep(10)
        assert service.runtime.fleet.fleet is NOTHING_KNOWN
        service.store.down = False
        await service.clock.sleep(10)
        assert service.runtime.fleet.cause_of_not_taken("mary") is Cause.NOT_TAKEN
        await service.clock.sleep(10)
        assert service.runtime.fleet.cause_of_not_taken("mary") is Cause.NO_WORKER


# --- typing errors ----------------------------------------------------------------------------------------------------


async def test_a_name_that_looks_like_an_announced_one_is_told_once_however_many_attempts_there_are() -> None:
    async with running(wants("marry", policy=Policy(attempts=3)), configured=["marry"]) as service:
        service.tasks.spawn("worker", keep_announcing(service, MARY))
        await service.start_room()
        await service.until(ROOM, lambda s: any(not a.open for a in s.placement("marry").attempts))
        service.tasks.spawn("another", keep_announcing(service, replace(MARY, worker_id="w2")))
        session = await service.until(ROOM, unverified)
        assert session.warnings == (
            "No worker has announced itself as `marry`; it looks like a typo of `mary`, of which 1 worker is live.",
        )
        await service.clock.sleep(1)
        (alert,) = service.alerts.queued.values()
        assert (alert.fix or "").startswith(session.warnings[0])


async def test_two_names_that_are_both_meant_are_no_typing_error() -> None:
    async with running(wants("marry", policy=Policy(attempts=1)), configured=["marry", "mary"]) as service:
        service.tasks.spawn("worker", keep_announcing(service, MARY))
        await service.start_room()
        session = await service.until(ROOM, unverified)
        assert session.warnings == ()


# --- waking -----------------------------------------------------------------------------------------------------------


async def test_a_worker_that_arrives_ends_the_backoff_at_once() -> None:
    async with running(wants("mary", policy=Policy(backoff=60, backoff_cap=60, deadline=600))) as service:
        await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").awaited is Awaited.BACKOFF)
        service.livekit.worker = joins
        await service.clock.sleep(3)
        arrived = service.clock.now()
        assert await service.runtime.fleet.announce(MARY) is Announced.ARRIVED
        session = await service.until(ROOM, verified)
        assert session.placement("mary").attempts[-1].requested_at - arrived < 0.1


async def test_a_worker_that_arrives_is_tried_at_once_by_those_who_were_given_up() -> None:
    async with running(wants("mary", policy=Policy(attempts=1, keep_trying=60))) as service:
        await service.start_room()
        await service.until(ROOM, unverified)
        service.livekit.worker = joins
        await service.clock.sleep(3)
        arrived = service.clock.now()
        await service.runtime.fleet.announce(MARY)
        session = await service.until(ROOM, verified)
        assert session.placement("mary").attempts[-1].requested_at - arrived < 0.1


async def test_who_keeps_trying_no_more_is_not_brought_back_by_a_worker() -> None:
    async with running(wants("mary", policy=Policy(attempts=1, keep_trying=0))) as service:
        await service.start_room()
        await service.until(ROOM, unverified)
        await service.runtime.fleet.announce(MARY)
        await service.clock.sleep(60)
        assert (await service.session()).placement("mary").attempts_total == 1


async def test_a_worker_of_another_name_or_without_room_wakes_nobody() -> None:
    async with running(wants("mary", policy=Policy(attempts=1, keep_trying=60))) as service:
        await service.start_room()
        await service.until(ROOM, unverified)
        await service.runtime.fleet.announce(replace(MARY, agent_name="tom"))
        await service.runtime.fleet.announce(FULL)
        await service.clock.sleep(20)
        assert (await service.session()).placement("mary").attempts_total == 1
        await service.runtime.fleet.announce(MARY)
        await service.clock.sleep(1)
        assert (await service.session()).placement("mary").attempts_total == 2


async def test_a_worker_that_goes_on_announcing_itself_costs_no_further_attempts() -> None:
    async with running(wants("mary", policy=Policy(attempts=1, keep_trying=60))) as service:
        await service.start_room()
        await service.until(ROOM, unverified)
        service.tasks.spawn("worker", keep_announcing(service, MARY))
        await service.clock.sleep(600)
        requested = [a.requested_at for a in (await service.session()).placement("mary").attempts]
        assert len(requested) >= 10
        assert all(later - earlier >= 60 for earlier, later in pairwise(requested[1:]))


async def test_a_worker_that_arrives_during_an_attempt_is_tried_as_soon_as_that_has_failed() -> None:
    """A dispatch that was made before it came is offered to nobody else."""
    async with running(wants("mary", policy=Policy(backoff=60, backoff_cap=60, deadline=600))) as service:
        await service.start_room()
        session = await service.until(ROOM, lambda s: s.placement("mary").open_attempt is not None)
        service.livekit.worker = joins
        await service.runtime.fleet.announce(MARY)
        session = await service.until(ROOM, verified)
        first, second = session.placement("mary").attempts
        assert first.ended_at is not None
        assert second.requested_at - first.ended_at < 0.1


async def test_a_worker_wakes_the_sessions_of_every_replica() -> None:
    async with running(wants("mary", policy=Policy(attempts=1, keep_trying=60))) as one:
        await one.start_room()
        await one.until(ROOM, unverified)
        async with running(wants("mary"), replica="r2", shared=one) as another:
            one.livekit.worker = joins
            await one.clock.sleep(3)
            arrived = one.clock.now()
            await another.runtime.fleet.announce(MARY)
            session = await one.until(ROOM, verified)
            assert session.placement("mary").attempts[-1].requested_at - arrived < 0.1


async def test_an_arrival_that_nobody_was_told_of_is_seen_at_the_next_look() -> None:
    async with running(wants("mary", policy=Policy(attempts=1, keep_trying=60))) as service:
        await service.start_room()
        await service.until(ROOM, unverified)
        service.livekit.worker = joins
        service.store.line.server.subscribers.clear()
        async with running(wants("mary"), replica="r2", shared=service) as another:
            await service.clock.sleep(3)
            arrived = service.clock.now()
            await another.runtime.fleet.announce(MARY)
            session = await service.until(ROOM, verified)
            assert session.placement("mary").attempts[-1].requested_at - arrived < 2.5


async def test_a_worker_that_arrives_closes_the_breaker() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        service.slots.breaker = Cause.NO_WORKER
        await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").awaited is Awaited.BREAKER)
        await service.runtime.fleet.announce(MARY)
        await service.until(ROOM, verified, timeout=2.0)


async def test_no_worker_helps_while_livekit_cannot_be_reached_and_nothing_is_tried_the_faster() -> None:
    async with running(wants("mary", policy=Policy(backoff=60, backoff_cap=60, deadline=600))) as service:
        await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").awaited is Awaited.BACKOFF)
        service.livekit.fails["room"] = LiveKitUnavailable("away")
        await service.runtime.fleet.announce(MARY)
        before = service.livekit.calls.count("room")
        await service.clock.sleep(120)
        assert service.livekit.calls.count("room") - before <= 4 * 5  # a failed look is repeated three times


# --- what stock workers show ------------------------------------------------------------------------------------------


async def test_when_an_agent_was_verified_is_remembered_by_its_name() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        await service.start_room()
        session = await service.until(ROOM, verified)
        await service.clock.sleep(6)
        fleet = await service.runtime.fleet.look()
        assert fleet.joined == {"mary": pytest.approx(session.placement("mary").verified_at, abs=0.1)}


async def test_what_could_not_be_told_while_the_store_was_away_is_told_later() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        await service.start_room()
        await service.until(ROOM, verified)
        await service.clock.sleep(0.5)
        service.store.down = True
        await service.clock.sleep(5)
        service.store.down = False
        await service.clock.sleep(6)
        assert list((await service.runtime.fleet.look()).joined) == ["mary"]


async def test_sessions_are_counted_by_the_agent_that_serves_or_is_tried() -> None:
    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        service.livekit.worker = joins
        for room in ("one", "two"):
            await service.start_room(room)
            await service.until(room, verified)
        service.livekit.worker = None
        await service.start_room("three")
        await service.until("three", unverified)
        await service.clock.sleep(6)
        assert (await service.runtime.fleet.look()).tallies == {"mary": Tally(verified=2, unverified=1)}


# --- one of several ---------------------------------------------------------------------------------------------------


async def test_whom_a_session_gets_is_decided_once_although_work_begins_before_the_first_commit() -> None:
    """By the time of the commit, another one might be chosen."""
    answers = iter([wants("mary", fallback=["tom"]), wants("tom", fallback=["mary"])])
    async with running(lambda _room, _metadata: next(answers)) as service:
        service.livekit.worker = joins
        await service.start_room()
        session = await service.until(ROOM, verified)
        assert [placement.agent_name for placement in session.placements] == ["mary"]


async def test_the_view_of_a_replica_decides_who_is_chosen_and_is_two_seconds_old_at_most() -> None:
    choice = Choice(frozenset({"es"}))
    async with running(wants("mary")) as service:
        names = ("mary", "tom")
        assert ranked(service.runtime.fleet.fleet, names, choice) == ("mary", "tom")
        another = MemoryWorkers(service.store.line)
        await another.announce(Announcement("w1", "tom", capabilities=("es",)))
        await service.clock.sleep(2.1)
        assert ranked(service.runtime.fleet.fleet, names, choice) == ("tom", "mary")
