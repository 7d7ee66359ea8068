"""What the sandbox sends is, byte for byte, what livekit-server sends."""

from __future__ import annotations

import pytest

from orchestrator.core.facts import AgentLeft, LeaveReason
from orchestrator.livekit.webhook import Event, parse
from orchestrator.sandbox.model import NOTHING, Participant, Room, Webhook
from orchestrator.sandbox.wire import body
from tests.samples import WEBHOOKS, Sample


def as_seen_by_the_sandbox(sample: Sample) -> Webhook:
    content = sample.content
    room, participant = content["room"], content.get("participant")
    return Webhook(
        id=content["id"],
        event=content["event"],
        created_at=int(content["createdAt"]),
        room=Room(
            sid=room["sid"],
            name=room.get("name", ""),
            created_at=int(room["creationTimeMs"]) / 1000,
            metadata=room.get("metadata", ""),
            empty_timeout=room["emptyTimeout"],
            departure_timeout=room["departureTimeout"],
            num_participants=room.get("numParticipants", 0),
            turn_password=room["turnPassword"],
        ),
        participant=participant
        and Participant(
            sid=participant["sid"],
            identity=participant["identity"],
            kind=participant.get("kind", "STANDARD"),
            state=participant["state"],
            joined_at=int(participant["joinedAtMs"]) / 1000,
            attributes=participant.get("attributes", NOTHING),
            version=participant["version"],
            disconnect_reason=participant.get("disconnectReason", ""),
        ),
        queued_at=0.0,
    )


@pytest.mark.parametrize("sample", WEBHOOKS, ids=str)
def test_a_body_is_the_one_that_a_real_server_sent(sample: Sample) -> None:
    assert body(as_seen_by_the_sandbox(sample)) == sample.body


def test_a_body_is_read_by_the_real_door() -> None:
    room = Room("RM_1", "räume/1", 1_700_000_000.123, metadata='{"kind": "demo"}')
    agent = Participant(
        "PA_1",
        "agent-AJ_1",
        "AGENT",
        "DISCONNECTED",
        1_700_000_001.5,
        attributes={"lk.agent_name": "mary", "rollcall.done": "true"},
        disconnect_reason="CLIENT_INITIATED",
    )
    event = parse(body(Webhook("EV_1", "participant_left", 1_700_000_002, room, agent, 0.0)))
    assert isinstance(event, Event)
    assert (event.opening.room, event.opening.sid, event.opening.metadata) == ("räume/1", "RM_1", '{"kind": "demo"}')
    [left] = event.facts
    assert isinstance(left, AgentLeft)
    assert (left.agent_name, left.leave, left.done, left.joined_at) == ("mary", LeaveReason.GOODBYE, True, 1_700_000_001.5)


def test_the_rooms_secret_is_sent_and_never_shown() -> None:
    room = Room("RM_1", "r", 0.0, turn_password="secret-of-the-room")
    assert "secret-of-the-room" not in repr(room)
    assert b"secret-of-the-room" in body(Webhook("EV_1", "room_started", 0, room, None, 0.0))
