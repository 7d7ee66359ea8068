"""Why a room has no agent, on half a screen."""

import pytest

from orchestrator.client.answers import Agent, Counts
from orchestrator.client.explanation import explain, explanation_page
from orchestrator.core import causes
from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from tests.unit.client.answering import missing, printed, told, verified
from tests.unit.core.stories import START, play, routed

LINK = "http://rollcall.example/runbook#livekit-rejected-credentials"
NOBODY = Agent(
    agent_name="mary",
    verdict="No worker has announced itself as mary, and no agent of that name joined within 24 h.",
    configured=True,
    state="unannounced",
    workers=0,
    active_jobs=0,
    sessions=Counts(verified=0, dispatching=0, unverified=1),
)


def test_verdict_cause_evidence_fix_and_what_happens_next_are_told() -> None:
    assert printed(explanation_page(explain(told(missing()), NOBODY), "rollcall show RM_2"), 100) == [
        "support-18  RM_2  unverified",
        "Verdict   mary is missing. 1 attempt was made; one attempt a minute goes on while people are in the",
        "          room.",
        "Cause     not_taken: No worker took the job of mary.",
        "Evidence  1 attempt: LiveKit accepted 1, none joined. No worker has announced itself as mary, and no",
        "          agent of that name joined within 24 h.",
        "Fix       Check that a worker is running with exactly the agent name mary, against the same LiveKit",
        "          project, and that its load is below its threshold.",
        "Next      one attempt a minute while people are in the room",
        "More      rollcall show RM_2",
    ]


@pytest.mark.parametrize("cause", Cause)
def test_whatever_the_cause_it_takes_less_than_twelve_lines(cause: Cause) -> None:
    session = told(missing(cause=cause))

    assert len(printed(explanation_page(explain(session, NOBODY), LINK), 80)) < 12


def test_programs_get_the_whole_sentence_of_the_cause() -> None:
    explained = explain(told(missing()), None).json()

    assert explained["cause"] == "not_taken"
    assert explained["meaning"] == causes.sentence(Cause.NOT_TAKEN, "mary")


def test_what_proves_a_verified_agent_is_told_too() -> None:
    explained = explain(told(verified()), None)

    assert explained.evidence == "agent-AJ_1 is in the room (proof answering). It answered last 59.3 s ago."
    assert (explained.cause, explained.fix) == (None, None)


def test_a_room_that_no_route_takes_points_to_the_routes() -> None:
    session = told(play(f.RoomOpened("lobby", "RM_3", START), routed()))

    assert "rollcall route test --room lobby" in str(explain(session, None).fix)


def test_an_agent_that_is_paused_is_to_be_resumed() -> None:
    session = told(play(f.RoomOpened("lobby", "RM_3", START), routed("mary"), f.Waiting("mary", f.Awaited.PAUSED)))

    assert "`rollcall resume mary`" in str(explain(session, None).fix)


def test_a_room_that_somebody_cancelled_has_no_wrong_route() -> None:
    session = told(play(f.SessionCancelled(f.Source.OPERATOR, ""), session=missing(), at=START + 2))

    assert "route test" not in str(explain(session, None).fix)
