"""fold: what each fact makes of a session, and what it must never make of it."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core import facts as f
from orchestrator.core.belonging import evictions, extras
from orchestrator.core.causes import Cause
from orchestrator.core.lifecycle import TRANSITIONS, PlacementEvent, next_state
from orchestrator.core.placement import PlacementState
from orchestrator.core.policy import OnLeave, Policy
from orchestrator.core.proof import Proof
from orchestrator.core.session import Outcome, Session, SessionState
from orchestrator.core.transitions import fold
from tests.unit.core.stories import (
    START,
    accepted,
    agent_joined,
    agent_left,
    job,
    opened,
    person_joined,
    person_left,
    play,
    requested,
    routed,
)

FINISHED = f.RoomFinished(created_at=START + 90)
STARTED = f.RoomStarted(created_at=START)


def test_a_session_begins_with_its_opening_and_with_nothing_else() -> None:
    with pytest.raises(ValueError, match="begins with RoomOpened"):
        fold(None, STARTED, START)


@pytest.mark.parametrize(("row", "state"), TRANSITIONS.items())
def test_each_row_of_the_table_leads_where_it_says(row: tuple[PlacementState, PlacementEvent], state: PlacementState) -> None:
    assert next_state(*row) is state


def test_what_stands_in_no_row_changes_nothing() -> None:
    unlisted = [row for row in itertools.product(PlacementState, PlacementEvent) if row not in TRANSITIONS]
    assert unlisted
    assert all(next_state(state, event) is state for state, event in unlisted)


def test_an_agent_that_joins_by_webhook_verifies_the_attempt_that_called_it() -> None:
    session = play(opened(), STARTED, routed("mary"), requested(), accepted(), agent_joined())
    placement = session.placement("mary")
    assert session.state is SessionState.VERIFIED
    assert (placement.identity, placement.attempts_total) == ("agent-AJ_1", 1)
    assert placement.attempts[0].proof is Proof.JOINED
    assert placement.attempts[0].job_id == "AJ_1"
    assert placement.time_to_agent_ms == 300


def test_an_accepted_dispatch_and_a_running_job_prove_nothing() -> None:
    session = play(opened(), routed("mary"), requested(), accepted(), job())
    assert session.state is SessionState.DISPATCHING
    assert session.placement("mary").proof is Proof.ACCEPTED


def test_an_agent_that_only_a_listing_shows_counts_once_it_answers() -> None:
    listed = play(opened(), routed("mary"), requested(), agent_joined(source=f.Source.LISTING))
    assert listed.state is SessionState.DISPATCHING
    assert play(f.PulseAnswered("agent-AJ_1", 2.5), session=listed).placement("mary").proof is Proof.ANSWERING


def test_an_agent_of_another_name_proves_nothing() -> None:
    session = play(opened(), routed("mary"), requested(), accepted(), agent_joined(name="tom"))
    assert session.state is SessionState.DISPATCHING


def test_a_person_named_like_an_agent_is_a_person() -> None:
    session = play(opened(), routed("mary"), requested(), f.PersonJoined("PA_x", "agent-AJ_1", START, people=1))
    assert session.state is SessionState.DISPATCHING


def test_an_agent_that_came_before_our_first_attempt_is_an_adopted_attempt() -> None:
    session = play(opened(), routed("mary"), agent_joined())
    attempt = session.placement("mary").attempts[0]
    assert session.state is SessionState.VERIFIED
    assert (attempt.number, attempt.adopted) == (1, True)


def test_a_policy_that_asks_for_an_answer_is_not_satisfied_by_joining() -> None:
    policy = Policy(verify_at=Proof.ANSWERING)
    session = play(opened(), routed("mary", policy=policy), requested(), agent_joined())
    assert session.state is SessionState.DISPATCHING
    assert session.placement("mary").proof is Proof.JOINED
    assert play(f.PulseAnswered("agent-AJ_1", 2.0), session=session).state is SessionState.VERIFIED


def test_two_placements_of_one_room_are_settled_by_their_own_agents() -> None:
    session = play(opened(), routed("mary", "tom"), requested(), requested(placement="tom"), agent_joined())
    assert session.placement("mary").state is PlacementState.VERIFIED
    assert session.placement("tom").state is PlacementState.DISPATCHING
    assert play(agent_joined("AJ_2", "tom"), session=session).state is SessionState.VERIFIED


def test_an_agent_that_leaves_at_once_has_failed_its_attempt_and_never_served() -> None:
    session = play(opened(), routed("mary"), requested(), agent_joined(), agent_left(at=START + 3))
    placement = session.placement("mary")
    assert placement.state is PlacementState.DISPATCHING
    assert placement.attempts[0].cause is Cause.JOINED_THEN_LEFT
    assert (placement.verified_at, placement.time_to_agent_ms) == (None, None)


def test_an_agent_that_fails_later_is_lost_and_its_replacement_knows_what_it_resumes() -> None:
    session = play(opened(), routed("mary"), person_joined(), requested(), agent_joined(), agent_left())
    placement = session.placement("mary")
    assert placement.state is PlacementState.LOST
    assert (placement.resumes, placement.cause, placement.next_at) == (1, Cause.LEFT, None)
    assert placement.tries == 0


def test_after_a_goodbye_the_grace_passes_first() -> None:
    session = play(opened(), routed("mary"), requested(), agent_joined(), agent_left(leave=f.LeaveReason.GOODBYE))
    placement = session.placement("mary")
    assert placement.awaited is f.Awaited.GRACE
    assert placement.next_at == pytest.approx(session.updated_at + 15)


@pytest.mark.parametrize(
    ("policy", "leaving"),
    [
        (Policy(), agent_left(done=True)),
        (Policy(), agent_left(leave=f.LeaveReason.WISH)),
        (Policy(on_leave=OnLeave.IGNORE), agent_left()),
    ],
    ids=["it declared that it is done", "somebody took it out", "the policy ignores it"],
)
def test_an_agent_whose_leaving_is_nobody_s_loss_is_not_replaced(policy: Policy, leaving: f.AgentLeft) -> None:
    session = play(opened(), routed("mary", policy=policy), requested(), agent_joined(), leaving)
    assert session.placement("mary").state is PlacementState.ENDED


def test_a_migration_is_no_loss() -> None:
    session = play(opened(), routed("mary"), requested(), agent_joined(), agent_left(leave=f.LeaveReason.NO_LOSS))
    assert session.state is SessionState.VERIFIED


def test_replacements_have_a_budget() -> None:
    session = play(opened(), routed("mary", policy=Policy(replacements=1)), requested(), agent_joined(), agent_left())
    assert session.placement("mary").state is PlacementState.LOST
    session = play(requested(2), agent_joined("AJ_2"), agent_left("AJ_2"), session=session)
    assert session.placement("mary").state is PlacementState.UNVERIFIED


def test_giving_up_opens_one_incident_and_a_late_agent_resolves_it() -> None:
    gave_up = f.GaveUp("mary", Cause.NOT_TAKEN)
    session = play(opened(), routed("mary"), requested(), f.AttemptEnded("mary", 1, Cause.NOT_TAKEN), gave_up, gave_up)
    (incident,) = session.placement("mary").incidents
    assert session.state is SessionState.UNVERIFIED
    assert (incident.incident, incident.resolved_at) == ("RM_story/mary/1", None)
    late = play(agent_joined(), session=session)
    assert late.state is SessionState.VERIFIED
    assert late.placement("mary").incidents[0].resolved_at is not None


def test_the_end_of_the_room_resolves_the_incident_and_keeps_the_outcome() -> None:
    session = play(opened(), routed("mary"), f.GaveUp("mary", Cause.NOT_TAKEN), FINISHED)
    assert session.placement("mary").incidents[0].resolved_at is not None
    assert (session.state, session.outcome) == (SessionState.ENDED, Outcome.UNVERIFIED)


def test_an_agent_of_a_given_up_attempt_wins_when_nobody_else_is_there() -> None:
    session = play(
        opened(), routed("mary"), requested(), accepted(), job(), f.AttemptEnded("mary", 1, Cause.NEVER_JOINED),
        requested(2), accepted(2), job(2), agent_joined("AJ_1"),
    )  # fmt: skip
    placement = session.placement("mary")
    assert placement.identity == "agent-AJ_1"
    assert [a.open for a in placement.attempts] == [True, False]
    assert session.retired == ("agent-AJ_2",)


def test_an_agent_of_a_given_up_attempt_that_comes_second_is_removed() -> None:
    session = play(
        opened(), routed("mary"), requested(), accepted(), job(), f.AttemptEnded("mary", 1, Cause.NEVER_JOINED),
        requested(2), accepted(2), agent_joined("AJ_2"), agent_joined("AJ_1"),
    )  # fmt: skip
    assert session.placement("mary").identity == "agent-AJ_2"
    assert [a.identity for a in evictions(session)] == ["agent-AJ_1"]


def test_a_job_that_shows_itself_after_its_attempt_was_given_up_is_retired() -> None:
    session = play(opened(), routed("mary"), requested(), accepted(), f.AttemptEnded("mary", 1, Cause.NOT_TAKEN), job())
    assert session.retired == ("agent-AJ_1",)


def test_a_second_agent_of_the_name_is_an_extra_and_never_replaces_the_verified_one() -> None:
    session = play(opened(), routed("mary"), requested(), agent_joined(), agent_joined("AJ_9"))
    assert session.placement("mary").identity == "agent-AJ_1"
    assert [agent.identity for _, agent in extras(session)] == ["agent-AJ_9"]


def test_when_the_verified_agent_goes_an_extra_that_is_there_takes_its_place() -> None:
    session = play(opened(), routed("mary"), requested(), agent_joined(), agent_joined("AJ_9"), agent_left())
    assert session.placement("mary").identity == "agent-AJ_9"
    assert session.state is SessionState.VERIFIED


def test_a_foreign_agent_that_serves_beside_ours_takes_over_and_ours_is_retired() -> None:
    session = play(
        opened(), routed("mary"), requested(), agent_joined(), agent_joined("AJ_9"),
        f.ForeignAgentServes("mary", "agent-AJ_9"),
    )  # fmt: skip
    assert session.placement("mary").identity == "agent-AJ_9"
    assert [a.identity for a in evictions(session)] == ["agent-AJ_1"]
    assert session.warnings


def test_a_verdict_that_comes_after_the_agent_changes_nothing() -> None:
    verified = play(opened(), routed("mary"), requested(), agent_joined())
    assert play(f.AttemptEnded("mary", 1, Cause.NOT_TAKEN), session=verified) == verified
    assert play(f.GaveUp("mary", Cause.NOT_TAKEN), session=verified) == verified


def test_a_fallback_that_serves_is_said_in_a_warning() -> None:
    session = play(
        opened(), routed("mary", fallback=["tom"]), f.FallbackChosen("mary", 1, Cause.NOT_TAKEN),
        requested(1, agent="tom"), agent_joined(name="tom"),
    )  # fmt: skip
    assert session.placement("mary").spec.agent_name == "tom"
    assert session.state is SessionState.VERIFIED
    assert "tom" in session.warnings[0]


def test_a_room_that_nobody_has_entered_is_not_empty_and_one_that_all_have_left_is() -> None:
    assert not play(opened(), routed("mary")).empty
    assert play(opened(), routed("mary"), person_joined(), person_left()).empty


def test_facts_of_ours_that_are_folded_twice_count_once() -> None:
    once = play(opened(), routed("mary"), requested(), accepted())
    again = play(requested(), accepted(), routed("mary"), f.DispatchDeleted("mary", 7), session=once)
    assert again == replace(once, updated_at=again.updated_at)


def test_timeline_and_attempts_keep_their_first_and_last() -> None:
    session = play(opened(), routed("mary"))
    for number in range(1, 301):
        session = play(requested(number), f.AttemptEnded("mary", number, Cause.NOT_TAKEN), session=session)
    placement = session.placement("mary")
    assert (len(placement.attempts), placement.attempts_total) == (40, 300)
    assert [placement.attempts[0].number, placement.attempts[-1].number] == [1, 300]
    assert (len(session.timeline), session.timeline_total) == (200, 601)


LIFE: tuple[f.Fact, ...] = (
    STARTED,
    agent_joined(at=START + 1),
    agent_left(at=START + 60),
    agent_joined("AJ_2", at=START + 61),
)


def _essence(session: Session) -> tuple[object, ...]:
    placement = session.placement("mary")
    return session.state, session.outcome, placement.state, placement.identity, placement.verified_at is not None


@given(st.permutations(LIFE))
def test_every_order_of_a_session_s_webhooks_leads_to_the_same_state(order: list[f.Fact]) -> None:
    assert _essence(play(opened(), routed("mary"), *order)) == _essence(play(opened(), routed("mary"), *LIFE))


@given(st.permutations((*LIFE, agent_left("AJ_2", joined_at=START + 61, at=START + 89), FINISHED)))
def test_every_order_of_a_finished_life_leads_to_the_same_outcome(order: list[f.Fact]) -> None:
    session = play(opened(), routed("mary"), *order)
    assert (session.state, session.outcome) == (SessionState.ENDED, Outcome.VERIFIED)


@given(st.lists(st.sampled_from(LIFE), max_size=40), st.permutations(LIFE))
def test_webhooks_that_come_again_and_again_change_nothing_more(again: list[f.Fact], order: list[f.Fact]) -> None:
    once = play(opened(), routed("mary"), *order)
    assert _essence(play(*again, session=once) if again else once) == _essence(once)


ANY_FACT = st.sampled_from(
    [
        *LIFE, FINISHED, person_joined(), person_left(), requested(1), requested(2), accepted(1), accepted(2), job(1),
        job(2, f.JobStatus.SUCCESS, None), f.AttemptEnded("mary", 1, Cause.NOT_TAKEN),
        f.AttemptEnded("mary", 2, Cause.NEVER_JOINED), f.GaveUp("mary", Cause.NOT_TAKEN),
        f.PulseAnswered("agent-AJ_1", 2.0), f.AgentRetired("agent-AJ_2", "test"),
        f.ForeignAgentServes("mary", "agent-AJ_2"), f.Waiting("mary", f.Awaited.SLOT), f.DispatchDeleted("mary", 1),
        agent_joined("AJ_1", source=f.Source.LISTING), agent_left("AJ_2", leave=f.LeaveReason.GOODBYE),
    ]
)  # fmt: skip


@given(st.lists(ANY_FACT, max_size=30))
def test_whatever_comes_in_whatever_order_the_record_stays_sound(story: list[f.Fact]) -> None:
    """Verified is one present agent with proof; the verified one is never on the retired list; the end is final."""
    session = play(opened(), routed("mary"))
    ended = False
    for n, fact in enumerate(story):
        session = fold(session, fact, START + n)
        placement = session.placement("mary")
        if placement.state is PlacementState.VERIFIED:
            agent = session.present_agent(placement.identity or "")
            assert agent is not None
            assert agent.proof >= Proof.JOINED
            assert placement.identity not in session.retired
            assert all(i.resolved_at is not None for i in placement.incidents)
        assert sum(a.open for a in placement.attempts) <= 2
        assert sum(i.resolved_at is None for i in placement.incidents) <= 1
        assert not (ended and not session.ended)
        ended = session.ended


def test_an_agent_that_was_credited_to_a_newer_attempt_by_its_name_goes_back_to_the_one_whose_job_it_is() -> None:
    """Otherwise deleting the older attempt's dispatch would take the verified agent out of the room."""
    session = play(
        opened(), routed("mary"), requested(), accepted(), f.AttemptEnded("mary", 1, Cause.NOT_TAKEN),
        requested(2), accepted(2), agent_joined("AJ_1"),
    )  # fmt: skip
    assert session.placement("mary").open_attempt == session.placement("mary").attempt(2)
    session = play(job(1), session=session)
    placement = session.placement("mary")
    assert placement.identity == "agent-AJ_1"
    assert [(a.number, a.open, a.identity) for a in placement.attempts] == [(1, True, "agent-AJ_1"), (2, False, None)]
    assert session.retired == ()


def test_an_agent_that_says_later_that_it_serves_reaches_the_level_ready() -> None:
    session = play(opened(), routed("mary", policy=Policy(verify_at=Proof.READY)), requested(), agent_joined())
    assert session.state is SessionState.DISPATCHING
    assert play(f.AgentReady("PA_AJ_1"), session=session).state is SessionState.VERIFIED
    assert play(f.AgentReady("PA_unknown"), session=session).placements == session.placements
