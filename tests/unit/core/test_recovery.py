"""What the store forgot, and agents that were told to leave before they came."""

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from orchestrator.core.duplicates import judge
from orchestrator.core.listing import ListedDispatch, ListedJob, Look
from orchestrator.core.placement import PlacementState
from orchestrator.core.proof import Key, Proof
from orchestrator.core.session import Session
from tests.unit.core.stories import SID, START, accepted, agent_joined, agent_left, job, opened, play, requested, routed


def recovered(number: int) -> f.DispatchRecovered:
    return f.DispatchRecovered("mary", number, f"attempt-{number}", f"AD_{number}", "mary")


def test_the_newest_dispatch_that_the_record_lacks_goes_on_as_after_a_takeover() -> None:
    session = play(opened(), routed("mary"), recovered(1))
    placement = session.placement("mary")
    assert placement.state is PlacementState.DISPATCHING
    assert placement.open_attempt is not None
    assert (placement.open_attempt.number, placement.open_attempt.proof, placement.tries) == (1, Proof.ACCEPTED, 1)
    assert play(agent_joined(), session=session).placement("mary").state is PlacementState.VERIFIED


def test_what_the_record_takes_for_open_has_ended_when_a_newer_dispatch_is_found() -> None:
    session = play(opened(), routed("mary"), requested(1), accepted(1), job(1), recovered(2))
    placement = session.placement("mary")
    assert [a.open for a in placement.attempts] == [False, True]
    assert session.retired == ("agent-AJ_1",)


def test_an_older_dispatch_that_the_record_lacks_is_only_noted_to_be_deleted() -> None:
    session = play(opened(), routed("mary"), requested(2), accepted(2), recovered(1))
    assert [(a.number, a.open) for a in session.placement("mary").attempts] == [(2, True), (1, False)]


def told_to_leave_and_came() -> Session:
    """The agent of an attempt whose dispatch was deleted comes, while the next attempt is under way."""
    return play(
        opened(), routed("mary"), requested(1), accepted(1), job(1), f.AttemptEnded("mary", 1, Cause.NEVER_JOINED),
        f.DispatchDeleted("mary", 1), requested(2), accepted(2), agent_joined("AJ_1"),
    )  # fmt: skip


def test_an_agent_that_was_told_to_leave_wins_without_ending_what_is_under_way() -> None:
    placement = told_to_leave_and_came().placement("mary")
    assert placement.state is PlacementState.VERIFIED
    assert placement.identity == "agent-AJ_1"
    assert placement.proof is Proof.JOINED
    assert [(a.number, a.open) for a in placement.attempts] == [(1, True), (2, True)]


def test_when_it_leaves_at_once_the_attempt_under_way_goes_on_and_no_other_is_made() -> None:
    session = play(agent_left("AJ_1", at=START + 2), session=told_to_leave_and_came(), at=START + 2)
    placement = session.placement("mary")
    assert placement.state is PlacementState.DISPATCHING
    assert placement.open_attempt is not None
    assert placement.open_attempt.number == 2
    session = play(agent_joined("AJ_2"), session=session, at=START + 3)
    assert session.placement("mary").identity == "agent-AJ_2"


def test_nobody_goes_before_it_has_stayed_and_then_the_newer_one_does() -> None:
    session = play(agent_joined("AJ_2"), session=told_to_leave_and_came(), at=START + 2)
    key = Key(SID, "mary", 2, "attempt-2")
    newer = ListedDispatch("AD_2", "mary", key, (ListedJob("AJ_2", f.JobStatus.RUNNING, "agent-AJ_2", ""),))
    look = Look(START + 2, (), (newer,))
    assert [a.identity for a in judge(session, look, START + 3).undecided] == ["agent-AJ_2"]
    assert [a.identity for a in judge(session, look, START + 10).remove] == ["agent-AJ_2"]


def test_the_attempt_beside_one_that_stayed_ends_without_a_cause() -> None:
    session = play(f.AttemptEnded("mary", 2, None), session=told_to_leave_and_came(), at=START + 12)
    placement = session.placement("mary")
    assert placement.state is PlacementState.VERIFIED
    assert placement.cause is None
    assert [a.open for a in placement.attempts] == [True, False]


def test_the_attempt_that_serves_is_not_ended_by_a_verdict_that_comes_late() -> None:
    session = play(f.AttemptEnded("mary", 1, Cause.NEVER_JOINED), session=told_to_leave_and_came(), at=START + 12)
    assert session.placement("mary").attempts[0].open


def test_no_attempt_begins_for_a_placement_that_wants_none_any_more() -> None:
    session = play(opened(), routed("mary"), requested(1), accepted(1), agent_joined("AJ_1"))
    assert play(requested(2), session=session).placement("mary").attempts_total == 1
    assert play(f.DispatchAdopted("mary", "adopted", "AD_f"), session=session).placement("mary").attempts_total == 1
