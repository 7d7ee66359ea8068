"""LiveKit's protobuf messages, read into the records that the runtime knows."""

from typing import Final

import msgspec
from livekit.protocol.agent import JS_FAILED, JS_RUNNING, JS_SUCCESS, Job
from livekit.protocol.agent_dispatch import AgentDispatch
from livekit.protocol.models import ParticipantInfo, Room

from orchestrator import contract
from orchestrator.core.facts import JobStatus
from orchestrator.core.listing import ListedDispatch, ListedJob, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key, agent_name_of, is_ready, warning_in

_PEOPLE: Final = frozenset({ParticipantInfo.STANDARD, ParticipantInfo.SIP, ParticipantInfo.CONNECTOR})

_JOB_STATUS: Final = {JS_RUNNING: JobStatus.RUNNING, JS_SUCCESS: JobStatus.SUCCESS, JS_FAILED: JobStatus.FAILED}
"""Every other status, of this protocol or a later one, is read as pending, which claims nothing."""


def listed_room(room: Room) -> ListedRoom:
    return ListedRoom(
        sid=room.sid,
        name=room.name,
        created_at=_seconds(room.creation_time_ms, room.creation_time),
        metadata=room.metadata,
        num_participants=room.num_participants,
    )


def listed_participant(participant: ParticipantInfo) -> ListedParticipant:
    attributes = dict(participant.attributes)  # protobuf's own map answers "" for what it lacks
    return ListedParticipant(
        sid=participant.sid,
        identity=participant.identity,
        is_agent=participant.kind == ParticipantInfo.AGENT,
        is_person=participant.kind in _PEOPLE,
        active=participant.state == ParticipantInfo.ACTIVE,
        joined_at=_seconds(participant.joined_at_ms, participant.joined_at),
        agent_name=agent_name_of(attributes),
        key=Key.read(attributes),
        ready=is_ready(attributes),
        done=bool(attributes.get(contract.DONE_ATTRIBUTE)),
        warning=warning_in(attributes),
    )


def listed_dispatch(dispatch: AgentDispatch) -> ListedDispatch:
    return ListedDispatch(
        dispatch_id=dispatch.id,
        agent_name=dispatch.agent_name,
        key=Key.read(dict(dispatch.attributes)) or _key_in(dispatch.metadata),
        jobs=tuple(_listed_job(job) for job in dispatch.state.jobs),
    )


def _listed_job(job: Job) -> ListedJob:
    return ListedJob(
        job_id=job.id,
        status=_JOB_STATUS.get(job.state.status, JobStatus.PENDING),
        identity=job.state.participant_identity or None,
        error=job.state.error,
    )


def _key_in(metadata: str) -> Key | None:
    """The key in the job metadata, which is anybody's text: a foreign one may be no JSON, or a trap of brackets."""
    if contract.RESERVED_KEY not in metadata:
        return None
    try:
        return Key.read_reserved(msgspec.json.decode(metadata))
    except (msgspec.DecodeError, RecursionError):
        return None


def _seconds(milliseconds: int, seconds: int) -> float:
    """Unix seconds, from the finer field where the server fills it."""
    return milliseconds / 1000 if milliseconds else float(seconds)
