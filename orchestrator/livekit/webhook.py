"""A webhook's body, already verified, in; what it tells us, out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from orchestrator import contract
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
from orchestrator.core.proof import Key, agent_name_of, is_ready, warning_in
from orchestrator.livekit.wire import Enum, JobState, Room, Webhook, decode


@dataclass(frozen=True, slots=True)
class Event:
    """A webhook that tells us something of one session."""

    kind: str
    event_id: str | None
    """LiveKit's id of the event, the same on its retries."""
    created_at: float
    opening: RoomOpened
    """Opens the session, if this is the first that we hear of it."""
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A webhook that we do not need: tracks, egress, ingress, rooms without a sid, kinds of a later protocol."""

    kind: str
    event_id: str | None = None
    opening: RoomOpened | None = None
    """The room that it is about, if it is about one."""


def parse(body: bytes) -> Event | Ignored:
    """Read the body of a verified webhook. Raises Malformed for whatever is no JSON object of the expected shape."""
    webhook = decode(body)
    read = _FACTS.get(webhook.event)
    if read is None or webhook.room is None or not webhook.room.sid:
        return _ignored(webhook)
    fact = read(webhook)
    if fact is None:
        return _ignored(webhook)
    return Event(
        kind=webhook.event,
        event_id=webhook.id or None,
        created_at=float(webhook.created_at),
        opening=_opening(webhook.room, webhook.created_at),
        facts=(fact,),
    )


def _ignored(webhook: Webhook) -> Ignored:
    opening = None if webhook.room is None else _opening(webhook.room, webhook.created_at)
    return Ignored(webhook.event, webhook.id or None, opening)


def _opening(room: Room, created_at: int) -> RoomOpened:
    started_at = _in_seconds(room.creation_time_ms, room.creation_time) or float(created_at)
    return RoomOpened(room=room.name, sid=room.sid, started_at=started_at, metadata=room.metadata)


# --- the kinds that we need -------------------------------------------------------------------------------------------


def _room_started(webhook: Webhook) -> Fact:
    return RoomStarted(created_at=float(webhook.created_at))


def _room_finished(webhook: Webhook) -> Fact:
    return RoomFinished(created_at=float(webhook.created_at))


def _participant_joined(webhook: Webhook) -> Fact | None:
    participant = webhook.participant
    if participant is None or not participant.sid:
        return None
    if participant.kind in _PEOPLE:
        return PersonJoined(participant.sid, participant.identity, float(webhook.created_at))
    if participant.kind != _AGENT or participant.state != _ACTIVE:  # proof is an agent that is there, not on its way
        return None
    return AgentJoined(
        participant_sid=participant.sid,
        identity=participant.identity,
        agent_name=agent_name_of(participant.attributes),
        joined_at=_in_seconds(participant.joined_at_ms, participant.joined_at),
        created_at=float(webhook.created_at),
        key=Key.read(participant.attributes),
        ready=is_ready(participant.attributes),
        done=_is_done(participant.attributes),
        warning=warning_in(participant.attributes),
    )


def _participant_left(webhook: Webhook) -> Fact | None:
    participant = webhook.participant
    if participant is None or not participant.sid:
        return None
    if participant.kind in _PEOPLE:
        return PersonLeft(participant.sid, participant.identity, float(webhook.created_at))
    if participant.kind != _AGENT:
        return None
    reason = str(participant.disconnect_reason)
    return AgentLeft(
        participant_sid=participant.sid,
        identity=participant.identity,
        agent_name=agent_name_of(participant.attributes),
        joined_at=_in_seconds(participant.joined_at_ms, participant.joined_at),
        created_at=float(webhook.created_at),
        reason=reason,
        leave=_LEAVES.get(reason, LeaveReason.FAILURE),
        key=Key.read(participant.attributes),
        done=_is_done(participant.attributes),
    )


def _participant_aborted(webhook: Webhook) -> Fact | None:
    participant = webhook.participant
    if participant is None or participant.kind != _AGENT:
        return None
    return AgentAborted(
        participant_sid=participant.sid,
        identity=participant.identity,
        agent_name=agent_name_of(participant.attributes),
        created_at=float(webhook.created_at),
    )


def _job_changed(webhook: Webhook) -> Fact | None:
    job = webhook.job
    if job is None or not job.id or not job.dispatch_id:
        return None
    state = job.state or JobState()
    return JobChanged(
        dispatch_id=job.dispatch_id,
        job_id=job.id,
        agent_name=job.agent_name,
        status=_JOB_STATUS.get(state.status, JobStatus.PENDING),
        identity=state.participant_identity or None,
        key=Key.read(job.attributes),
        error=state.error,
        source=Source.WEBHOOK,
    )


def _is_done(attributes: Mapping[str, str]) -> bool:
    return bool(attributes.get(contract.DONE_ATTRIBUTE))


def _in_seconds(milliseconds: int, seconds: int) -> float:
    """Unix seconds, from the finer field where the server fills it."""
    return milliseconds / 1000 if milliseconds else float(seconds)


_AGENT: Final = "AGENT"
_ACTIVE: Final = "ACTIVE"
_PEOPLE: Final = frozenset({"STANDARD", "SIP", "CONNECTOR"})

_LEAVES: Final = {
    "CLIENT_INITIATED": LeaveReason.GOODBYE,
    "PARTICIPANT_REMOVED": LeaveReason.WISH,
    "ROOM_DELETED": LeaveReason.WISH,
    "ROOM_CLOSED": LeaveReason.WISH,
    "DUPLICATE_IDENTITY": LeaveReason.NO_LOSS,
    "MIGRATION": LeaveReason.NO_LOSS,
}
"""Every other reason, of this protocol or a later one, is a failure: better one agent too early than a silent room."""

_JOB_STATUS: Final[Mapping[Enum, JobStatus]] = {
    "JS_RUNNING": JobStatus.RUNNING,
    "JS_SUCCESS": JobStatus.SUCCESS,
    "JS_FAILED": JobStatus.FAILED,
}
"""Every other status, of this protocol or a later one, is read as pending, which claims nothing."""

_FACTS: Final[dict[str, Callable[[Webhook], Fact | None]]] = {
    "room_started": _room_started,
    "room_finished": _room_finished,
    "participant_joined": _participant_joined,
    "participant_left": _participant_left,
    "participant_connection_aborted": _participant_aborted,
    "agent_job_pending": _job_changed,
    "agent_job_started": _job_changed,
    "agent_job_ended": _job_changed,
}
