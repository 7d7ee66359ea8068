"""What operators ask of a session: a new round, another agent for the one that serves, nothing any more, an incident taken."""

from __future__ import annotations

import pytest

from orchestrator.core import facts as f
from orchestrator.core.belonging import evictions, extras
from orchestrator.core.causes import Cause
from orchestrator.core.outlook import next_step
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Outcome, Session, SessionState
from orchestrator.core.verdict import verdict
from tests.unit.core.stories import (
    SID,
    START,
    accepted,
    agent_joined,
    agent_left,
    opened,
    person_joined,
    person_left,
    play,
    requested,
    routed,
)

OPERATOR = f.Source.OPERATOR
LATER = START + 600
"""Long after every deadline of the first round."""


def again(placement: str | None = None, wish: str = "wish-1") -> f.RoundWanted:
    return f.RoundWanted(placement, wish, OPERATOR, "she asked for it")


def cancelled() -> f.SessionCancelled:
    return f.SessionCancelled(OPERATOR, "wrong number")


def taken(placement: str | None = None) -> f.IncidentTaken:
    return f.IncidentTaken(placement, OPERATOR, "on it")


def mary(session: Session) -> Placement:
    return session.placement("mary")


def serving() -> Session:
    return play(opened(), person_joined(), routed("mary"), requested(), accepted(), agent_joined())


def given_up(*, fallback: tuple[str, ...] = ()) -> Session:
    ended = f.AttemptEnded("mary", 1, Cause.NOT_TAKEN)
    lost = (requested(), accepted(), ended, f.GaveUp("mary", Cause.NOT_TAKEN))
    return play(opened(), person_joined(), routed("mary", fallback=fallback), *lost)


# --- a new round ----------------------------------------------------------------------------------


def test_an_unverified_placement_begins_a_round_with_its_whole_deadline_and_its_incident_stays_open() -> None:
    session = play(again(), session=given_up(), at=LATER)
    placement = mary(session)
    assert placement.state is PlacementState.WAITING
    assert (placement.tries, placement.wanted_at, placement.awaited, placement.next_at) == (0, LATER, None, None)
    assert placement.open_incident is not None
    assert placement.next_number == 2
    assert session.timeline[-1].event == "redispatched"
    assert session.timeline[-1].detail == "she asked for it"


def test_the_round_that_fails_again_opens_no_second_incident() -> None:
    session = play(again(), f.GaveUp("mary", Cause.NOT_TAKEN), session=given_up(), at=LATER)
    assert mary(session).state is PlacementState.UNVERIFIED
    assert [i.incident for i in mary(session).incidents] == [f"{SID}/mary/1"]


def test_the_same_wish_begins_no_second_round() -> None:
    once = play(again(), session=given_up(), at=LATER)
    assert play(again(), session=once, at=LATER + 9) == once
    assert mary(play(again(wish="wish-2"), session=once, at=LATER + 9)).wanted_at == LATER + 9


def test_an_attempt_that_is_under_way_goes_on_as_the_first_of_the_round() -> None:
    session = play(opened(), person_joined(), routed("mary"), requested(), accepted(), again())
    assert mary(session).state is PlacementState.DISPATCHING
    assert mary(session).tries == 1
    assert mary(session).open_attempt is not None


def test_a_goodbye_s_grace_and_a_backoff_are_over() -> None:
    for awaited in (f.Awaited.GRACE, f.Awaited.BACKOFF, f.Awaited.BREAKER):
        waiting = f.Waiting("mary", awaited, LATER + 15)
        session = play(opened(), person_joined(), routed("mary"), waiting, again())
        assert (mary(session).awaited, mary(session).next_at) == (None, None)


def test_an_observed_room_is_cared_for() -> None:
    session = play(opened(), f.RoomListed(START, observed=True), routed("mary"), again())
    assert session.state is SessionState.DISPATCHING
    assert session.wants(mary(session))


def test_only_whoever_is_named_comes_again_after_it_was_cancelled() -> None:
    session = play(cancelled(), session=serving())
    assert mary(play(again(), session=session)).state is PlacementState.CANCELLED
    assert mary(play(again("mary"), session=session)).state is PlacementState.WAITING


def test_in_a_room_that_has_ended_and_of_an_agent_that_nobody_placed_nothing_changes() -> None:
    ended = play(f.RoomFinished(START + 9), session=serving())
    assert play(again(), session=ended, at=ended.updated_at) == ended
    session = serving()
    assert play(again("nobody"), session=session, at=session.updated_at) == session


# --- another agent for the one that serves --------------------------------------------------------


def test_the_agent_that_is_to_be_replaced_stays_and_is_neither_removed_nor_judged() -> None:
    session = play(again(), session=serving(), at=LATER)
    assert mary(session).state is PlacementState.LOST
    assert mary(session).replacing == "agent-AJ_1"
    assert evictions(session) == ()
    assert list(extras(session)) == []


def test_it_goes_when_the_other_one_has_been_there_long_enough_to_be_seen() -> None:
    came = (requested(2), accepted(2), agent_joined("AJ_2", at=LATER + 1))
    session = play(again(), *came, session=serving(), at=LATER)
    assert mary(session).identity == "agent-AJ_2"
    assert evictions(session) == ()
    assert list(extras(session)) == []
    session = play(f.AgentReplaced("mary", "agent-AJ_1"), session=session, at=LATER + 3)
    assert [a.identity for a in evictions(session)] == ["agent-AJ_1"]
    assert mary(session).replacing is None
    assert mary(session).attempts_total == 2


def test_an_agent_that_somebody_else_dispatched_goes_for_the_other_one_too() -> None:
    foreign = play(opened(), person_joined(), routed("mary"), agent_joined())
    came = (requested(2), accepted(2), agent_joined("AJ_2", at=LATER + 1), f.AgentReplaced("mary", "agent-AJ_1"))
    session = play(again(), *came, session=foreign, at=LATER)
    assert [a.identity for a in evictions(session)] == ["agent-AJ_1"]
    assert mary(session).identity == "agent-AJ_2"


@pytest.mark.parametrize("failed", [f.GaveUp("mary", Cause.NOT_TAKEN), f.FallbackChosen("mary", 1, Cause.NOT_TAKEN)])
def test_when_the_other_one_does_not_come_it_serves_on_without_an_incident_or_a_fallback(failed: f.Fact) -> None:
    served = play(opened(), person_joined(), routed("mary", fallback=["tom"]), requested(), accepted(), agent_joined())
    begun = play(again(), requested(2), f.AttemptEnded("mary", 2, Cause.NOT_TAKEN), session=served, at=LATER)
    session = play(failed, session=begun, at=LATER + 90)
    assert mary(session).state is PlacementState.VERIFIED
    assert (mary(session).identity, mary(session).replacing) == ("agent-AJ_1", None)
    assert mary(session).incidents == ()
    assert "serves on" in session.warnings[-1]


def test_when_it_leaves_meanwhile_and_nobody_comes_a_person_is_told() -> None:
    gone = agent_left(joined_at=START + 1, at=LATER + 1)
    session = play(again(), gone, f.GaveUp("mary", Cause.NOT_TAKEN), session=serving(), at=LATER)
    assert mary(session).state is PlacementState.UNVERIFIED
    assert mary(session).open_incident is not None


def test_another_one_that_leaves_at_once_leaves_the_old_one_s_service_in_the_record() -> None:
    came = (requested(2), accepted(2), agent_joined("AJ_2", at=LATER + 1), f.AgentReplaced("mary", "agent-AJ_1"))
    gone = agent_left("AJ_2", joined_at=LATER + 1, at=LATER + 3)
    session = play(again(), *came, gone, session=serving(), at=LATER)
    assert mary(session).state is PlacementState.DISPATCHING
    assert mary(session).wanted_at == LATER
    assert mary(session).verified_at is not None


def test_in_a_room_without_people_nobody_is_replaced() -> None:
    session = play(person_left(), session=serving())
    assert mary(play(again(), session=session)).state is PlacementState.VERIFIED


def test_whoever_is_being_replaced_goes_with_the_placement_that_is_dismissed() -> None:
    session = play(again(), cancelled(), session=serving(), at=LATER)
    assert [a.identity for a in evictions(session)] == ["agent-AJ_1"]


# --- a pause --------------------------------------------------------------------------------------


def test_whoever_waits_for_the_end_of_a_pause_is_shown_as_that_and_its_round_begins_anew() -> None:
    waiting = play(opened(), person_joined(), routed("mary"), f.Waiting("mary", f.Awaited.PAUSED))
    assert verdict(waiting, START + 5) == "mary is not dispatched: an operator has paused it."
    assert next_step(waiting, START + 5) == "waits until its pause is over"
    session = play(f.PauseOver("mary"), session=waiting, at=LATER)
    assert (mary(session).awaited, mary(session).wanted_at, mary(session).first_wanted_at) == (None, LATER, START + 0.2)
    assert play(f.PauseOver("mary"), session=session, at=session.updated_at) == session


def test_an_unverified_one_says_that_it_is_paused_and_stays_unverified() -> None:
    session = play(f.Waiting("mary", f.Awaited.PAUSED), session=given_up(), at=LATER)
    assert verdict(session, LATER).endswith("an operator has paused it, so none is made now.")
    assert mary(play(f.PauseOver("mary"), session=session)).state is PlacementState.UNVERIFIED


# --- nothing any more -----------------------------------------------------------------------------


def test_a_cancelled_session_wants_nobody_and_its_incident_is_resolved() -> None:
    session = play(cancelled(), session=given_up(), at=LATER)
    assert mary(session).state is PlacementState.CANCELLED
    assert mary(session).open_incident is None
    assert session.state is SessionState.UNROUTED
    assert play(cancelled(), session=session, at=session.updated_at) == session


def test_what_the_routes_would_want_is_not_wanted_either() -> None:
    session = play(opened(), cancelled(), routed("mary"))
    assert session.placements == ()
    assert session.state is SessionState.UNROUTED


# --- an incident that is taken --------------------------------------------------------------------


@pytest.mark.parametrize("placement", [None, "mary"])
def test_an_incident_that_is_taken_is_resolved_and_the_placement_stays_what_it_is(placement: str | None) -> None:
    session = play(taken(placement), session=given_up(), at=LATER)
    assert mary(session).state is PlacementState.UNVERIFIED
    assert [i.resolved_at for i in mary(session).incidents] == [LATER]
    assert (session.timeline[-1].event, session.timeline[-1].detail) == ("incident_taken", "on it")
    assert play(taken(), session=session, at=session.updated_at) == session


def test_it_opens_no_other_one_before_a_new_round_fails() -> None:
    session = play(taken(), f.GaveUp("mary", Cause.NOT_TAKEN), session=given_up(), at=LATER)
    assert len(mary(session).incidents) == 1
    session = play(again(), f.GaveUp("mary", Cause.NOT_TAKEN), session=session, at=LATER + 9)
    assert [i.resolved_at is None for i in mary(session).incidents] == [False, True]


def test_taking_an_incident_makes_no_session_one_that_was_served() -> None:
    session = play(taken(), f.RoomFinished(LATER + 1), session=given_up(), at=LATER)
    assert session.outcome is Outcome.UNVERIFIED
