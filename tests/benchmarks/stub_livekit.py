"""A LiveKit of which only the API answers, at once, and that remembers when each CreateDispatch came in.

Who is in its rooms is what it was told; those who are there answer every question.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from google.protobuf.message import Message
from livekit.protocol.agent import JS_RUNNING, Job, JobState
from livekit.protocol.agent_dispatch import (
    AgentDispatch,
    AgentDispatchState,
    CreateAgentDispatchRequest,
    DeleteAgentDispatchRequest,
    ListAgentDispatchRequest,
    ListAgentDispatchResponse,
)
from livekit.protocol.models import Codec, ParticipantInfo, Room
from livekit.protocol.room import (
    ListParticipantsRequest,
    ListParticipantsResponse,
    ListRoomsRequest,
    ListRoomsResponse,
    PerformRpcRequest,
    PerformRpcResponse,
)

from tests.e2e.harness.listening import listening
from tests.e2e.harness.livekit import API_KEY, API_SECRET
from tests.e2e.harness.ports import LOOPBACK, free_port

Answer = Callable[[bytes], Message]

_CODECS = [
    Codec(mime=mime)
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
"""With every listed room, as livekit-server sends them: they are most of a listing's bytes."""


class StubLiveKit:
    """Rooms are those that it was told of."""

    def __init__(self) -> None:
        self.port = free_port()
        self.sids: dict[str, str] = {}
        """The live rooms by name."""
        self.participants: dict[str, list[ParticipantInfo]] = {}
        """Who is in a room, by its name."""
        self.asked: set[str] = set()
        """The rooms in which somebody was asked by PerformRpc."""
        self.looked_into: set[str] = set()
        """The rooms whose dispatches were listed."""
        self.dispatches: dict[str, list[AgentDispatch]] = {}
        """By the name of their room."""
        self._asked_at: dict[str, asyncio.Future[float]] = {}
        self._numbers = itertools.count(1)
        self._answers: dict[str, Answer] = {
            "RoomService/ListRooms": self._list_rooms,
            "RoomService/ListParticipants": self._list_participants,
            "RoomService/PerformRpc": self._perform_rpc,
            "AgentDispatchService/ListDispatch": self._list_dispatches,
            "AgentDispatchService/CreateDispatch": self._create_dispatch,
            "AgentDispatchService/DeleteDispatch": self._delete_dispatch,
        }

    def environment(self) -> dict[str, str]:
        """What an orchestrator needs to find it."""
        return {
            "LIVEKIT_URL": f"ws://{LOOPBACK}:{self.port}",
            "LIVEKIT_API_KEY": API_KEY,
            "LIVEKIT_API_SECRET": API_SECRET,
        }

    def expect(self, room: str, sid: str) -> Awaitable[float]:
        """Let the room live; when its first CreateDispatch comes in (`time.perf_counter`)."""
        self.sids[room] = sid
        return self._asked_at.setdefault(room, asyncio.get_running_loop().create_future())

    def take_job(self, room: str, agent: ParticipantInfo) -> None:
        """Let a worker take the newest dispatch of a room, and its agent join."""
        dispatch = self.dispatches[room][-1]
        job_id = agent.identity.removeprefix("agent-")
        state = JobState(status=JS_RUNNING, participant_identity=agent.identity)
        job = Job(id=job_id, dispatch_id=dispatch.id, agent_name=dispatch.agent_name, state=state)
        dispatch.state.CopyFrom(AgentDispatchState(jobs=[job]))
        self.participants.setdefault(room, []).append(agent)

    def close(self, room: str) -> None:
        """Let the room end."""
        del self.sids[room]
        self.participants.pop(room, None)
        self.dispatches.pop(room, None)

    async def post(self, request: web.Request) -> web.Response:
        came_in = time.perf_counter()
        call = request.match_info["call"].removeprefix("livekit.")
        body = await request.read()
        if call.endswith("/CreateDispatch"):
            first = self._asked_at[CreateAgentDispatchRequest.FromString(body).room]
            if not first.done():
                first.set_result(came_in)
        answer = self._answers.get(call)
        if answer is None:
            return web.json_response({"code": "bad_route", "msg": call}, status=404)
        return web.Response(body=answer(body).SerializeToString(), content_type="application/protobuf")

    def _list_rooms(self, body: bytes) -> Message:
        asked = ListRoomsRequest.FromString(body).names or self.sids
        return ListRoomsResponse(rooms=[self._room(name) for name in asked if name in self.sids])

    def _room(self, name: str) -> Room:
        people = [one for one in self.participants.get(name, ()) if one.kind == ParticipantInfo.STANDARD]
        return Room(name=name, sid=self.sids[name], num_participants=len(people), enabled_codecs=_CODECS)

    def _list_participants(self, body: bytes) -> Message:
        room = ListParticipantsRequest.FromString(body).room
        return ListParticipantsResponse(participants=self.participants.get(room, []))

    def _perform_rpc(self, body: bytes) -> Message:
        self.asked.add(PerformRpcRequest.FromString(body).room)
        return PerformRpcResponse()

    def _list_dispatches(self, body: bytes) -> Message:
        room = ListAgentDispatchRequest.FromString(body).room
        self.looked_into.add(room)
        return ListAgentDispatchResponse(agent_dispatches=self.dispatches.get(room, []))

    def _create_dispatch(self, body: bytes) -> Message:
        asked = CreateAgentDispatchRequest.FromString(body)
        dispatch = AgentDispatch(
            id=f"AD_{next(self._numbers)}",
            agent_name=asked.agent_name,
            room=asked.room,
            metadata=asked.metadata,
            attributes=asked.attributes,
        )
        self.dispatches.setdefault(asked.room, []).append(dispatch)
        return dispatch

    def _delete_dispatch(self, body: bytes) -> Message:
        asked = DeleteAgentDispatchRequest.FromString(body)
        kept = [one for one in self.dispatches.get(asked.room, []) if one.id != asked.dispatch_id]
        self.dispatches[asked.room] = kept
        return AgentDispatch(id=asked.dispatch_id)


@asynccontextmanager
async def stub_livekit() -> AsyncIterator[StubLiveKit]:
    """A listening stub."""
    stub = StubLiveKit()
    async with listening(stub.port, web.post("/twirp/{call:.+}", stub.post)):
        yield stub
