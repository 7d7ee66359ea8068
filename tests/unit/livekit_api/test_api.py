"""What goes over the wire, and that it goes over it once."""

import asyncio
import socket
from typing import Any

import pytest
from livekit.protocol import agent_dispatch
from livekit.protocol.agent_dispatch import AgentDispatch, CreateAgentDispatchRequest, ListAgentDispatchResponse
from livekit.protocol.models import ParticipantInfo, Room
from livekit.protocol.room import (
    ListParticipantsResponse,
    ListRoomsRequest,
    ListRoomsResponse,
    RemoveParticipantResponse,
    RoomParticipantIdentity,
)
from yarl import URL

from orchestrator.core.facts import CandidateSpec
from orchestrator.core.proof import Key
from orchestrator.livekit.api import LiveKitApi
from orchestrator.runtime.ports import LiveKit, LiveKitUnavailable
from tests.unit.livekit_api.server import KEY, SECRET, Adapter, HandClock, Throttled, TwirpServer

pytestmark = pytest.mark.asyncio

OURS = Key("RM_1", "mary", 3, "0a1b")


async def test_it_is_what_the_runtime_needs(livekit: Adapter) -> None:
    """Checked by mypy."""
    port: LiveKit = livekit.api
    assert port is livekit.api


async def test_a_room_is_found_by_its_exact_name(livekit: Adapter) -> None:
    livekit.server.answer(ListRoomsResponse(rooms=[Room(name="support-170", sid="RM_2"), Room(name="support-17", sid="RM_1")]))
    room = await livekit.api.room("support-17")
    assert room is not None
    assert room.sid == "RM_1"
    assert ListRoomsRequest.FromString(livekit.server.asked[0].body) == ListRoomsRequest(names=["support-17"])


async def test_a_room_that_a_complete_answer_lacks_is_not_there(livekit: Adapter) -> None:
    livekit.server.answer(ListRoomsResponse(rooms=[Room(name="Support-17", sid="RM_2")]))
    assert await livekit.api.room("support-17") is None


async def test_all_rooms_are_asked_for_without_names(livekit: Adapter) -> None:
    livekit.server.answer(ListRoomsResponse(rooms=[Room(name="b", sid="RM_2"), Room(name="a", sid="RM_1")]))
    assert [room.sid for room in await livekit.api.rooms()] == ["RM_2", "RM_1"]
    assert ListRoomsRequest.FromString(livekit.server.asked[0].body) == ListRoomsRequest()


async def test_listings_keep_livekits_order(livekit: Adapter) -> None:
    livekit.server.answer(ListParticipantsResponse(participants=[ParticipantInfo(sid="PA_2"), ParticipantInfo(sid="PA_1")]))
    assert [participant.sid for participant in await livekit.api.participants("r")] == ["PA_2", "PA_1"]
    livekit.server.answer(ListAgentDispatchResponse(agent_dispatches=[AgentDispatch(id="AD_2"), AgentDispatch(id="AD_1")]))
    assert [dispatch.dispatch_id for dispatch in await livekit.api.dispatches("r")] == ["AD_2", "AD_1"]


async def test_a_dispatch_carries_our_key_and_the_metadata_as_it_is_and_cloud_must_not_restart_it(
    livekit: Adapter,
) -> None:
    livekit.server.answer(AgentDispatch(id="AD_1"))
    assert await livekit.api.create_dispatch("support-17", CandidateSpec("mary", '{"persona":"mary"}'), OURS) == "AD_1"
    assert CreateAgentDispatchRequest.FromString(livekit.server.asked[0].body) == CreateAgentDispatchRequest(
        room="support-17",
        agent_name="mary",
        metadata='{"persona":"mary"}',
        attributes=OURS.attributes(),
        restart_policy=agent_dispatch.JRP_NEVER,
    )


async def test_what_else_was_asked_for_travels_too_and_never_in_place_of_our_key(livekit: Adapter) -> None:
    livekit.server.answer(AgentDispatch(id="AD_1"))
    name = next(iter(OURS.attributes()))
    agent = CandidateSpec("mary", deployment="canary", attributes=(("tier", "gold"), (name, "forged")))
    await livekit.api.create_dispatch("support-17", agent, OURS)
    asked = CreateAgentDispatchRequest.FromString(livekit.server.asked[0].body)
    assert asked.deployment == "canary"
    assert dict(asked.attributes) == {"tier": "gold", **OURS.attributes()}


async def test_an_answer_that_names_no_dispatch_is_none(livekit: Adapter) -> None:
    livekit.server.answer(AgentDispatch())
    with pytest.raises(LiveKitUnavailable):
        await livekit.api.create_dispatch("support-17", CandidateSpec("mary", "{}"), OURS)


async def test_a_participant_is_removed_by_identity(livekit: Adapter) -> None:
    livekit.server.answer(RemoveParticipantResponse())
    await livekit.api.remove_participant("support-17", "agent-AJ_1")
    (asked,) = livekit.server.asked
    assert asked.method == "RemoveParticipant"
    assert RoomParticipantIdentity.FromString(asked.body) == RoomParticipantIdentity(room="support-17", identity="agent-AJ_1")


@pytest.mark.parametrize("failure", ["refused", "broken off"])
async def test_a_call_that_fails_is_not_repeated(livekit: Adapter, failure: str) -> None:
    fail(livekit.server, failure)
    with pytest.raises(LiveKitUnavailable):
        await livekit.api.create_dispatch("support-17", CandidateSpec("mary", "{}"), OURS)
    assert [asked.method for asked in livekit.server.asked] == ["CreateDispatch"]


@pytest.mark.parametrize("failure", ["refused", "broken off"])
async def test_nor_is_it_on_livekit_cloud(livekit: Adapter, failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """There livekit-api would repeat it on its own."""

    async def loopback(host: str, port: int, **_: Any) -> list[Any]:
        assert host == "project.livekit.cloud"
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", loopback)
    fail(livekit.server, failure)
    url = f"ws://project.livekit.cloud:{URL(livekit.server.url).port}"
    async with LiveKitApi(url, KEY, SECRET, clock=HandClock(), on_throttled=Throttled()) as cloud:
        with pytest.raises(LiveKitUnavailable):
            await cloud.create_dispatch("support-17", CandidateSpec("mary", "{}"), OURS)
    assert [asked.method for asked in livekit.server.asked] == ["CreateDispatch"]


def fail(server: TwirpServer, failure: str) -> None:
    if failure == "refused":
        server.refuse(503, "unavailable")
    else:
        server.break_off(200)


async def test_connections_are_kept_for_the_next_call(livekit: Adapter) -> None:
    livekit.server.answer(ListRoomsResponse())
    peers = set()
    answer = livekit.server.behaviour
    assert answer is not None

    async def note_the_peer(request: Any) -> Any:
        peers.add(request.transport.get_extra_info("peername"))
        return await answer(request)

    livekit.server.behaviour = note_the_peer
    for _ in range(5):
        await livekit.api.room("support-17")
    assert len(peers) == 1
