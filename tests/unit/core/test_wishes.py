"""What people, tokens and agents ask for: an agent more, one instead of another, one to go."""

from __future__ import annotations

import pytest

from orchestrator.core import facts as f
from orchestrator.core.belonging import evictions
from orchestrator.core.causes import Cause
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.policy import Policy
from orchestrator.core.proof import Key
from orchestrator.core.relief import SHOWN_AFTER
from orchestrator.core.session import KEPT_WARNINGS, Outcome, Session, SessionState
from orchestrator.core.verdict import verdict
from tests.unit.core.stories import (
    SID,
    START,
    accepted,
    agent_joined,
    agent_left,
    job,
    opened,
    person_joined,
    play,
    requested,
    routed,
)

OPERATOR = f.Source.OPERATOR


def wanted(name: str = "tom", *, instead_of: str | None = None, grace: float = 0.0, metadata: str = "{}") -> f.AgentWanted:
    spec = f.PlacementSpec((f.CandidateSpec(name, metadata),), Policy())
    return f.AgentWanted(spec, OPERATOR, instead_of=instead_of, grace=grace)


def dismissed(name: str = "mary") -> f.AgentDismissed:
    return f.AgentDismissed(name, OPERATOR)


def with_mary(*facts: f.Fact, **policy: object) -> Session:
    """A session in which mary serves a person, and what comes after."""
    begin = (opened(), person_joined(), routed("mary", **policy), requested(), accepted(), agent_joined())  # type: ignore[arg-type]
    return play(*begin, *facts)


def tom(session: Session) -> Placement:
    return session.placement("tom")


def mary(session: Session) -> Placement:
    return session.placement("mary")


def came(name: str = "tom", work: str = "AJ_9") -> f.AgentJoined:
    return agent_joined(work, name, at=START + 2)


# --- an agent more --------------------------------------------------------------------------------


def test_an_agent_that_is_asked_for_is_placed_beside_those_of_the_route() -> None:
    session = with_mary(wanted())
    assert [p.agent_name for p in session.placements] == ["mary", "tom"]
    assert session.state is SessionState.DISPATCHING
    assert session.wants(tom(session))


def test_one_that_is_asked_for_before_the_routes_have_answered_is_placed_once() -> None:
    session = play(opened(), wanted("mary", metadata='{"who":"asked"}'), routed("mary", "tom"))
    assert [p.agent_name for p in session.placements] == ["mary", "tom"]
    assert mary(session).spec.metadata == '{"who":"asked"}'


def test_as_long_as_no_attempt_was_made_what_is_asked_for_by_name_goes_before_what_the_route_says() -> None:
    asked = wanted("mary", metadata='{"who":"asked"}')
    assert mary(play(opened(), routed("mary"), asked)).spec.metadata == '{"who":"asked"}'
    assert mary(play(opened(), routed("mary"), requested(), asked)).spec.metadata == "{}"


def test_one_that_is_there_or_on_its_way_is_not_placed_again() -> None:
    session = with_mary()
    assert play(wanted("mary"), session=session, at=session.updated_at) == session


def test_one_that_said_goodbye_for_good_comes_again_when_asked_for() -> None:
    session = with_mary(agent_left(done=True), wanted("mary"))
    assert mary(session).state is PlacementState.WAITING
    assert mary(session).attempts_total == 1
    assert mary(session).next_number == 2


def test_in_a_room_that_has_ended_nothing_is_placed() -> None:
    session = with_mary(f.RoomFinished(START + 9), wanted())
    assert [p.agent_name for p in session.placements] == ["mary"]


def test_to_ask_for_an_agent_is_to_care_for_a_room_that_was_only_observed() -> None:
    session = play(opened(), f.RoomListed(START, observed=True), routed("mary"))
    assert session.state is SessionState.OBSERVED
    assert play(wanted(), session=session).state is SessionState.DISPATCHING


# --- one to go ------------------------------------------------------------------------------------


def test_whoever_is_dismissed_is_to_be_removed_and_is_not_replaced() -> None:
    session = with_mary(dismissed())
    assert mary(session).state is PlacementState.CANCELLED
    assert [a.identity for a in evictions(session)] == ["agent-AJ_1"]
    assert session.state is SessionState.UNROUTED
    gone = play(agent_left(leave=f.LeaveReason.WISH), session=session, at=START + 60)
    assert mary(gone).state is PlacementState.CANCELLED
    assert verdict(gone, START + 61) == "mary is not wanted any more."


def test_dismissed_while_an_attempt_is_under_way_ends_it_and_its_agent_is_removed_when_it_comes_after_all() -> None:
    session = play(opened(), person_joined(), routed("mary"), requested(), accepted(), dismissed())
    assert mary(session).open_attempt is None
    assert not session.wants(mary(session))
    key = Key(SID, "mary", 1, "attempt-1")
    late = f.AgentJoined("PA_9", "agent-of-its-own", "mary", START + 2, START + 2, key=key)
    assert [a.identity for a in evictions(play(late, session=session))] == ["agent-of-its-own"]


def test_a_job_that_shows_only_after_the_dismissal_whose_agent_it_is_condemns_that_agent() -> None:
    session = play(opened(), routed("mary"), requested(), accepted(), dismissed(), agent_joined(name=None), job())
    assert [a.identity for a in evictions(session)] == ["agent-AJ_1"]


def test_a_foreign_agent_of_the_name_of_a_dismissed_one_is_left_alone() -> None:
    session = with_mary(dismissed(), came("mary", "AJ_foreign"))
    assert [a.identity for a in evictions(session)] == ["agent-AJ_1"]


def test_to_dismiss_nobody_or_twice_changes_nothing() -> None:
    session = with_mary(dismissed())
    assert play(dismissed(), dismissed("nobody"), session=session, at=session.updated_at) == session


def test_the_incident_of_a_dismissed_agent_is_resolved() -> None:
    session = play(opened(), person_joined(), routed("mary"), f.GaveUp("mary", Cause.NOT_TAKEN), dismissed())
    assert [i.resolved_at is not None for i in mary(session).incidents] == [True]


@pytest.mark.parametrize(("there", "outcome"), [(True, Outcome.VERIFIED), (False, Outcome.ABANDONED)])
def test_what_became_of_a_session_whose_agents_were_all_dismissed_is_whether_they_had_come(
    there: bool, outcome: Outcome
) -> None:
    session = with_mary(dismissed()) if there else play(opened(), routed("mary"), requested(), dismissed())
    assert play(f.RoomFinished(START + 9), session=session, at=START + 9).outcome is outcome


# --- one instead of another -----------------------------------------------------------------------


def leaves(session: Session, *names: str) -> Session:
    """The session when the graces of these are over."""
    return play(*(f.AgentDismissed(name, f.Source.ROLLCALL) for name in names), session=session, at=START + 30)


def test_the_old_agent_serves_until_the_new_one_is_verified_and_goes_then() -> None:
    session = with_mary(wanted(instead_of="mary"), requested(placement="tom"))
    assert mary(session).state is PlacementState.VERIFIED
    assert evictions(session) == ()
    session = play(came(), session=session)
    assert [p.state for p in session.placements] == [PlacementState.VERIFIED, PlacementState.VERIFIED]
    assert mary(session).leaves_at == pytest.approx(START + SHOWN_AFTER)
    session = leaves(session, "mary")
    assert mary(session).state is PlacementState.CANCELLED
    assert [a.identity for a in evictions(session)] == ["agent-AJ_1"]
    assert session.state is SessionState.VERIFIED


def test_when_the_new_one_never_comes_the_old_one_stays() -> None:
    session = with_mary(wanted(instead_of="mary"), f.GaveUp("tom", Cause.NOT_TAKEN))
    assert mary(session).state is PlacementState.VERIFIED
    assert session.state is SessionState.UNVERIFIED


def test_with_a_grace_the_old_one_may_stay_so_long_and_is_not_replaced_when_it_leaves() -> None:
    session = with_mary(wanted(instead_of="mary", grace=15.0), came())
    assert mary(session).state is PlacementState.VERIFIED
    assert mary(session).leaves_at == pytest.approx(START + 0.7 + 15.0)
    session = play(agent_left(leave=f.LeaveReason.GOODBYE), session=session, at=START + 8)
    assert mary(session).state is PlacementState.ENDED


def test_an_old_one_that_is_lost_meanwhile_is_wanted_until_the_new_one_is_there_and_not_after() -> None:
    session = with_mary(wanted(instead_of="mary", grace=15.0), agent_left(at=START + 30))
    assert mary(session).state is PlacementState.LOST
    assert mary(play(came(), session=session)).state is PlacementState.CANCELLED


def test_the_old_ones_fallbacks_leave_the_name_of_the_new_one_alone() -> None:
    session = with_mary(wanted(instead_of="mary"), fallback=("tom", "ann"))
    assert [c.agent_name for c in mary(session).candidates] == ["mary", "ann"]


def test_a_new_one_that_is_lost_later_relieves_nobody_a_second_time() -> None:
    session = with_mary(wanted(instead_of="mary"), came(), wanted("mary"), requested(2), agent_joined("AJ_2", at=START + 3))
    lost = play(agent_left("AJ_9", "tom", joined_at=START + 2), session=session, at=START + 60)
    again = play(agent_joined("AJ_10", "tom", at=START + 61), session=lost, at=START + 61)
    assert [p.state for p in again.placements] == [PlacementState.VERIFIED, PlacementState.VERIFIED]


def test_folding_a_wish_twice_is_folding_it_once() -> None:
    wish = wanted(instead_of="mary", grace=15.0)
    session = with_mary(wish)
    assert play(wish, session=session, at=session.updated_at) == session
    relieved = play(came(), session=session)
    assert play(wish, session=relieved, at=relieved.updated_at) == relieved


def test_who_takes_the_place_of_one_that_has_not_come_takes_over_from_whom_that_one_would_have_relieved() -> None:
    session = with_mary(wanted("tom", instead_of="mary"), wanted("ann", instead_of="tom"), requested(placement="ann"))
    session = leaves(play(came("ann"), session=session), "mary")
    assert {p.agent_name: p.state for p in session.placements} == {
        "mary": PlacementState.CANCELLED,
        "tom": PlacementState.CANCELLED,
        "ann": PlacementState.VERIFIED,
    }


@pytest.mark.parametrize("left_after", [2.0, 10.0], ids=["at once", "when it had served"])
def test_when_the_new_one_is_gone_while_the_old_one_is_still_there_that_one_serves_on_until_the_next_comes(
    left_after: float,
) -> None:
    switched = with_mary(wanted(instead_of="mary", grace=15.0), requested(placement="tom"), came())
    left = agent_left("AJ_9", "tom", joined_at=START + 2, at=START + 2 + left_after)
    alone = play(left, session=switched, at=START + 2 + left_after)
    assert (mary(alone).state, mary(alone).leaves_at) == (PlacementState.VERIFIED, None)
    assert alone.wants(tom(alone))
    again = play(requested(2, "tom"), came(work="AJ_10"), session=alone, at=START + 13)
    assert mary(again).leaves_at == pytest.approx(START + 13.1 + 15.0)


def test_a_new_one_that_is_heard_of_only_when_it_has_left_again_costs_the_old_one_nothing() -> None:
    left = agent_left("AJ_9", "tom", joined_at=START + 2, at=START + 3)
    session = with_mary(wanted(instead_of="mary"), requested(placement="tom"), left, came())
    assert (mary(session).state, mary(session).leaves_at) == (PlacementState.VERIFIED, None)


def test_a_new_one_that_says_that_it_is_done_does_not_keep_the_old_one() -> None:
    session = with_mary(
        wanted(instead_of="mary", grace=15.0), came(), agent_left("AJ_9", "tom", joined_at=START + 2, done=True)
    )
    assert mary(session).leaves_at is not None


def test_one_that_takes_over_from_two_relieves_both() -> None:
    ann_too = (wanted("ann"), requested(placement="ann"), came("ann", "AJ_8"))
    session = with_mary(*ann_too, wanted("tom", instead_of="mary"), wanted("tom", instead_of="ann"), requested(placement="tom"))
    session = leaves(play(came(), session=session), "mary", "ann")
    assert [p.agent_name for p in session.placements if not p.over] == ["tom"]


def test_who_is_asked_for_again_while_it_is_leaving_stays() -> None:
    session = with_mary(wanted(instead_of="mary", grace=15.0), came(), wanted("mary"))
    assert mary(session).leaves_at is None
    late = play(f.AgentDismissed("mary", f.Source.ROLLCALL), session=session, at=START + 16)
    assert mary(late).state is PlacementState.VERIFIED


def test_who_was_dismissed_and_is_asked_for_again_is_not_relieved_by_a_switch_from_before() -> None:
    session = with_mary(wanted(instead_of="mary"), dismissed(), wanted("mary"), came())
    assert tom(session).state is PlacementState.VERIFIED
    assert session.wants(mary(session))


def test_one_that_has_left_in_its_grace_is_not_leaving_any_more() -> None:
    session = with_mary(wanted(instead_of="mary", grace=15.0), came(), agent_left(leave=f.LeaveReason.GOODBYE))
    assert (mary(session).state, mary(session).leaves_at) == (PlacementState.ENDED, None)


def test_one_that_has_left_in_its_grace_while_the_room_was_thought_to_have_ended_is_not_replaced() -> None:
    relieved = with_mary(wanted(instead_of="mary", grace=15.0), came())
    gone = f.RoomFinished(START + 20, source=f.Source.LISTING)
    session = play(gone, agent_left(at=START + 5), session=relieved, at=START + 20)
    assert session.state is SessionState.VERIFIED
    assert mary(session).over


def test_who_was_sent_away_does_not_serve_again_though_another_of_its_name_is_wanted() -> None:
    session = with_mary(dismissed(), wanted("mary"))
    assert session.wants(mary(session))
    assert [a.identity for a in evictions(session)] == ["agent-AJ_1"]
    gone = play(agent_left(leave=f.LeaveReason.WISH), requested(2), agent_joined("AJ_2", at=START + 3), session=session)
    assert (mary(gone).state, mary(gone).identity) == (PlacementState.VERIFIED, "agent-AJ_2")


# --- one name, one place --------------------------------------------------------------------------


def names_of(placement: Placement) -> list[str]:
    return [candidate.agent_name for candidate in placement.candidates]


def test_who_is_placed_is_no_other_ones_fallback_whoever_is_known_first() -> None:
    for session in (
        play(opened(), wanted("ann"), routed("mary", fallback=("tom", "ann"))),
        play(opened(), routed("mary", fallback=("tom", "ann")), wanted("ann")),
    ):
        assert names_of(mary(session)) == ["mary", "tom"]


def test_a_fallback_that_is_in_the_room_already_is_not_asked_for() -> None:
    spec = f.PlacementSpec((f.CandidateSpec("tom"), f.CandidateSpec("mary")), Policy())
    assert names_of(tom(with_mary(f.AgentWanted(spec, OPERATOR)))) == ["tom"]


def test_a_fallback_that_got_a_place_of_its_own_in_the_moment_in_which_it_was_chosen_is_not_tried() -> None:
    begin = (opened(), routed("mary", fallback=("ann",)), requested(), f.AttemptEnded("mary", 1, Cause.NOT_TAKEN))
    session = play(*begin, wanted("ann"), f.FallbackChosen("mary", 1, Cause.NOT_TAKEN))
    assert mary(session).spec.agent_name == "mary"


# --- warnings -------------------------------------------------------------------------------------


def test_what_an_agent_says_of_itself_is_told_once_whether_it_is_heard_or_listed() -> None:
    loud = f.AgentJoined("PA_AJ_1", "agent-AJ_1", "mary", START + 1, START + 1, warning="persona zoe is not known")
    session = play(opened(), routed("mary"), loud, f.AgentWarned("PA_AJ_1", "persona zoe is not known"))
    assert session.warnings == ("mary says: persona zoe is not known",)


def test_what_somebody_says_who_is_not_there_is_not_told() -> None:
    assert play(opened(), f.AgentWarned("PA_nobody", "hello")).warnings == ()


def test_warnings_are_bounded() -> None:
    session = play(opened(), *(f.Warned(f"number {n}") for n in range(100)))
    assert len(session.warnings) == KEPT_WARNINGS
