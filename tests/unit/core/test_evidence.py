"""What a look tells: the facts that the record lacks, and the cause that the evidence carries."""

from dataclasses import replace

import pytest

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from orchestrator.core.evidence import cause_so_far, differences, foreign_dispatch, people_differ, people_differences, unproven
from orchestrator.core.listing import LISTING_LAG, ListedDispatch, ListedJob, ListedParticipant, Look
from orchestrator.core.placement import Attempt
from orchestrator.core.proof import Key, Proof
from tests.unit.core.stories import (
    SID,
    START,
    accepted,
    agent_joined,
    job,
    opened,
    person_joined,
    play,
    requested,
    routed,
)

LATER = START + 30


def participant(identity: str, *, agent: str | None = None, active: bool = True) -> ListedParticipant:
    return ListedParticipant(
        f"PA_{identity}", identity, agent is not None, agent is None, active, START, agent, None, False, False
    )


def look(*participants: ListedParticipant, dispatches: tuple[ListedDispatch, ...] = (), at: float = LATER) -> Look:
    return Look(at, participants, dispatches)


def test_a_look_that_agrees_with_the_record_tells_nothing() -> None:
    session = play(opened(), routed("mary"), requested(), accepted(), job())
    listed = ListedDispatch("AD_1", "mary", None, (ListedJob("AJ_1", f.JobStatus.RUNNING, "agent-AJ_1", ""),))
    assert differences(session, look(dispatches=(listed,))) == ()


def test_an_agent_whose_join_was_not_heard_is_told_as_listed_only() -> None:
    session = play(opened(), routed("mary"), requested())
    (fact,) = differences(session, look(participant("agent-AJ_1", agent="mary")))
    assert isinstance(fact, f.AgentJoined)
    assert fact.source is f.Source.LISTING
    assert [a.identity for a in unproven(play(fact, session=session))] == ["agent-AJ_1"]


def test_a_participant_that_is_still_joining_is_no_agent_yet() -> None:
    session = play(opened(), routed("mary"), requested())
    assert differences(session, look(participant("agent-AJ_1", agent="mary", active=False))) == ()


def test_an_agent_that_is_listed_no_more_has_left() -> None:
    session = play(opened(), routed("mary"), requested(), agent_joined())
    (fact,) = differences(session, look())
    assert isinstance(fact, f.AgentLeft)


def test_a_listing_says_nothing_about_what_was_heard_just_before_it() -> None:
    session = play(opened(), routed("mary"), person_joined(), agent_joined())
    assert differences(session, look(at=session.updated_at + LISTING_LAG / 2)) == ()


def test_people_whose_webhooks_were_lost_are_counted() -> None:
    session = play(opened(), routed("mary"))
    (fact,) = people_differences(session, look(participant("alice")), frozenset())
    assert fact == f.PersonJoined("PA_alice", "alice", created_at=START, source=f.Source.LISTING)


def test_people_are_told_by_who_they_are() -> None:
    session = play(opened(), routed("mary"), person_joined("PA_bob"))
    seen = look(participant("alice"))
    assert people_differ(session, look(participant("alice"), participant("carol")))
    assert list(people_differences(session, seen, frozenset({"PA_bob"}))) == [
        f.PersonJoined("PA_alice", "alice", created_at=START, source=f.Source.LISTING),
        f.PersonLeft("PA_bob", "", created_at=LATER, source=f.Source.LISTING),
    ]


def test_of_people_who_are_all_counted_only_the_number_may_be_wrong() -> None:
    session = play(opened(), routed("mary"), person_joined("PA_bob", people=2))
    assert list(people_differences(session, look(participant("bob")), frozenset({"PA_bob"}))) == [f.PeopleCounted(1, LATER)]


def test_people_who_came_after_the_listing_was_requested_are_not_doubted() -> None:
    session = play(opened(), routed("mary"), person_joined(), at=LATER)
    assert not people_differ(session, look())
    assert list(people_differences(session, look(), frozenset({"PA_alice"}))) == []


def test_a_dispatch_with_our_key_that_the_record_lacks_is_taken_into_it() -> None:
    session = play(opened(), routed("mary"))
    listed = ListedDispatch("AD_5", "mary", Key(SID, "mary", 5, "attempt-5"), ())
    session = play(*differences(session, look(dispatches=(listed,))), session=session)
    assert session.placement("mary").next_number == 6


def test_a_dispatch_whose_reply_was_lost_is_found_by_our_key() -> None:
    session = play(opened(), routed("mary"), requested())
    listed = ListedDispatch("AD_1", "mary", Key(SID, "mary", 1, "attempt-1"), ())
    assert differences(session, look(dispatches=(listed,))) == (f.DispatchAccepted("mary", 1, "AD_1", f.Source.LISTING),)


def test_a_dispatch_with_another_session_s_key_is_nothing_of_ours() -> None:
    session = play(opened(), routed("mary"))
    listed = ListedDispatch("AD_5", "mary", Key("RM_other", "mary", 5, "attempt-5"), ())
    assert differences(session, look(dispatches=(listed,))) == ()
    assert foreign_dispatch(session, session.placement("mary"), look(dispatches=(listed,))) is None


def test_only_a_foreign_dispatch_of_exactly_the_wanted_name_is_adopted_and_only_once() -> None:
    session = play(opened(), routed("mary"))
    nameless, near = ListedDispatch("AD_0", "", None, ()), ListedDispatch("AD_1", "mary-2", None, ())
    exact = ListedDispatch("AD_2", "mary", None, ())
    placement = session.placement("mary")
    assert foreign_dispatch(session, placement, look(dispatches=(nameless, near))) is None
    assert foreign_dispatch(session, placement, look(dispatches=(nameless, near, exact))) == exact
    adopted = play(f.DispatchAdopted("mary", "attempt-1", "AD_2"), session=session)
    again = ListedDispatch("AD_3", "mary", None, ())
    assert foreign_dispatch(adopted, adopted.placement("mary"), look(dispatches=(again,))) is None


def test_a_route_that_names_the_nameless_agent_adopts_its_dispatch() -> None:
    session = play(opened(), routed(""))
    nameless = ListedDispatch("AD_0", "", None, ())
    assert foreign_dispatch(session, session.placement(""), look(dispatches=(nameless,))) == nameless


ATTEMPT = Attempt(1, "mary", START, dispatch_id="AD_1", proof=Proof.ACCEPTED)
LISTED = look(dispatches=(ListedDispatch("AD_1", "mary", None, ()),))
TAKEN = replace(ATTEMPT, job_id="AJ_1", job_status=f.JobStatus.RUNNING, job_has_identity=True)


@pytest.mark.parametrize(
    ("attempt", "seen", "early", "final"),
    [
        (ATTEMPT, LISTED, Cause.NOT_TAKEN, Cause.NOT_TAKEN),
        (ATTEMPT, look(), Cause.DISPATCH_VANISHED, Cause.DISPATCH_VANISHED),
        (ATTEMPT, None, None, Cause.LIVEKIT_UNAVAILABLE),
        (replace(ATTEMPT, dispatch_id=None), look(), Cause.LIVEKIT_UNAVAILABLE, Cause.LIVEKIT_UNAVAILABLE),
        (TAKEN, LISTED, None, Cause.NEVER_JOINED),
        (TAKEN, None, None, Cause.NEVER_JOINED),
        (replace(TAKEN, aborted=True), LISTED, None, Cause.CONNECTION_ABORTED),
        (replace(TAKEN, job_status=f.JobStatus.FAILED), LISTED, Cause.JOB_FAILED, Cause.JOB_FAILED),
        (
            replace(TAKEN, job_status=f.JobStatus.SUCCESS, job_has_identity=False),
            LISTED,
            Cause.JOB_REJECTED,
            Cause.JOB_REJECTED,
        ),
        (replace(TAKEN, proof=Proof.JOINED), LISTED, None, Cause.SILENT),
        (replace(TAKEN, proof=Proof.ANSWERING), LISTED, None, Cause.UNKNOWN),
    ],
)
def test_a_cause_says_no_more_than_the_evidence_carries(
    attempt: Attempt, seen: Look | None, early: Cause | None, final: Cause
) -> None:
    assert cause_so_far(attempt, seen, final=False) is early
    assert cause_so_far(attempt, seen, final=True) is final
