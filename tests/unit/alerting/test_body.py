"""The body of an alert: exactly what the design promises to receivers."""

import json

from orchestrator.alerting.body import body
from orchestrator.core.alerts import Severity
from orchestrator.runtime.ports import Alert
from tests.unit.alerting.outbox import FIRING, MANY, RESOLVED


def test_an_unverified_placement_is_told_whole() -> None:
    assert json.loads(body(FIRING, Severity.CRITICAL)) == {
        "type": "unverified",
        "status": "firing",
        "severity": "critical",
        "incident": "RM_1/mary/1",
        "at": "2025-11-21T08:00:00.500Z",
        "room": "support-17",
        "sid": "RM_1",
        "agent_name": "mary",
        "cause": "not_taken",
        "summary": "No worker took the job of mary.",
        "fix": "Start one.",
        "link": "https://rollcall.example/#/sessions/RM_1",
    }


def test_its_resolution_has_the_same_members() -> None:
    told = json.loads(body(RESOLVED, Severity.CRITICAL))
    assert set(told) == set(json.loads(body(FIRING, Severity.CRITICAL)))
    assert (told["status"], told["fix"], told["summary"]) == ("resolved", None, "mary is in the room.")


def test_many_rooms_have_their_number_and_their_incidents_in_the_place_of_room_and_sid() -> None:
    one, many = (json.loads(body(alert, Severity.CRITICAL)) for alert in (FIRING, MANY))
    assert set(many) == set(one) - {"room", "sid"} | {"rooms", "incidents"}
    assert (many["rooms"], many["incidents"]) == (2, ["RM_1/mary/1", "RM_2/mary/1"])


def test_other_types_leave_out_what_they_do_not_have() -> None:
    alert = Alert("a", "livekit_unreachable", "firing", "livekit", 1_763_712_000.0, summary="LiveKit does not answer.")
    assert json.loads(body(alert, Severity.WARNING)) == {
        "type": "livekit_unreachable",
        "status": "firing",
        "severity": "warning",
        "incident": "livekit",
        "at": "2025-11-21T08:00:00.000Z",
        "summary": "LiveKit does not answer.",
    }
