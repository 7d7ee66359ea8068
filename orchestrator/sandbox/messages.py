"""The sandbox's records as LiveKit's protobuf messages."""

from typing import Final

from livekit.protocol.agent import JT_ROOM, JobState
from livekit.protocol.agent import Job as JobMessage
from livekit.protocol.agent_dispatch import AgentDispatch, AgentDispatchState
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.models import Room as RoomMessage

from orchestrator.sandbox.model import Dispatch, Job, Participant, Room

_NANOSECONDS: Final = 1_000_000_000


def room_message(room: Room) -> RoomMessage:
    return RoomMessage(
        sid=room.sid,
        name=room.name,
        empty_timeout=round(room.empty_timeout),
        departure_timeout=round(room.departure_timeout),
        creation_time=int(room.created_at),
        creation_time_ms=_milliseconds(room.created_at),
        turn_password=room.turn_password,
        metadata=room.metadata,
        num_participants=room.num_participants,
    )


def participant_message(participant: Participant) -> ParticipantInfo:
    return ParticipantInfo(
        sid=participant.sid,
        identity=participant.identity,
        state=participant.state,
        metadata=participant.metadata,
        joined_at=int(participant.joined_at),
        joined_at_ms=_milliseconds(participant.joined_at),
        name=participant.name,
        version=participant.version,
        kind=participant.kind,
        attributes=participant.attributes,
    )


def dispatch_message(dispatch: Dispatch) -> AgentDispatch:
    return AgentDispatch(
        id=dispatch.id,
        agent_name=dispatch.agent_name,
        room=dispatch.room,
        metadata=dispatch.metadata,
        attributes=dispatch.attributes,
        state=AgentDispatchState(
            created_at=round(dispatch.created_at * _NANOSECONDS),
            jobs=[_job_message(job) for job in dispatch.jobs],
        ),
    )


def _job_message(job: Job) -> JobMessage:
    return JobMessage(
        id=job.id,
        dispatch_id=job.dispatch_id,
        type=JT_ROOM,
        room=RoomMessage(name=job.room),
        metadata=job.metadata,
        agent_name=job.agent_name,
        attributes=job.attributes,
        state=JobState(
            status=job.status,
            error=job.error,
            participant_identity=job.participant_identity,
            worker_id=job.worker_id,
        ),
    )


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
