"""A webhook's body without what may be nobody's business: for people to read, and to be sent to our door once more.

What is kept is named; what is new in a later protocol is left out until somebody has looked at it.
"""

from typing import Any, Final

import msgspec

from orchestrator import contract

HIDDEN: Final = "…"
"""Stands where something was that is not kept."""

_MEMBERS: Final = frozenset({"event", "id", "createdAt", "numDropped", "room", "participant", "track", "job"})
"""Of a webhook. Egress and ingress hold keys of storage, and addresses to stream to."""

_ROOM: Final = (
    "sid name emptyTimeout departureTimeout maxParticipants creationTime creationTimeMs enabledCodecs mime "
    "numParticipants numPublishers activeRecording version unixMicro ticks"
)
_PARTICIPANT: Final = (
    "sid identity name kind kindDetails state tracks joinedAt joinedAtMs version permission region isPublisher "
    "disconnectReason clientProtocol canSubscribe canPublish canPublishData canPublishSources hidden recorder "
    "canUpdateMetadata agent canSubscribeMetrics"
)
_TRACK: Final = "sid type name muted width height simulcast source mimeType mid codecs layers quality stereo encryption stream"
_JOB: Final = (
    "id dispatchId type room participant namespace agentName state enableRecording deployment status error startedAt endedAt "
    "updatedAt participantIdentity workerId agentId"
)

_INSIDE: Final = frozenset((*_ROOM.split(), *_PARTICIPANT.split(), *_TRACK.split(), *_JOB.split()))
"""Members of what is in a webhook, wherever they stand."""

_LEFT_OUT: Final = frozenset({"turnPassword", "turn_password"})
"""Of every room. Whoever looks for it in what we keep should find nothing."""

_OURS: Final = frozenset(
    {
        contract.SESSION_ATTRIBUTE,
        contract.PLACEMENT_ATTRIBUTE,
        contract.ATTEMPT_ATTRIBUTE,
        contract.ATTEMPT_ID_ATTRIBUTE,
        contract.DONE_ATTRIBUTE,
        contract.READY_ATTRIBUTE,
        contract.WARNING_ATTRIBUTE,
        contract.AGENT_STATE_ATTRIBUTE,
        *contract.AGENT_NAME_ATTRIBUTES,
    }
)
"""Attributes that tell which agent it is and how it does, which sessions show anyway; without them it would be another fact."""


def redacted(body: bytes) -> dict[str, Any] | None:
    """The body's JSON object; None for what is none."""
    try:
        decoded = msgspec.json.decode(body)
        if not isinstance(decoded, dict):
            return None
        return {name: _hide(value) if name in _MEMBERS else HIDDEN for name, value in decoded.items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def hides_room_metadata(body: dict[str, Any]) -> bool:
    """Whether the room had metadata, by which routes may have chosen its agents."""
    room = body.get("room")
    return isinstance(room, dict) and room.get("metadata") == HIDDEN


def _hide(value: Any) -> Any:
    if isinstance(value, list):
        return [_hide(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _member(name, item) for name, item in value.items() if name not in _LEFT_OUT}


def _member(name: str, value: Any) -> Any:
    if name in _INSIDE:
        return _hide(value)
    if name == "attributes" and isinstance(value, dict):
        return {attribute: text if attribute in _OURS else HIDDEN for attribute, text in value.items()}
    return HIDDEN if value else value
