"""parse: the body of a webhook becomes exactly the facts that it carries."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import DisconnectReason

from orchestrator.core.facts import (
    AgentAborted,
    AgentJoined,
    AgentLeft,
    Fact,
    JobChanged,
    JobStatus,
    LeaveReason,
    PersonJoined,
    PersonLeft,
    RoomFinished,
    RoomOpened,
    RoomStarted,
    Source,
)
from orchestrator.core.proof import Key
from orchestrator.livekit.webhook import Event, Ignored, parse
from orchestrator.livekit.wire import Malformed
from tests.samples import WEBHOOKS, Sample

ROOM = {"sid": "RM_1", "name": "support-1", "creationTime": "1800000000", "creationTimeMs": "1800000000250"}
OPENING = RoomOpened(room="support-1", sid="RM_1", started_at=1_800_000_000.25)
AGENT = {
    "sid": "PA_1",
    "identity": "agent-AJ_1",
    "kind": "AGENT",
    "state": "ACTIVE",
    "joinedAt": "1800000005",
    "joinedAtMs": "1800000005125",
    "attributes": {"lk.agent_name": "mary"},
}
KEY = Key(session="RM_1", placement="mary", attempt=2, attempt_id="x1")


def body(event: str, **fields: Any) -> bytes:
    content = {"event": event, "id": "EV_1", "createdAt": "1800000006", "room": ROOM} | fields
    return json.dumps({name: value for name, value in content.items() if value is not None}).encode()


def event(kind: str, **fields: Any) -> Event:
    parsed = parse(body(kind, **fields))
    assert isinstance(parsed, Event), parsed
    return parsed


def fact(kind: str, **fields: Any) -> Fact:
    (only,) = event(kind, **fields).facts
    return only


def ignored(kind: str, **fields: Any) -> bool:
    parsed = parse(body(kind, **fields))
    return isinstance(parsed, Ignored) and parsed.kind == kind


# --- what livekit-server really sent ----------------------------------------------------------------------------------


def agent_left(sid: str, job: str, joined_at: float, created_at: float, reason: str, leave: LeaveReason) -> AgentLeft:
    return AgentLeft(sid, f"agent-{job}", "mary", joined_at, created_at, reason, leave)


RECORDED: dict[str, Fact] = {
    "EV_cZ4KXyBqhneK": RoomStarted(1795239237.0),
    "EV_qGuuHydmJT9S": PersonJoined("PA_HzZXhfMWhUwH", "alice", 1795239237.0),
    "EV_piUGQM6HVfsQ": AgentJoined("PA_8ZA3t4B65Wii", "agent-AJ_L3GEPUEwXfGM", "mary", 1795239242.64, 1795239242.0),
    "EV_6Qpn58dhWS2e": agent_left(
        "PA_8ZA3t4B65Wii", "AJ_L3GEPUEwXfGM", 1795239242.64, 1795239265.0, "CONNECTION_TIMEOUT", LeaveReason.FAILURE
    ),
    "EV_vmpF2jfMCYK9": PersonLeft("PA_HzZXhfMWhUwH", "alice", 1795239265.0),
    "EV_zFVhHJaqve6i": RoomFinished(1795239285.0),
    "EV_Sm876thNZfQ6": agent_left(
        "PA_LGwc6HfkYCAY", "AJ_K6GYSmSuGmSZ", 1795238777.965, 1795238779.0, "PARTICIPANT_REMOVED", LeaveReason.WISH
    ),
    "EV_ufhpmTVYBydj": agent_left(
        "PA_yXAqGLCpp4MB", "AJ_zR9fnnrz2bNU", 1795238851.985, 1795238856.0, "ROOM_DELETED", LeaveReason.WISH
    ),
    "EV_JMXvoYkGH4S3": agent_left(
        "PA_AVVFnE3MucdV", "AJ_vJSShfLMVb9a", 1795238772.917, 1795238777.0, "CLIENT_INITIATED", LeaveReason.GOODBYE
    ),
    "EV_QB3gT9bATPEX": agent_left(
        "PA_SECFaKXRxdwt", "AJ_H7kJhM6zfFCb", 1795238389.153, 1795238417.0, "ROOM_CLOSED", LeaveReason.WISH
    ),
    "EV_iC6w8xXLHwoR": RoomFinished(1795238417.0),
    "EV_HZDXQecug3aA": RoomStarted(1795238415.0),
    "EV_FjKokAgYncsa": RoomStarted(1795238783.0),
}


@pytest.mark.parametrize("sample", WEBHOOKS, ids=str)
def test_a_recorded_webhook_leads_to_its_fact(sample: Sample) -> None:
    content = sample.content
    parsed = parse(sample.body)
    assert isinstance(parsed, Event)
    assert parsed.kind == content["event"]
    assert parsed.event_id == content["id"]
    assert parsed.created_at == float(content["createdAt"])
    assert parsed.facts == (RECORDED[content["id"]],)
    assert parsed.opening == RoomOpened(
        room=content["room"].get("name", ""),
        sid=content["room"]["sid"],
        started_at=int(content["room"]["creationTimeMs"]) / 1000,
        metadata=content["room"].get("metadata", ""),
    )


@pytest.mark.parametrize("sample", WEBHOOKS, ids=str)
def test_the_rooms_turn_password_is_read_into_nothing(sample: Sample) -> None:
    secret = sample.content["room"]["turnPassword"]
    assert secret.encode() in sample.body
    assert secret not in repr(parse(sample.body))


# --- the session that it opens ----------------------------------------------------------------------------------------


def test_an_event_opens_its_session_at_the_rooms_creation() -> None:
    assert event("room_started").opening == OPENING
    assert event("room_finished").opening == OPENING


def test_the_creation_time_is_in_seconds_where_there_is_no_finer_one() -> None:
    assert event("room_started", room={"sid": "RM_1", "creationTime": "1800000000"}).opening.started_at == 1_800_000_000.0


def test_a_room_without_a_creation_time_began_with_its_event_at_the_latest() -> None:
    assert event("room_started", room={"sid": "RM_1"}).opening.started_at == 1_800_000_006.0


def test_a_room_may_have_no_name() -> None:
    assert event("room_started", room={"sid": "RM_1"}).opening.room == ""


def test_integers_may_be_strings_or_numbers() -> None:
    numbers = {"sid": "RM_1", "name": "support-1", "creationTime": 1800000000, "creationTimeMs": 1800000000250}
    assert event("room_started", room=numbers, createdAt=1800000006) == event("room_started")


def test_an_empty_event_id_is_none() -> None:
    assert event("room_started", id="").event_id is None
    assert event("room_started", id=None).event_id is None


@pytest.mark.parametrize("room", [None, {}, {"sid": "", "name": "support-1"}, {"name": "support-1"}])
def test_an_event_without_a_room_sid_is_ignored(room: dict[str, Any] | None) -> None:
    """Such is the test event of LiveKit Cloud: there is nothing to store it under."""
    assert ignored("room_started", room=room)


# --- people -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [None, "STANDARD", "SIP", "CONNECTOR"])
def test_people_come_and_go(kind: str | None) -> None:
    person = {"sid": "PA_2", "identity": "alice"} | ({"kind": kind} if kind else {})
    assert fact("participant_joined", participant=person) == PersonJoined("PA_2", "alice", 1_800_000_006.0)
    assert fact("participant_left", participant=person) == PersonLeft("PA_2", "alice", 1_800_000_006.0)
    assert ignored("participant_connection_aborted", participant=person)


@pytest.mark.parametrize("kind", ["INGRESS", "EGRESS", "BRIDGE", "HOLOGRAM", 9])
def test_who_is_neither_a_person_nor_an_agent_is_ignored(kind: str | int) -> None:
    participant = {"sid": "PA_3", "identity": "EG_1", "kind": kind, "state": "ACTIVE"}
    for name in ("participant_joined", "participant_left", "participant_connection_aborted"):
        assert ignored(name, participant=participant)


@pytest.mark.parametrize("participant", [None, {}, {"identity": "alice"}, {"identity": "agent-AJ_1", "kind": "AGENT"}])
def test_a_participant_without_a_sid_is_ignored(participant: dict[str, Any] | None) -> None:
    """Sids tell an old connection from a new one; without one nothing can be told."""
    assert ignored("participant_joined", participant=participant)
    assert ignored("participant_left", participant=participant)


def test_a_person_named_like_an_agent_is_a_person() -> None:
    person = AGENT | {"kind": "STANDARD"}
    assert isinstance(fact("participant_joined", participant=person), PersonJoined)


# --- agents -----------------------------------------------------------------------------------------------------------


def test_an_agent_that_is_active_has_joined() -> None:
    assert fact("participant_joined", participant=AGENT) == AgentJoined(
        participant_sid="PA_1",
        identity="agent-AJ_1",
        agent_name="mary",
        joined_at=1_800_000_005.125,
        created_at=1_800_000_006.0,
    )


@pytest.mark.parametrize("state", ["JOINING", "JOINED", "DISCONNECTED", 7])
def test_an_agent_that_is_not_active_has_not_joined(state: str | int) -> None:
    assert ignored("participant_joined", participant=AGENT | {"state": state})


def test_an_agents_attributes_say_whose_it_is_and_how_far() -> None:
    attributes = {"lk.agent.name": "mary", "lk.agent.state": "listening", "rollcall.done": "1"} | KEY.attributes()
    joined = fact("participant_joined", participant=AGENT | {"attributes": attributes})
    assert isinstance(joined, AgentJoined)
    assert (joined.agent_name, joined.key, joined.ready, joined.done) == ("mary", KEY, True, True)


def test_an_agent_without_attributes_has_no_name_and_no_key() -> None:
    joined = fact("participant_joined", participant={k: v for k, v in AGENT.items() if k != "attributes"})
    assert isinstance(joined, AgentJoined)
    assert (joined.agent_name, joined.key, joined.ready, joined.done) == (None, None, False, False)


LEAVES = {
    "CLIENT_INITIATED": LeaveReason.GOODBYE,
    "PARTICIPANT_REMOVED": LeaveReason.WISH,
    "ROOM_DELETED": LeaveReason.WISH,
    "ROOM_CLOSED": LeaveReason.WISH,
    "DUPLICATE_IDENTITY": LeaveReason.NO_LOSS,
    "MIGRATION": LeaveReason.NO_LOSS,
}


@pytest.mark.parametrize("reason", [*DisconnectReason.keys(), "STOLEN_BY_MAGPIES"])
def test_an_agents_leaving_is_classed_by_its_reason_and_is_a_failure_if_in_doubt(reason: str) -> None:
    left = fact("participant_left", participant=AGENT | {"state": "DISCONNECTED", "disconnectReason": reason})
    assert isinstance(left, AgentLeft)
    assert (left.reason, left.leave) == (reason, LEAVES.get(reason, LeaveReason.FAILURE))


def test_a_reason_that_is_absent_or_has_no_name_is_a_failure() -> None:
    absent = fact("participant_left", participant=AGENT)
    assert isinstance(absent, AgentLeft)
    assert (absent.reason, absent.leave) == ("UNKNOWN_REASON", LeaveReason.FAILURE)
    nameless = fact("participant_left", participant=AGENT | {"disconnectReason": 99})
    assert isinstance(nameless, AgentLeft)
    assert (nameless.reason, nameless.leave) == ("99", LeaveReason.FAILURE)


def test_an_agent_that_declared_itself_done_leaves_done() -> None:
    left = fact("participant_left", participant=AGENT | {"attributes": {"rollcall.done": "yes"} | KEY.attributes()})
    assert isinstance(left, AgentLeft)
    assert (left.done, left.key) == (True, KEY)


def test_an_agent_whose_connection_was_aborted() -> None:
    assert fact("participant_connection_aborted", participant=AGENT | {"state": "JOINING"}) == AgentAborted(
        participant_sid="PA_1", identity="agent-AJ_1", agent_name="mary", created_at=1_800_000_006.0
    )


# --- jobs -------------------------------------------------------------------------------------------------------------

JOB = {"id": "AJ_1", "dispatchId": "AD_1", "agentName": "mary", "type": "JT_ROOM", "metadata": "{}"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("JS_RUNNING", JobStatus.RUNNING),
        ("JS_SUCCESS", JobStatus.SUCCESS),
        ("JS_FAILED", JobStatus.FAILED),
        ("JS_PENDING", JobStatus.PENDING),
        ("JS_CANCELLED", JobStatus.PENDING),
        ("JS_OF_A_LATER_PROTOCOL", JobStatus.PENDING),
        (17, JobStatus.PENDING),
    ],
)
@pytest.mark.parametrize("kind", ["agent_job_pending", "agent_job_started", "agent_job_ended"])
def test_a_job_says_its_status(kind: str, status: str | int, expected: JobStatus) -> None:
    state = {"status": status, "error": "boom", "participantIdentity": "agent-AJ_1", "startedAt": "1"}
    job = JOB | {"state": state, "attributes": KEY.attributes()}
    assert fact(kind, job=job) == JobChanged(
        dispatch_id="AD_1",
        job_id="AJ_1",
        agent_name="mary",
        status=expected,
        identity="agent-AJ_1",
        key=KEY,
        error="boom",
        source=Source.WEBHOOK,
    )


def test_a_job_that_no_worker_took_has_no_identity() -> None:
    changed = fact("agent_job_pending", job=JOB)
    assert isinstance(changed, JobChanged)
    assert (changed.status, changed.identity) == (JobStatus.PENDING, None)


@pytest.mark.parametrize("job", [None, {}, {"id": "AJ_1"}, {"dispatchId": "AD_1"}])
def test_a_job_that_cannot_be_told_from_others_is_ignored(job: dict[str, Any] | None) -> None:
    assert ignored("agent_job_started", job=job)


# --- what we do not need, and what is none ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["track_published", "track_unpublished", "egress_started", "ingress_ended", "", "later"])
def test_kinds_that_we_do_not_need_are_ignored(kind: str) -> None:
    assert ignored(kind, participant=AGENT, track={"sid": "TR_1"}, egressInfo={"egressId": "EG_1"})


def test_fields_of_a_later_protocol_are_passed_over() -> None:
    later = {"hologram": {"deep": [[{"a": None}], 1.5e3, True]}}
    assert event("participant_joined", participant=AGENT | later, room=ROOM | later, **later) == event(
        "participant_joined", participant=AGENT
    )


def nested(opening: bytes, closing: bytes, levels: int) -> bytes:
    return b'{"event":"room_started","x":' + opening * levels + closing * levels + b"}"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"42",
        b'"room_started"',
        b"{",
        b'{"event":"room_started"',
        b'{"event":"room_started"} {}',
        b'{"event":NaN}',
        b'{"event":1}',
        b'{"event":"room_st\xffrted"}',
        b'{"event":"\\ud800"}',
        b'\xef\xbb\xbf{"event":"room_started"}',
        b'{"room":[]}',
        b'{"room":{"sid":7}}',
        b'{"room":{"creationTimeMs":"-1"}}',
        b'{"room":{"creationTimeMs":true}}',
        b'{"room":{"creationTimeMs":"soon"}}',
        b'{"createdAt":"253402300800"}',
        b'{"createdAt":' + b"9" * 5000 + b"}",
        b'{"participant":{"attributes":{"a":1}}}',
        b'{"participant":{"attributes":[]}}',
        nested(b"[", b"]", 1000),
        nested(b'{"x":', b"}", 1000),
        nested(b"[", b"]", 100_000),
    ],
    ids=lambda text: repr(text[:40]),
)
def test_what_is_no_webhook_is_malformed_and_nothing_worse(text: bytes) -> None:
    with pytest.raises(Malformed):
        parse(text)


def test_the_complaint_holds_no_value_of_the_body() -> None:
    with pytest.raises(Malformed) as complaint:
        parse(b'{"room":{"metadata":"hush","turnPassword":"hush","creationTimeMs":"hush"}}')
    assert "creationTimeMs" in str(complaint.value)
    assert "hush" not in str(complaint.value)


@given(st.binary())
def test_whatever_the_bytes_are_they_are_parsed_or_malformed(text: bytes) -> None:
    parses_or_is_malformed(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
KINDS = st.sampled_from(["room_started", "participant_joined", "participant_left", "agent_job_started"])


@given(KINDS, st.dictionaries(st.sampled_from([*AGENT, "disconnectReason"]), JSON), JSON, JSON)
def test_whatever_the_fields_hold_they_are_parsed_or_malformed(kind: str, changes: dict[str, Any], job: Any, room: Any) -> None:
    parses_or_is_malformed(body(kind, participant=AGENT | changes))
    parses_or_is_malformed(body(kind, job=job, room=room))


@pytest.mark.parametrize("sample", WEBHOOKS, ids=str)
def test_a_webhook_cut_off_anywhere_is_malformed(sample: Sample) -> None:
    for length in range(len(sample.body)):
        with pytest.raises(Malformed):
            parse(sample.body[:length])


def parses_or_is_malformed(text: bytes) -> None:
    try:
        parsed = parse(text)
    except Malformed:
        return
    assert isinstance(parsed, Event | Ignored)
