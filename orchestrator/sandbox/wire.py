"""A webhook's body, byte for byte as livekit-server 1.13.5 writes protobuf JSON."""

import json
from typing import Any, Final

from orchestrator.sandbox.model import Participant, Room, Webhook

_CODECS: Final = [
    {"mime": mime}
    for mime in (
        "audio/PCMU",
        "audio/PCMA",
        "audio/opus",
        "audio/red",
        "video/VP8",
        "video/H264",
        "video/VP9",
        "video/AV1",
        "video/H265",
        "video/rtx",
    )
]

_PERMISSION: Final = {"canSubscribe": True, "canPublish": True, "canPublishData": True}
_AGENT_PERMISSION: Final = _PERMISSION | {"canUpdateMetadata": True, "agent": True}

_CLIENT_PROTOCOL: Final = 2
_CAPABILITIES: Final = ["CAP_PACKET_TRAILER", "CAP_COMPRESSION_DEFLATE_RAW"]


def body(webhook: Webhook) -> bytes:
    """The bytes to sign and send. They hold the room's `turnPassword`, as the real ones do."""
    content = {
        "event": webhook.event,
        "room": _room(webhook.room),
        "participant": _participant(webhook.participant) if webhook.participant else None,
        "id": webhook.id,
        "createdAt": str(webhook.created_at),
    }
    return json.dumps(_filled(content), ensure_ascii=False, separators=(", ", ":")).encode()


def _room(room: Room) -> dict[str, Any]:
    return _filled(
        {
            "sid": room.sid,
            "name": room.name,
            "emptyTimeout": round(room.empty_timeout),
            "departureTimeout": round(room.departure_timeout),
            "creationTime": str(int(room.created_at)),
            "creationTimeMs": _milliseconds(room.created_at),
            "turnPassword": room.turn_password,
            "enabledCodecs": _CODECS,
            "metadata": room.metadata,
            "numParticipants": room.num_participants,
        }
    )


def _participant(participant: Participant) -> dict[str, Any]:
    return _filled(
        {
            "sid": participant.sid,
            "identity": participant.identity,
            "state": "" if participant.state == "JOINING" else participant.state,
            "metadata": participant.metadata,
            "joinedAt": str(int(participant.joined_at)),
            "joinedAtMs": _milliseconds(participant.joined_at),
            "name": participant.name,
            "version": participant.version,
            "permission": _AGENT_PERMISSION if participant.is_agent else _PERMISSION,
            "kind": "" if participant.kind == "STANDARD" else participant.kind,
            "attributes": dict(sorted(participant.attributes.items())),
            "disconnectReason": participant.disconnect_reason,
            "clientProtocol": _CLIENT_PROTOCOL,
            "capabilities": _CAPABILITIES,
        }
    )


def _milliseconds(seconds: float) -> str:
    """64-bit integers are strings in protobuf JSON."""
    return str(round(seconds * 1000))


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    """Protobuf JSON leaves out what has its default value: the first value of an enum, too."""
    return {name: value for name, value in fields.items() if value}
