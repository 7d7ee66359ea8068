"""LiveKit's API, as the runtime's port wants it: one HTTP request per call, never repeated, errors translated.

All calls go through livekit-api's Twirp client, not through its services: those sign a token per call, which costs more
than a third of a call's CPU, let a call hang for ever, and know no PerformRpc.
"""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self, TypeVar

import aiohttp
from google.protobuf.message import Message
from livekit.api.twirp_client import ServerError, TwirpClient
from livekit.protocol.agent_dispatch import (
    JRP_NEVER,
    AgentDispatch,
    CreateAgentDispatchRequest,
    DeleteAgentDispatchRequest,
    ListAgentDispatchRequest,
    ListAgentDispatchResponse,
)
from livekit.protocol.models import Room
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

from orchestrator import contract
from orchestrator.core.facts import CandidateSpec
from orchestrator.core.listing import ListedDispatch, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key
from orchestrator.livekit.errors import NO_ANSWER, translated
from orchestrator.livekit.grants import asked_agent
from orchestrator.livekit.listing import listed_dispatch, listed_participant, listed_room
from orchestrator.livekit.pulse import pulse_in
from orchestrator.livekit.tokens import ApiTokens
from orchestrator.runtime.ports import Clock, LiveKitUnavailable, Pulse, PulseReply

CALL_TIMEOUT: Final = 5.0
"""Seconds for a whole call; LiveKit itself gives up after 3 s on what its nodes do not answer."""

NOT_THERE_AFTER: Final = 3.0
"""Seconds after which LiveKit says that nobody has taken a PerformRpc: cut off sooner, that would never be heard."""

PULSE_MARGIN: Final = 1.0
"""Seconds that a PerformRpc may take beyond what LiveKit needs."""

CONNECTIONS: Final = 512
"""Open connections at most. Hanging questions to a dead node (3 s each) must not keep dispatches out of the pool, and
half of the usual 1,024 file descriptors must be left to others."""

_ROOMS: Final = "RoomService"
_DISPATCHES: Final = "AgentDispatchService"

Answer = TypeVar("Answer", bound=Message)


class LiveKitApi:
    """One LiveKit project over HTTP. To be made inside a running event loop, and closed.

    `url` as in LIVEKIT_URL (ws, wss, http or https). `on_throttled` is called for every 429, whatever the call.
    """

    def __init__(
        self, url: str, key: str, secret: str, *, clock: Clock, on_throttled: Callable[[], None], timeout: float = CALL_TIMEOUT
    ) -> None:
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._on_throttled = on_throttled
        self._tokens = ApiTokens(key, secret, clock.monotonic)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
            raise_for_status=_refuse_foreign_success,
        )
        # On *.livekit.cloud the client's failover would repeat a CreateDispatch whose reply was lost.
        self._client = TwirpClient(self._session, url, "livekit", failover=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        await self._session.close()

    async def room(self, name: str) -> ListedRoom | None:
        token = self._tokens.to_list_rooms()
        answer = await self._call(_ROOMS, "ListRooms", ListRoomsRequest(names=[name]), token, ListRoomsResponse)
        return next((listed_room(room) for room in answer.rooms if room.name == name), None)

    async def rooms(self) -> tuple[ListedRoom, ...]:
        answer = await self._call(_ROOMS, "ListRooms", ListRoomsRequest(), self._tokens.to_list_rooms(), ListRoomsResponse)
        return tuple(listed_room(room) for room in answer.rooms)

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]:
        token = self._tokens.to_administer(room)
        request = ListParticipantsRequest(room=room)
        answer = await self._call(_ROOMS, "ListParticipants", request, token, ListParticipantsResponse)
        return tuple(listed_participant(participant) for participant in answer.participants)

    async def dispatches(self, room: str) -> tuple[ListedDispatch, ...]:
        token = self._tokens.to_administer(room)
        request = ListAgentDispatchRequest(room=room)
        answer = await self._call(_DISPATCHES, "ListDispatch", request, token, ListAgentDispatchResponse)
        return tuple(listed_dispatch(dispatch) for dispatch in answer.agent_dispatches)

    async def create_dispatch(self, room: str, agent: CandidateSpec, key: Key) -> str:
        """The key travels in the attributes (servers from 1.13.2), and in the metadata, where the caller has put it."""
        token = self._tokens.to_administer(room)
        request = CreateAgentDispatchRequest(
            room=room,
            agent_name=agent.agent_name,
            metadata=agent.metadata,
            deployment=agent.deployment,
            attributes={**dict(agent.attributes), **key.attributes()},
            restart_policy=JRP_NEVER,  # Cloud's own restart beside our next attempt would make two agents
        )
        dispatch = await self._call(_DISPATCHES, "CreateDispatch", request, token, AgentDispatch)
        if not dispatch.id:
            raise LiveKitUnavailable("CreateDispatch: the answer names no dispatch")
        return dispatch.id

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        token = self._tokens.to_administer(room)
        request = DeleteAgentDispatchRequest(room=room, dispatch_id=dispatch_id)
        await self._call(_DISPATCHES, "DeleteDispatch", request, token, AgentDispatch)

    async def remove_participant(self, room: str, identity: str) -> None:
        token = self._tokens.to_administer(room)
        request = RoomParticipantIdentity(room=room, identity=identity)
        await self._call(_ROOMS, "RemoveParticipant", request, token, RemoveParticipantResponse)

    async def create_room(self, name: str, *, metadata: str, agents: Sequence[CandidateSpec]) -> ListedRoom:
        """Doing it again does no harm: of a room that exists, LiveKit only says how it is."""
        request = CreateRoomRequest(name=name, metadata=metadata, agents=[asked_agent(agent) for agent in agents])
        return listed_room(await self._call(_ROOMS, "CreateRoom", request, self._tokens.to_manage_rooms(), Room))

    async def update_room_metadata(self, name: str, metadata: str) -> ListedRoom:
        """Raises NotFound when there is no such room."""
        token = self._tokens.to_administer(name)
        request = UpdateRoomMetadataRequest(room=name, metadata=metadata)
        return listed_room(await self._call(_ROOMS, "UpdateRoomMetadata", request, token, Room))

    async def delete_room(self, room: str) -> None:
        """Raises NotFound when it is already gone."""
        token = self._tokens.to_manage_rooms()
        await self._call(_ROOMS, "DeleteRoom", DeleteRoomRequest(room=room), token, DeleteRoomResponse)

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        """Ask a participant; `timeout` is its time in seconds, below 3 for LiveKit to be able to tell silence."""
        request = PerformRpcRequest(
            room=room,
            destination_identity=identity,
            method=contract.PULSE_METHOD,
            response_timeout_ms=round(timeout * 1000),
        )
        patience = aiohttp.ClientTimeout(total=max(timeout, NOT_THERE_AFTER) + PULSE_MARGIN)
        token = self._tokens.to_administer(room)
        asked_at = self._clock.monotonic()
        try:
            await self._request(_ROOMS, "PerformRpc", request, token, PerformRpcResponse, patience)
            pulse = Pulse.ALIVE
        except ServerError as refusal:
            pulse = pulse_in(refusal)
        except NO_ANSWER:
            pulse = Pulse.UNKNOWN
        return PulseReply(pulse, rtt_ms=round((self._clock.monotonic() - asked_at) * 1000, 1))

    async def _call(self, service: str, method: str, request: Message, token: str, answer: type[Answer]) -> Answer:
        with translated(method):
            return await self._request(service, method, request, token, answer, self._timeout)

    async def _request(
        self,
        service: str,
        method: str,
        request: Message,
        token: str,
        answer: type[Answer],
        patience: aiohttp.ClientTimeout,
    ) -> Answer:
        headers = {"Authorization": f"Bearer {token}"}
        try:
            # Without a timeout livekit-api passes None, which aiohttp takes for "none", whatever the session's own is.
            return await self._client.request(service, method, request, headers, answer, timeout=patience)
        except ServerError as refusal:
            if refusal.status == HTTPStatus.UNAUTHORIZED:
                self._tokens.forget()
            elif refusal.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._on_throttled()
            raise


async def _refuse_foreign_success(response: aiohttp.ClientResponse) -> None:
    """A 200 that is not protobuf is a proxy's or a captive portal's; an empty one would read as an empty listing."""
    if response.status == HTTPStatus.OK and response.content_type != "application/protobuf":
        response.close()
        raise aiohttp.ClientPayloadError(f"200 with content type {response.content_type}")
