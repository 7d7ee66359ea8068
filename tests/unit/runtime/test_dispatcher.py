"""settle: a placement gets its agent, or a person is told why not. Virtual time, the real runtime, a fake LiveKit."""

import asyncio
import json
from itertools import pairwise

import pytest

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Awaited, JobChanged, JobStatus, LeaveReason, RoomOpened, RoomStarted, Source
from orchestrator.core.listing import ListedDispatch, ListedJob, ListedRoom
from orchestrator.core.placement import PlacementState
from orchestrator.core.policy import Policy
from orchestrator.core.proof import Proof
from orchestrator.core.session import SessionState
from orchestrator.runtime.ports import LiveKitRejectedCredentials, LiveKitUnavailable, SlotEnd
from tests.fakes.livekit import FakeLiveKit, Worker, joins
from tests.unit.runtime.service import EPOCH, running, wants

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

ROOM = "support-17"


def verified(session: object) -> bool:
    return getattr(session, "state", None) is SessionState.VERIFIED


def unverified(session: object) -> bool:
    return getattr(session, "state", None) is SessionState.UNVERIFIED


async def test_the_agent_of_the_route_is_dispatched_once_with_its_metadata_and_proven() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = await service.start_room()
        session = await service.until(ROOM, lambda s: s.placement("mary").proof is Proof.ANSWERING)
        (attempt,) = session.placement("mary").attempts
        assert (attempt.number, attempt.adopted, attempt.dispatch_id is not None) == (1, False, True)
        assert json.loads(service.livekit.metadata[0]) == {
            "persona": "mary",
            "rollcall": {"session": opening.sid, "placement": "mary", "attempt": 1, "attempt_id": attempt.attempt_id},
        }
        assert service.livekit.calls.count("create_dispatch") == 1
        assert service.slots.ends == [("mary", SlotEnd.JOINED)]


async def test_nobody_takes_the_job_attempts_as_the_policy_says_then_unverified_and_one_alert() -> None:
    async with running(wants("mary", policy=Policy(attempts=3))) as service:
        await service.start_room()
        session = await service.until(ROOM, unverified)
        placement = session.placement("mary")
        assert [a.cause for a in placement.attempts] == [Cause.NOT_TAKEN] * 3
        assert session.updated_at - EPOCH < 3 * 6 + 1 + 2 + 1
        assert placement.cause is Cause.NOT_TAKEN
        await service.clock.sleep(1)
        (alert,) = service.alerts.queued.values()
        assert (alert.status, alert.cause, alert.agent_name) == ("firing", Cause.NOT_TAKEN, "mary")


async def test_a_worker_that_comes_late_verifies_the_session_and_resolves_the_alert() -> None:
    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        await service.start_room()
        await service.until(ROOM, unverified)
        service.livekit.worker = joins
        session = await service.until(ROOM, verified)
        assert session.placement("mary").attempts_total == 2
        await service.clock.sleep(1)
        assert [a.status for a in service.alerts.queued.values()] == ["firing", "resolved"]


async def test_while_unverified_there_is_at_most_one_attempt_a_period() -> None:
    async with running(wants("mary", policy=Policy(attempts=1, keep_trying=60))) as service:
        await service.start_room()
        await service.until(ROOM, unverified)
        await service.clock.sleep(600)
        requested = [a.requested_at for a in (await service.session()).placement("mary").attempts]
        assert 9 <= len(requested) <= 12
        assert all(later - earlier >= 60 for earlier, later in pairwise(requested[1:]))


async def rejects(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
    livekit.list_job(room, dispatch, ListedJob("AJ_r", JobStatus.SUCCESS, None, ""))


async def never_joins(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
    await livekit.take_job(room, dispatch)


async def fails(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
    livekit.list_job(room, dispatch, ListedJob("AJ_f", JobStatus.FAILED, "agent-AJ_f", "boom"))


async def leaves_at_once(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
    job = await livekit.take_job(room, dispatch)
    await livekit.join(room, job.identity or "", "mary")
    await asyncio.sleep(1)
    await livekit.leave(room, job.identity or "", LeaveReason.GOODBYE)


@pytest.mark.parametrize(
    ("worker", "cause"),
    [
        (rejects, Cause.JOB_REJECTED),
        (never_joins, Cause.NEVER_JOINED),
        (fails, Cause.JOB_FAILED),
        (leaves_at_once, Cause.JOINED_THEN_LEFT),
    ],
)
async def test_each_way_of_not_coming_gets_its_own_cause(worker: Worker, cause: Cause) -> None:
    async with running(wants("mary", policy=Policy(attempts=2))) as service:
        service.livekit.worker = worker
        await service.start_room()
        session = await service.until(ROOM, unverified)
        assert [a.cause for a in session.placement("mary").attempts] == [cause, cause]


async def test_a_foreign_dispatch_of_that_name_is_adopted_instead_of_adding_a_second_agent() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        opening = service.livekit.open_room(ROOM)
        service.livekit.dispatch_by_hand(ROOM, "mary")
        await service.webhook(opening, RoomStarted(created_at=opening.started_at))
        session = await service.until(ROOM, verified)
        assert [a.adopted for a in session.placement("mary").attempts] == [True]
        assert "create_dispatch" not in service.livekit.calls


async def test_the_nameless_dispatch_that_every_room_lists_is_not_adopted() -> None:
    async with running(wants("mary")) as service:
        opening = service.livekit.open_room(ROOM)
        service.livekit.dispatch_by_hand(ROOM, "")
        service.livekit.worker = joins
        await service.webhook(opening, RoomStarted(created_at=opening.started_at))
        session = await service.until(ROOM, verified)
        assert [a.adopted for a in session.placement("mary").attempts] == [False]


async def test_an_adopted_dispatch_that_nobody_takes_is_followed_by_our_own_and_left_alone() -> None:
    async with running(wants("mary")) as service:
        opening = service.livekit.open_room(ROOM)
        foreign = service.livekit.dispatch_by_hand(ROOM, "mary")
        service.livekit.worker = joins
        await service.webhook(opening, RoomStarted(created_at=opening.started_at))
        session = await service.until(ROOM, verified)
        assert [(a.adopted, a.cause) for a in session.placement("mary").attempts] == [
            (True, Cause.NOT_TAKEN),
            (False, None),
        ]
        assert foreign.dispatch_id in service.livekit.living[ROOM].dispatches


async def test_a_lost_reply_is_no_reason_to_call_again_when_the_agent_comes() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        service.livekit.lose_reply = True
        await service.start_room()
        session = await service.until(ROOM, verified)
        assert session.placement("mary").attempts_total == 1
        await service.clock.sleep(30)
        assert service.livekit.calls.count("create_dispatch") == 1


async def test_a_lost_reply_whose_dispatch_is_listed_waits_out_its_windows() -> None:
    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        service.livekit.lose_reply = True
        await service.start_room()
        session = await service.until(ROOM, unverified)
        (attempt,) = session.placement("mary").attempts
        assert (attempt.cause, attempt.dispatch_id is not None) == (Cause.NOT_TAKEN, True)


async def test_a_late_job_of_a_given_up_attempt_never_makes_two_for_long() -> None:
    """Its worker takes 20 s to start; the second attempt's agent comes at once. Whichever is second goes."""
    delays = iter([20.0, 0.2])

    async def slow_then_quick(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        job = await livekit.take_job(room, dispatch)
        await asyncio.sleep(next(delays, 0.2))
        await livekit.join(room, job.identity or "", "mary")

    async with running(wants("mary")) as service:
        service.livekit.worker = slow_then_quick
        await service.start_room()
        session = await service.until(ROOM, verified)
        assert session.placement("mary").identity is not None
        first = session.placement("mary").identity
        await service.clock.sleep(40)
        assert service.livekit.agents(ROOM) == [first]


async def test_a_room_that_closes_while_an_attempt_waits_is_not_brought_back() -> None:
    async with running(wants("mary")) as service:
        await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").attempts)
        await service.livekit.close_room(ROOM)
        await service.clock.sleep(30)
        assert service.livekit.living == {}
        assert service.livekit.calls.count("create_dispatch") == 1
        assert (await service.session()).state is SessionState.ENDED
        assert service.ownership.sessions() == ()


async def test_a_room_that_a_listing_lacks_twice_has_ended() -> None:
    async with running(wants("mary")) as service:
        await service.start_room()
        del service.livekit.living[ROOM]  # closed, and its webhook lost
        session = await service.until(ROOM, lambda s: s.ended, timeout=10)
        assert session.timeline[-1].event == "room_finished"
        assert "create_dispatch" not in service.livekit.calls


async def test_a_room_reborn_by_our_own_call_is_removed_and_opens_no_session() -> None:
    async with running(wants("mary")) as service:
        opening = await service.start_room()
        held, original = asyncio.Event(), service.livekit.create_dispatch

        async def closes_under_it(*args: object) -> str:
            del service.livekit.living[ROOM]
            held.set()
            return await original(*args)  # type: ignore[arg-type]

        service.livekit.create_dispatch = closes_under_it  # type: ignore[assignment,method-assign]
        await held.wait()
        await service.until(ROOM, lambda s: s.ended)
        assert service.livekit.living == {}
        assert set(service.store.stored) == {opening.sid}


async def test_a_refused_key_is_one_alert_and_no_attempt_and_all_goes_on_when_it_is_taken_again() -> None:
    async with running(wants("mary", fallback=["tom"])) as service:
        for call in ("room", "participants", "dispatches", "create_dispatch"):
            service.livekit.fails[call] = LiveKitRejectedCredentials("401")
        await service.start_room("first")
        await service.start_room("second")
        session = await service.until("first", lambda s: s.placement("mary").awaited is Awaited.LIVEKIT, timeout=5)
        assert session.placement("mary").attempts_total == 0
        session = await service.until("first", unverified)
        assert session.placement("mary").cause is Cause.LIVEKIT_REJECTED_CREDENTIALS
        await service.until("second", unverified)
        await service.clock.sleep(60)
        assert [(a.type, a.status) for a in service.alerts.queued.values()] == [("livekit_rejected_credentials", "firing")]
        assert len(service.livekit.calls) < 60, "one question every five seconds, whatever the number of rooms"
        service.livekit.fails.clear()
        service.livekit.worker = joins
        await service.until("first", verified, timeout=15)
        await service.until("second", verified, timeout=15)
        await service.clock.sleep(5)
        assert [a.status for a in service.alerts.queued.values()] == ["firing", "resolved"]


async def test_an_unreachable_livekit_is_unverified_at_the_deadline_with_that_cause_and_without_any_attempt() -> None:
    async with running(wants("mary")) as service:
        service.livekit.fails["room"] = LiveKitUnavailable("down")
        await service.start_room()
        session = await service.until(ROOM, unverified)
        assert session.placement("mary").cause is Cause.LIVEKIT_UNAVAILABLE
        assert session.placement("mary").attempts_total == 0
        assert 90 <= session.updated_at - EPOCH <= 105
        del service.livekit.fails["room"]
        service.livekit.worker = joins
        await service.until(ROOM, verified)


async def test_the_fallback_serves_when_the_wanted_agent_does_not_come() -> None:
    async def only_tom(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        if dispatch.agent_name == "tom":
            await joins(livekit, room, dispatch)

    async with running(wants("mary", policy=Policy(attempts=2), fallback=["tom"])) as service:
        service.livekit.worker = only_tom
        await service.start_room()
        session = await service.until(ROOM, verified)
        placement = session.placement("mary")
        assert [a.agent_name for a in placement.attempts] == ["mary", "mary", "tom"]
        assert placement.spec.agent_name == "tom"
        assert session.warnings
        assert service.alerts.queued == {}


async def test_with_an_empty_room_nothing_is_tried_any_more() -> None:
    async with running(wants("mary")) as service:
        await service.start_room()
        await service.livekit.enter(ROOM, "alice")
        await service.livekit.hang_up(ROOM, "alice")
        session = await service.until(ROOM, lambda s: s.placement("mary").awaited is Awaited.PEOPLE)
        assert session.placement("mary").attempts_total <= 1
        await service.clock.sleep(300)
        assert (await service.session()).placement("mary").attempts_total <= 1
        service.livekit.worker = joins
        await service.livekit.enter(ROOM, "bob")
        await service.until(ROOM, verified, timeout=5)


async def test_a_policy_that_waits_for_people_dispatches_when_the_first_one_comes() -> None:
    async with running(wants("mary", policy=Policy(wait_for_people=True))) as service:
        service.livekit.worker = joins
        await service.start_room()
        await service.clock.sleep(120)
        assert "create_dispatch" not in service.livekit.calls
        await service.livekit.enter(ROOM, "alice")
        await service.until(ROOM, verified, timeout=5)


async def test_an_agent_whose_webhook_was_lost_is_seen_in_the_listing_and_asked_before_it_counts() -> None:
    async def unheard(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        job = await livekit.take_job(room, dispatch)
        await livekit.join(room, job.identity or "", "mary", webhook=False)

    async with running(wants("mary")) as service:
        service.livekit.worker = unheard
        await service.start_room()
        session = await service.until(ROOM, verified, timeout=10)
        assert session.placement("mary").proof is Proof.ANSWERING


async def test_a_listed_agent_that_does_not_answer_is_no_proof() -> None:
    async def ghost(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        job = await livekit.take_job(room, dispatch)
        livekit.silent.add(job.identity or "")
        await livekit.join(room, job.identity or "", "mary", webhook=False)

    async with running(wants("mary", policy=Policy(attempts=1))) as service:
        service.livekit.worker = ghost
        await service.start_room()
        assert (await service.until(ROOM, unverified)).placement("mary").state is PlacementState.UNVERIFIED


async def test_many_rooms_at_once_never_hold_more_slots_than_there_are() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        for n in range(20):
            await service.start_room(f"room-{n}")
        for n in range(20):
            await service.until(f"room-{n}", verified)
        assert service.slots.most == service.slots.limit
        assert service.livekit.calls.count("create_dispatch") == 20


async def test_who_waits_behind_an_open_breaker_is_unverified_at_the_deadline_with_its_cause() -> None:
    async with running(wants("mary")) as service:
        service.slots.breaker = Cause.NOT_TAKEN
        await service.start_room()
        session = await service.until(ROOM, lambda s: s.placement("mary").awaited is Awaited.BREAKER)
        assert session.placement("mary").state is PlacementState.WAITING
        session = await service.until(ROOM, unverified)
        assert session.placement("mary").cause is Cause.NOT_TAKEN
        assert session.placement("mary").attempts_total == 0


async def test_a_job_that_a_webhook_says_has_failed_ends_its_attempt_at_once() -> None:
    async def fails(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        await asyncio.sleep(0.2)
        failed = JobChanged(dispatch.dispatch_id, "AJ_x", "mary", JobStatus.FAILED, "agent-AJ_x", source=Source.WEBHOOK)
        await livekit.webhook(RoomOpened(room.name, room.sid, room.created_at), failed)

    async with running(wants("mary")) as service:
        service.livekit.worker = fails
        await service.start_room()
        session = await service.until(ROOM, lambda s: s.placement("mary").attempts_total == 2, timeout=3)
        assert session.placement("mary").attempts[0].cause is Cause.JOB_FAILED
        service.livekit.worker = joins
        await service.until(ROOM, verified)


async def test_an_agent_that_fails_in_mid_call_is_replaced_and_the_new_one_knows_what_it_resumes() -> None:
    async with running(wants("mary")) as service:
        service.livekit.worker = joins
        await service.start_room()
        await service.livekit.enter(ROOM, "alice")
        session = await service.until(ROOM, verified)
        first = session.placement("mary").identity or ""
        await service.clock.sleep(20)
        await service.livekit.leave(service.livekit.living[ROOM].room, first, LeaveReason.FAILURE)
        session = await service.until(ROOM, lambda s: verified(s) and s.placement("mary").identity != first)
        assert json.loads(service.livekit.metadata[-1])["rollcall"]["resumes"] == {
            "attempt": 1,
            "cause": "left",
            "identity": first,
        }


async def test_an_agent_is_told_the_span_of_its_own_attempt() -> None:
    async with running(wants("mary"), traceparent=lambda s, name, number: f"{s.room}/{name}/{number}") as service:
        await service.start_room()
        await service.until(ROOM, lambda s: s.placement("mary").attempts_total == 2)
        told = [json.loads(metadata)["rollcall"]["traceparent"] for metadata in service.livekit.metadata]
        assert told == [f"{ROOM}/mary/1", f"{ROOM}/mary/2"]


async def test_another_replica_goes_on_where_a_dead_one_stopped_and_counts_on() -> None:
    async with running(wants("mary", policy=Policy(attempts=3))) as first:
        await first.start_room()
        await first.until(ROOM, lambda s: s.placement("mary").attempts_total == 2)
        await first.ownership.stop()
        async with running(wants("mary"), replica="r2", shared=first) as second:
            session = await second.until(ROOM, unverified)
            assert session.placement("mary").attempts_total == 3
            assert first.livekit.calls.count("create_dispatch") == 3


async def test_while_the_store_is_away_nothing_is_called_and_afterwards_it_goes_on() -> None:
    async with running(wants("mary")) as service:
        service.livekit.fails["room"] = LiveKitUnavailable("down")
        await service.start_room()
        await service.clock.sleep(1)
        service.store.down = True
        service.livekit.fails.clear()
        service.livekit.worker = joins
        await service.clock.sleep(20)
        assert "create_dispatch" not in service.livekit.calls
        service.store.down = False
        await service.until(ROOM, verified)


async def test_a_policy_that_asks_for_an_answer_gets_one_right_after_the_agent_joined() -> None:
    async with running(wants("mary", policy=Policy(verify_at=Proof.ANSWERING))) as service:
        service.livekit.worker = joins
        await service.start_room()
        session = await service.until(ROOM, verified, timeout=2)
        assert session.placement("mary").attempts_total == 1


async def test_a_policy_that_asks_for_readiness_waits_until_the_agent_says_so() -> None:
    async with running(wants("mary", policy=Policy(verify_at=Proof.READY))) as service:
        service.livekit.worker = joins
        await service.start_room()
        session = await service.until(ROOM, lambda s: s.placement("mary").proof is Proof.ANSWERING, timeout=3)
        assert session.state is SessionState.DISPATCHING
        service.livekit.make_ready(ROOM)
        await service.until(ROOM, verified, timeout=3)


async def test_an_agent_that_joins_and_never_answers_where_an_answer_is_asked_for_is_silent_and_removed() -> None:
    async def mute(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        job = await livekit.take_job(room, dispatch)
        livekit.silent.add(job.identity or "")
        await livekit.join(room, job.identity or "", "mary")

    policy = Policy(attempts=2, verify_at=Proof.ANSWERING, keep_trying=0)
    async with running(wants("mary", policy=policy)) as service:
        service.livekit.worker = mute
        await service.start_room()
        session = await service.until(ROOM, unverified)
        assert [a.cause for a in session.placement("mary").attempts] == [Cause.SILENT, Cause.SILENT]
        assert len(service.livekit.agents(ROOM)) <= 1


async def test_agents_that_come_and_leave_at_once_again_and_again_cost_no_more_attempts_than_the_policy_allows() -> None:
    async def comes_and_leaves(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        await joins(livekit, room, dispatch)
        await asyncio.sleep(0.05)
        for identity in livekit.agents(room.name):
            await livekit.leave(room, identity, LeaveReason.GOODBYE)

    async with running(wants("mary", policy=Policy(attempts=4))) as service:
        service.livekit.worker = comes_and_leaves
        await service.start_room()
        session = await service.until(ROOM, unverified)
        placement = session.placement("mary")
        assert placement.attempts_total == 4
        assert placement.cause is Cause.JOINED_THEN_LEFT
        gaps = [later.requested_at - earlier.requested_at for earlier, later in pairwise(placement.attempts)]
        assert gaps[-1] >= 2, "the backoff counts on"
