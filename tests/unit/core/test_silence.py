"""Silence: how long it must last, what it does to a session, and how a node's end is told from it."""

from dataclasses import replace

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from orchestrator.core.listing import ListedDispatch, ListedJob, Look
from orchestrator.core.placement import PlacementState
from orchestrator.core.proof import Proof
from orchestrator.core.session import Session
from orchestrator.core.silence import Silence, lost_with_its_node
from tests.unit.core.stories import START, accepted, agent_joined, job, opened, person_joined, play, requested, routed

LATER = START + 60


def in_a_call() -> Session:
    answered = f.PulseAnswered("agent-AJ_1", 2.0)
    return play(opened(), routed("mary"), person_joined(), requested(), accepted(), job(), agent_joined(), answered)


def silent(cause: Cause = Cause.SILENT, since: float = LATER) -> f.AgentSilent:
    return f.AgentSilent("PA_AJ_1", since, cause)


def test_silence_counts_after_enough_questions_over_enough_time() -> None:
    silence = Silence(asked_at=10.0)
    assert not silence.lasts(30.0, questions=3, patience=7.0)
    silence = silence.goes_on().goes_on()
    assert not silence.lasts(16.9, questions=3, patience=7.0)
    assert silence.lasts(17.0, questions=3, patience=7.0)


def test_a_silent_agent_is_lost_retired_and_still_in_the_room() -> None:
    session = play(silent(), session=in_a_call(), at=LATER + 7)
    placement = session.placement("mary")
    assert placement.state is PlacementState.LOST
    assert placement.attempts[0].cause is Cause.SILENT
    assert placement.resumes == 1
    assert session.retired == ("agent-AJ_1",)
    assert session.present_agent("agent-AJ_1") is not None, "somebody must take it out"


def test_a_silent_agent_that_answers_again_before_another_came_serves_on() -> None:
    session = play(silent(), f.PulseAnswered("agent-AJ_1", 2.0), session=in_a_call(), at=LATER + 7)
    placement = session.placement("mary")
    assert placement.state is PlacementState.VERIFIED
    assert placement.identity == "agent-AJ_1"
    assert session.retired == ()


def test_an_agent_that_answered_since_the_first_question_is_not_silent() -> None:
    session = play(silent(since=START - 10), session=in_a_call(), at=LATER)
    assert session.placement("mary").state is PlacementState.VERIFIED


def test_of_an_agent_that_went_with_its_node_nothing_is_left_to_remove_or_delete() -> None:
    session = play(silent(Cause.NODE_LOST), session=in_a_call(), at=LATER + 3)
    assert session.placement("mary").state is PlacementState.LOST
    assert session.placement("mary").attempts[0].deleted
    assert session.present_agent("agent-AJ_1") is None
    assert session.retired == ()


def test_what_a_dead_node_left_in_the_listing_is_never_taken_for_an_agent() -> None:
    session = play(silent(Cause.NODE_LOST), session=in_a_call(), at=LATER + 3)
    remnant = replace(agent_joined(source=f.Source.LISTING), participant_sid="PA_AJ_1")
    session = play(remnant, session=session, at=LATER + 60)
    assert session.placement("mary").state is PlacementState.LOST


def test_an_agent_is_lost_with_its_node_when_the_room_was_started_again_after_it_came() -> None:
    session = play(f.RoomStarted(START), session=in_a_call(), at=START + 2)
    (agent,) = session.agents
    assert not lost_with_its_node(session, agent, None)
    session = play(f.RoomStarted(LATER), session=session, at=LATER)
    assert lost_with_its_node(session, agent, None)


def test_an_agent_is_lost_with_its_node_when_a_node_answers_without_its_dispatch() -> None:
    session = in_a_call()
    (agent,) = session.agents
    assert lost_with_its_node(session, agent, Look(LATER, (), ()))
    assert not lost_with_its_node(session, agent, Look(LATER, (), (ListedDispatch("AD_1", "mary", None, ()),)))
    assert not lost_with_its_node(session, agent, None), "nothing is known of a room whose node does not answer"


def test_an_agent_of_unknown_dispatch_is_lost_when_no_listed_one_can_be_its_own() -> None:
    session = play(opened(), routed("mary"), agent_joined(), f.PulseAnswered("agent-AJ_1", 2.0))
    (agent,) = session.agents
    its_own = ListedDispatch("AD_f", "mary", None, (ListedJob("AJ_1", f.JobStatus.RUNNING, "agent-AJ_1", ""),))
    jobless = ListedDispatch("AD_g", "mary", None, ())
    other = ListedDispatch("AD_h", "mary", None, (ListedJob("AJ_9", f.JobStatus.RUNNING, "agent-AJ_9", ""),))
    assert not lost_with_its_node(session, agent, Look(LATER, (), (its_own,)))
    assert not lost_with_its_node(session, agent, Look(LATER, (), (jobless,)))
    assert lost_with_its_node(session, agent, Look(LATER, (), (other,)))


def test_nor_is_one_that_may_have_come_by_a_dispatch_which_we_deleted() -> None:
    """Two attempts of which no job was ever listed; the agent of one of them came late, known by its name alone."""
    given_up = (f.AttemptEnded("mary", 1, Cause.NOT_TAKEN), f.DispatchDeleted("mary", 1))
    session = play(opened(), routed("mary"), requested(), accepted(), *given_up, agent_joined(at=START + 9))
    assert session.placement("mary").state is PlacementState.VERIFIED
    (agent,) = session.agents
    assert not lost_with_its_node(session, agent, Look(LATER, (), ()))


def test_a_start_long_after_the_room_was_made_is_another_one_though_the_first_was_not_heard() -> None:
    session = play(opened(), routed("mary"), agent_joined(), f.RoomStarted(START + 50), at=START + 50)
    session = play(f.RoomStarted(START + 60), session=session, at=START + 60)
    assert session.restarted_at == START + 60
    late = play(opened(), f.RoomStarted(START + 1), at=START + 30)
    assert late.restarted_at == 0.0, "it was only delivered late"


def test_a_dispatch_that_we_deleted_tells_nothing_of_its_node() -> None:
    session = in_a_call()
    placement = session.placement("mary")
    deleted = replace(placement.attempts[0], deleted=True)
    session = replace(session, placements=(replace(placement, attempts=(deleted,)),))
    assert not lost_with_its_node(session, session.agents[0], Look(LATER, (), ()))


def test_a_server_that_cannot_ask_leaves_the_listing_as_all_the_proof_there_is() -> None:
    listed = agent_joined(source=f.Source.LISTING)
    session = play(opened(), routed("mary"), requested(), accepted(), listed)
    assert session.placement("mary").state is PlacementState.DISPATCHING
    session = play(f.PulseUnsupported("agent-AJ_1"), session=session, at=LATER)
    assert session.placement("mary").state is PlacementState.VERIFIED
    assert session.placement("mary").proof is Proof.JOINED
