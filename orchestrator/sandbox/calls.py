"""The calls of LiveKit's API that the sandbox answers, as LiveKit's protobuf has them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from livekit.protocol.agent_dispatch import (
    AgentDispatch,
    CreateAgentDispatchRequest,
    DeleteAgentDispatchRequest,
    ListAgentDispatchRequest,
    ListAgentDispatchResponse,
    RoomAgentDispatch,
)
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.models import Room as RoomMessage
from livekit.protocol.room import (
    CreateRoomRequest,
    DeleteRoomRequest,
    DeleteRoomResponse,
    ListParticipantsRequest,
    ListParticipantsResponse,
    ListRoomsRequest,
    ListRoomsResponse,
    PerformRpcRequest,
    PerformRpcResponse,
    RemoveParticipantResponse,
    RoomParticipantIdentity,
    UpdateRoomMetadataRequest,
)

from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.messages import dispatch_message, participant_message, room_message
from orchestrator.sandbox.model import AgentRequest, ApiError
from orchestrator.sandbox.signing import Right
from orchestrator.sandbox.twirp import Call

EMPTY_TIMEOUT: Final = 300
DEPARTURE_TIMEOUT: Final = 20
"""Seconds after which LiveKit ends a room, where CreateRoom says nothing else."""


def calls(sandbox: Sandbox) -> Mapping[str, Call[Any]]:
    """The calls by "service/method", each with the right that it takes."""
    rooms, dispatches = _Rooms(sandbox), _Dispatches(sandbox)
    return {
        "livekit.RoomService/CreateRoom": Call(CreateRoomRequest, Right.CREATE_ROOMS, rooms.create),
        "livekit.RoomService/ListRooms": Call(ListRoomsRequest, Right.LIST_ROOMS, rooms.list),
        "livekit.RoomService/DeleteRoom": Call(DeleteRoomRequest, Right.CREATE_ROOMS, rooms.delete),
        "livekit.RoomService/UpdateRoomMetadata": Call(UpdateRoomMetadataRequest, Right.ADMINISTER, rooms.update_metadata),
        "livekit.RoomService/ListParticipants": Call(ListParticipantsRequest, Right.ADMINISTER, rooms.list_participants),
        "livekit.RoomService/GetParticipant": Call(RoomParticipantIdentity, Right.ADMINISTER, rooms.get_participant),
        "livekit.RoomService/RemoveParticipant": Call(RoomParticipantIdentity, Right.ADMINISTER, rooms.remove_participant),
        "livekit.RoomService/PerformRpc": Call(PerformRpcRequest, Right.ADMINISTER, rooms.perform_rpc),
        "livekit.AgentDispatchService/CreateDispatch": Call(CreateAgentDispatchRequest, Right.ADMINISTER, dispatches.create),
        "livekit.AgentDispatchService/ListDispatch": Call(ListAgentDispatchRequest, Right.ADMINISTER, dispatches.list),
        "livekit.AgentDispatchService/DeleteDispatch": Call(DeleteAgentDispatchRequest, Right.ADMINISTER, dispatches.delete),
    }


class _Rooms:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def create(self, asked: CreateRoomRequest) -> RoomMessage:
        room = await self._sandbox.create_room_call(
            asked.name,
            metadata=asked.metadata,
            agents=_agents(asked.agents),
            empty_timeout=asked.empty_timeout or EMPTY_TIMEOUT,
            departure_timeout=asked.departure_timeout or DEPARTURE_TIMEOUT,
        )
        return room_message(room)

    async def list(self, asked: ListRoomsRequest) -> ListRoomsResponse:
        rooms = await self._sandbox.list_rooms(list(asked.names))
        return ListRoomsResponse(rooms=[room_message(room) for room in rooms])

    async def delete(self, asked: DeleteRoomRequest) -> DeleteRoomResponse:
        await self._sandbox.delete_room_call(asked.room)
        return DeleteRoomResponse()

    async def update_metadata(self, asked: UpdateRoomMetadataRequest) -> RoomMessage:
        return room_message(await self._sandbox.update_room_metadata(asked.room, asked.metadata))

    async def list_participants(self, asked: ListParticipantsRequest) -> ListParticipantsResponse:
        participants = await self._sandbox.list_participants(asked.room)
        return ListParticipantsResponse(participants=[participant_message(participant) for participant in participants])

    async def get_participant(self, asked: RoomParticipantIdentity) -> ParticipantInfo:
        for participant in await self._sandbox.list_participants(asked.room):
            if participant.identity == asked.identity:
                return participant_message(participant)
        raise ApiError(404, "not_found", "twirp error unknown: participant does not exist")

    async def remove_participant(self, asked: RoomParticipantIdentity) -> RemoveParticipantResponse:
        await self._sandbox.remove_participant(asked.room, asked.identity)
        return RemoveParticipantResponse()

    async def perform_rpc(self, asked: PerformRpcRequest) -> PerformRpcResponse:
        payload = await self._sandbox.perform_rpc(
            asked.room, asked.destination_identity, asked.method, asked.payload, asked.response_timeout_ms / 1000
        )
        return PerformRpcResponse(payload=payload)


class _Dispatches:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    async def create(self, asked: CreateAgentDispatchRequest) -> AgentDispatch:
        dispatch = await self._sandbox.create_dispatch(asked.room, asked.agent_name, asked.metadata, dict(asked.attributes))
        return dispatch_message(dispatch)

    async def list(self, asked: ListAgentDispatchRequest) -> ListAgentDispatchResponse:
        dispatches = await self._sandbox.list_dispatch(asked.room)
        return ListAgentDispatchResponse(
            agent_dispatches=[dispatch_message(dispatch) for dispatch in dispatches if asked.dispatch_id in {"", dispatch.id}]
        )

    async def delete(self, asked: DeleteAgentDispatchRequest) -> AgentDispatch:
        return dispatch_message(await self._sandbox.delete_dispatch(asked.room, asked.dispatch_id))


def _agents(asked: Iterable[RoomAgentDispatch]) -> list[AgentRequest]:
    return [AgentRequest(agent.agent_name, agent.metadata, dict(agent.attributes)) for agent in asked]
