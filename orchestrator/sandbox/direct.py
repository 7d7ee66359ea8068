"""The sandbox in process, as the runtime's port: no HTTP, and the same errors, timeouts and keys as the real adapter's."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from livekit.api.twirp_client import ServerError

from orchestrator import contract
from orchestrator.core.facts import CandidateSpec, JobStatus
from orchestrator.core.listing import ListedDispatch, ListedJob, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key, agent_name_of, is_ready
from orchestrator.livekit.api import CALL_TIMEOUT, NOT_THERE_AFTER, PULSE_MARGIN
from orchestrator.livekit.errors import NO_ANSWER, translated
from orchestrator.livekit.pulse import pulse_in
from orchestrator.runtime.ports import Clock, Pulse, PulseReply
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.model import PEOPLE, AgentRequest, ApiError, Dispatch, Participant, Room

_JOB_STATUS: Final = {"JS_RUNNING": JobStatus.RUNNING, "JS_SUCCESS": JobStatus.SUCCESS, "JS_FAILED": JobStatus.FAILED}

_TOO_MANY_REQUESTS: Final = 429


def _nobody_counts() -> None:
    return None


class DirectLiveKit:
    """The port `LiveKit` over a sandbox, for the replica of this name: what it is cut off from is in `sandbox.unreachable`.

    Keys travel in the dispatch's attributes. `on_throttled` is called for every 429.
    """

    def __init__(
        self, sandbox: Sandbox, clock: Clock, *, replica: str = "", on_throttled: Callable[[], None] = _nobody_counts
    ) -> None:
        self._sandbox = sandbox
        self._clock = clock
        self._replica = replica
        self._on_throttled = on_throttled

    async def room(self, name: str) -> ListedRoom | None:
        async with self._call("ListRooms"):
            rooms = await self._sandbox.list_rooms([name])
        return next((_listed_room(room) for room in rooms), None)

    async def rooms(self) -> tuple[ListedRoom, ...]:
        async with self._call("ListRooms"):
            rooms = await self._sandbox.list_rooms()
        return tuple(_listed_room(room) for room in rooms)

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]:
        async with self._call("ListParticipants"):
            participants = await self._sandbox.list_participants(room)
        return tuple(_listed_participant(participant) for participant in participants)

    async def dispatches(self, room: str) -> tuple[ListedDispatch, ...]:
        async with self._call("ListDispatch"):
            dispatches = await self._sandbox.list_dispatch(room)
        return tuple(_listed_dispatch(dispatch) for dispatch in dispatches)

    async def create_dispatch(self, room: str, agent: CandidateSpec, key: Key) -> str:
        attributes = {**dict(agent.attributes), **key.attributes()}
        async with self._call("CreateDispatch"):
            dispatch = await self._sandbox.create_dispatch(room, agent.agent_name, agent.metadata, attributes)
        return dispatch.id

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        async with self._call("DeleteDispatch"):
            await self._sandbox.delete_dispatch(room, dispatch_id)

    async def remove_participant(self, room: str, identity: str) -> None:
        async with self._call("RemoveParticipant"):
            await self._sandbox.remove_participant(room, identity)

    async def create_room(self, name: str, *, metadata: str, agents: Sequence[CandidateSpec]) -> ListedRoom:
        asked = [AgentRequest(agent.agent_name, agent.metadata, dict(agent.attributes)) for agent in agents]
        async with self._call("CreateRoom"):
            return _listed_room(await self._sandbox.create_room_call(name, metadata=metadata, agents=asked))

    async def update_room_metadata(self, name: str, metadata: str) -> ListedRoom:
        async with self._call("UpdateRoomMetadata"):
            return _listed_room(await self._sandbox.update_room_metadata(name, metadata))

    async def delete_room(self, room: str) -> None:
        async with self._call("DeleteRoom"):
            await self._sandbox.delete_room_call(room)

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        asked_at = self._clock.monotonic()
        try:
            async with self._request(max(timeout, NOT_THERE_AFTER) + PULSE_MARGIN):
                await self._sandbox.perform_rpc(room, identity, contract.PULSE_METHOD, "", timeout)
            pulse = Pulse.ALIVE
        except ServerError as refusal:
            pulse = pulse_in(refusal)
        except NO_ANSWER:
            pulse = Pulse.UNKNOWN
        return PulseReply(pulse, rtt_ms=(self._clock.monotonic() - asked_at) * 1000)

    @asynccontextmanager
    async def _call(self, method: str) -> AsyncIterator[None]:
        with translated(method):
            async with self._request(CALL_TIMEOUT):
                yield

    @asynccontextmanager
    async def _request(self, patience: float) -> AsyncIterator[None]:
        """Around a call: what the real client would raise, and the network of this replica, there and back."""
        async with asyncio.timeout(patience):
            await self._through_the_network()
            try:
                yield
            except ApiError as refusal:
                await self._through_the_network()
                raise self._as_raised(refusal) from refusal
            await self._through_the_network()

    async def _through_the_network(self) -> None:
        if self._replica in self._sandbox.unreachable:
            await asyncio.Event().wait()  # nothing comes back: the timeout ends it

    def _as_raised(self, refusal: ApiError) -> Exception:
        if refusal.status == 0:
            return ConnectionError(refusal.message)
        if refusal.status == _TOO_MANY_REQUESTS:
            self._on_throttled()
        return ServerError(refusal.code, refusal.message, status=refusal.status)


def _listed_room(room: Room) -> ListedRoom:
    return ListedRoom(room.sid, room.name, room.created_at, room.metadata, room.num_participants)


def _listed_participant(participant: Participant) -> ListedParticipant:
    return ListedParticipant(
        sid=participant.sid,
        identity=participant.identity,
        is_agent=participant.is_agent,
        is_person=participant.kind in PEOPLE,
        active=participant.state == "ACTIVE",
        joined_at=participant.joined_at,
        agent_name=agent_name_of(participant.attributes),
        key=Key.read(participant.attributes),
        ready=is_ready(participant.attributes),
        done=bool(participant.attributes.get(contract.DONE_ATTRIBUTE)),
    )


def _listed_dispatch(dispatch: Dispatch) -> ListedDispatch:
    return ListedDispatch(
        dispatch_id=dispatch.id,
        agent_name=dispatch.agent_name,
        key=Key.read(dispatch.attributes),
        jobs=tuple(
            ListedJob(job.id, _JOB_STATUS.get(job.status, JobStatus.PENDING), job.participant_identity or None, job.error)
            for job in dispatch.jobs
        ),
    )
