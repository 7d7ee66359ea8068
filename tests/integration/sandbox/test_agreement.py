"""What the sandbox and the real server both do: whoever tries Rollcall on the one sees what the other would show."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from livekit import api
from livekit.api.twirp_client import ServerError
from livekit.protocol.models import ParticipantInfo, Room

from orchestrator.core.facts import AgentJoined, AgentLeft, LeaveReason, PersonJoined, PersonLeft, RoomFinished, RoomStarted
from orchestrator.core.proof import agent_name_of
from orchestrator.livekit.signature import verify
from orchestrator.livekit.webhook import Event, parse
from tests.e2e.harness.livekit import API_KEY, API_SECRET
from tests.e2e.harness.wait import wait_until
from tests.integration.sandbox.places import STOCK, Place, livekit_api
from tests.integration.sandbox.raw import call, perform_rpc, token

pytestmark = pytest.mark.asyncio(loop_scope="session")

LiveKit = api.LiveKitAPI

NO_RESPONSE = pytest.approx(3.0, abs=0.7)
"""Seconds until LiveKit says that nobody on its message bus has answered."""


# --- asking ------------------------------------------------------------------------------------------------------------


async def listed(livekit: LiveKit, room: str) -> Room | None:
    answer = await livekit.room.list_rooms(api.ListRoomsRequest(names=[room]))
    return next(iter(answer.rooms), None)


async def participants(livekit: LiveKit, room: str) -> dict[str, ParticipantInfo]:
    answer = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
    return {participant.identity: participant for participant in answer.participants}


async def dispatches(livekit: LiveKit, room: str) -> dict[str, api.AgentDispatch]:
    """By agent name."""
    return {dispatch.agent_name: dispatch for dispatch in await livekit.agent_dispatch.list_dispatch(room)}


async def dispatch(livekit: LiveKit, room: str, agent_name: str = STOCK) -> api.AgentDispatch:
    request = api.CreateAgentDispatchRequest(room=room, agent_name=agent_name, metadata="m", attributes={"k": "v"})
    return await livekit.agent_dispatch.create_dispatch(request)


async def agent_in(livekit: LiveKit, room: str) -> ParticipantInfo:
    """The agent of this room, once it is ACTIVE."""

    async def found() -> ParticipantInfo | None:
        here = (await participants(livekit, room)).values()
        return next((p for p in here if p.kind == ParticipantInfo.AGENT and p.state == ParticipantInfo.ACTIVE), None)

    return await wait_until(found, timeout=20.0, description=f"an agent is ACTIVE in {room}")


@asynccontextmanager
async def refused(status: int, code: str, *, after: object = pytest.approx(0.0, abs=1.0)) -> AsyncIterator[None]:
    """The call within is refused like this, after so many seconds."""
    asked_at = time.monotonic()
    with pytest.raises(ServerError) as refusal:
        yield
    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert time.monotonic() - asked_at == after


# --- who may ask -------------------------------------------------------------------------------------------------------


async def test_a_wrong_secret_is_a_401_without_a_code(place: Place) -> None:
    """In plain text, of which LiveKit's own client can make nothing."""
    wrong = "another-secret-of-at-least-32-bytes"
    answer = await call(place, "RoomService/ListRooms", token(secret=wrong, room_list=True), {})
    assert (answer.status, answer.headers["content-type"]) == (401, "text/plain; charset=utf-8")
    async with livekit_api(place, wrong) as stranger:
        with pytest.raises(ServerError) as refusal:
            await stranger.room.list_rooms(api.ListRoomsRequest())
    assert (refusal.value.status, refusal.value.code, refusal.value.message) == (401, "unknown", "")


@pytest.mark.parametrize("bearer", [None, token(), token(room_list=True), token(room_admin=True, room="another")])
async def test_a_call_without_the_right_that_it_takes_is_refused(place: Place, room: str, bearer: str | None) -> None:
    answer = await call(place, "RoomService/ListParticipants", bearer, {"room": room})
    assert answer.status == 401
    assert answer.json["code"] == "unauthenticated"


async def test_deleting_a_room_takes_the_right_to_create_rooms(place: Place, livekit: LiveKit, room: str) -> None:
    await livekit.room.create_room(api.CreateRoomRequest(name=room))
    assert (await call(place, "RoomService/DeleteRoom", token(room_admin=True, room=room), {"room": room})).status == 401
    assert (await call(place, "RoomService/DeleteRoom", token(room_create=True), {"room": room})).status == 200
    assert await listed(livekit, room) is None


async def test_a_call_that_the_server_does_not_know_is_a_bad_route(place: Place) -> None:
    answer = await call(place, "RoomService/MakeCoffee", token(room_list=True), {})
    assert (answer.status, answer.json["code"]) == (404, "bad_route")


async def test_a_body_that_is_none_is_malformed(place: Place) -> None:
    answer = await call(place, "RoomService/ListRooms", token(room_list=True), {"names": 7})
    assert (answer.status, answer.json["code"]) == (400, "malformed")


async def test_who_asks_in_json_is_answered_in_json(place: Place, room: str) -> None:
    asked = {"name": room, "metadata": "m", "empty_timeout": 60}
    answer = await call(place, "RoomService/CreateRoom", token(room_create=True), asked)
    assert answer.headers["content-type"] == "application/json"
    made = answer.json
    assert made["num_participants"] == 0
    assert (made["name"], made["metadata"], made["empty_timeout"], made["departure_timeout"]) == (room, "m", 60, 20)
    assert made["sid"].startswith("RM_")
    assert int(made["creation_time_ms"]) / 1000 == pytest.approx(time.time(), abs=5)


# --- rooms -------------------------------------------------------------------------------------------------------------


async def test_a_room_is_listed_from_its_making_to_its_deletion(livekit: LiveKit, room: str) -> None:
    assert await listed(livekit, room) is None
    made = await livekit.room.create_room(api.CreateRoomRequest(name=room, metadata="m"))
    found = await listed(livekit, room)
    assert found is not None
    assert (found.sid, found.name, found.metadata, found.num_participants) == (made.sid, room, "m", 0)
    assert (found.empty_timeout, found.departure_timeout) == (300, 20)
    await livekit.room.delete_room(api.DeleteRoomRequest(room=room))
    assert await listed(livekit, room) is None
    async with refused(404, "not_found"):
        await livekit.room.delete_room(api.DeleteRoomRequest(room=room))


async def test_making_a_room_that_exists_ignores_the_new_metadata_and_says_nothing(livekit: LiveKit, room: str) -> None:
    first = await livekit.room.create_room(api.CreateRoomRequest(name=room, metadata="first"))
    second = await livekit.room.create_room(api.CreateRoomRequest(name=room, metadata="second"))
    assert (second.sid, second.metadata) == (first.sid, "first")
    await livekit.room.update_room_metadata(api.UpdateRoomMetadataRequest(room=room, metadata="third"))
    found = await listed(livekit, room)
    assert found is not None
    assert found.metadata == "third"


async def test_people_are_counted_and_agents_are_not(place: Place, livekit: LiveKit, room: str) -> None:
    async with place.person(room, "ann"):
        await dispatch(livekit, room)
        agent = await agent_in(livekit, room)

        async def one_is_counted() -> bool:
            found = await listed(livekit, room)
            return found is not None and found.num_participants == 1

        await wait_until(one_is_counted, description="the room counts one participant")
        assert set(await participants(livekit, room)) == {"ann", agent.identity}


async def test_a_participant_is_found_by_identity_or_is_not_there(place: Place, livekit: LiveKit, room: str) -> None:
    async with place.person(room, "ann"):
        found = await livekit.room.get_participant(api.RoomParticipantIdentity(room=room, identity="ann"))
        assert (found.identity, found.kind) == ("ann", ParticipantInfo.STANDARD)
        async with refused(404, "not_found"):
            await livekit.room.get_participant(api.RoomParticipantIdentity(room=room, identity="tom"))
        async with refused(404, "not_found"):
            await livekit.room.remove_participant(api.RoomParticipantIdentity(room=room, identity="tom"))


# --- a room that is not there ------------------------------------------------------------------------------------------


async def test_the_dispatches_of_a_room_that_is_not_there_are_a_503_after_three_seconds(livekit: LiveKit, room: str) -> None:
    async with refused(503, "unavailable", after=NO_RESPONSE):
        await livekit.agent_dispatch.list_dispatch(room)


async def test_a_question_to_somebody_who_is_not_there_is_a_503_after_three_seconds(
    place: Place, livekit: LiveKit, room: str
) -> None:
    await livekit.room.create_room(api.CreateRoomRequest(name=room))
    asked_at = time.monotonic()
    answer = await perform_rpc(place, room, "nobody")
    assert (answer.status, answer.json["code"]) == (503, "unavailable")
    assert "no response from servers" in answer.json["msg"]
    assert time.monotonic() - asked_at == NO_RESPONSE


async def test_nobody_is_in_a_room_that_is_not_there(livekit: LiveKit, room: str) -> None:
    assert await participants(livekit, room) == {}


# --- dispatches --------------------------------------------------------------------------------------------------------


async def test_a_room_made_without_agents_lists_one_nameless_dispatch(livekit: LiveKit, room: str) -> None:
    await livekit.room.create_room(api.CreateRoomRequest(name=room))
    assert list(await dispatches(livekit, room)) == [""]


async def test_a_dispatch_that_no_worker_can_take_is_accepted_and_lists_no_job(livekit: LiveKit, room: str) -> None:
    made = await dispatch(livekit, room, "nobody-has-this-name")
    assert made.id.startswith("AD_")
    assert (made.agent_name, made.room, made.metadata, dict(made.attributes)) == (
        "nobody-has-this-name",
        room,
        "m",
        {"k": "v"},
    )
    found = (await dispatches(livekit, room))["nobody-has-this-name"]
    assert (found.id, list(found.state.jobs)) == (made.id, [])


async def test_a_dispatch_makes_the_room_that_is_missing_without_metadata(livekit: LiveKit, room: str) -> None:
    await dispatch(livekit, room, "nobody-has-this-name")
    found = await listed(livekit, room)
    assert found is not None
    assert (found.name, found.metadata) == (room, "")


async def test_metadata_of_more_than_512_kib_is_refused(livekit: LiveKit, room: str) -> None:
    request = api.CreateAgentDispatchRequest(room=room, agent_name=STOCK, metadata="x" * (512 * 1024 + 1))
    async with refused(400, "invalid_argument"):
        await livekit.agent_dispatch.create_dispatch(request)


async def test_deleting_a_dispatch_that_nobody_knows_is_a_404(livekit: LiveKit, room: str) -> None:
    await livekit.room.create_room(api.CreateRoomRequest(name=room))
    async with refused(404, "not_found"):
        await livekit.agent_dispatch.delete_dispatch("AD_nobodyknows", room)


async def test_a_job_is_listed_with_the_identity_under_which_its_agent_joins(livekit: LiveKit, room: str) -> None:
    made = await dispatch(livekit, room)
    agent = await agent_in(livekit, room)

    async def has_job() -> api.AgentDispatch | None:
        found = (await dispatches(livekit, room))[STOCK]
        return found if found.state.jobs else None

    found = await wait_until(has_job, timeout=7.0, description="the job is listed")
    [job] = found.state.jobs
    assert (job.dispatch_id, job.agent_name, dict(job.attributes)) == (made.id, STOCK, {"k": "v"})
    assert (job.state.status, job.state.participant_identity) == (api.JobStatus.JS_RUNNING, agent.identity)
    assert agent.identity == f"agent-{job.id}"
    assert agent_name_of(dict(agent.attributes)) == STOCK


async def test_the_agents_of_a_token_count_only_where_it_opens_the_room(place: Place, livekit: LiveKit, room: str) -> None:
    async with place.person(room, "ann", agents=["first"]), place.person(room, "tom", agents=["second"]):
        assert list(await dispatches(livekit, room)) == ["first"]


async def test_deleting_a_dispatch_takes_it_off_the_list_at_once_and_its_agent_says_goodbye(
    place: Place, livekit: LiveKit, room: str
) -> None:
    """When: at once if its entrypoint has ended, after seconds if it is busy, and never before the job would be listed."""
    made = await dispatch(livekit, room)
    agent = await agent_in(livekit, room)
    await livekit.agent_dispatch.delete_dispatch(made.id, room)
    assert STOCK not in await dispatches(livekit, room)
    left = await place.webhooks.wait_for("participant_left", room=room, identity=agent.identity)
    assert left.body["participant"]["disconnectReason"] == "CLIENT_INITIATED"


# --- agents ------------------------------------------------------------------------------------------------------------


async def answers(place: Place, room: str, identity: str) -> str:
    """The message of a stock agent's answer: it does not know the method."""

    async def answered() -> str | None:
        # ACTIVE is a few milliseconds before the data channel is open.
        answer = await perform_rpc(place, room, identity)
        return str(answer.json["msg"]) if answer.status == 400 else None

    return await wait_until(answered, description=f"{identity} answers")


async def test_an_agent_that_knows_nothing_of_us_answers_that_it_does_not_know_the_method(
    place: Place, livekit: LiveKit, room: str
) -> None:
    await dispatch(livekit, room)
    agent = await agent_in(livekit, room)
    assert "RpcError 1400: Method not supported at destination" in await answers(place, room, agent.identity)


async def test_removing_a_participant_is_immediate(place: Place, livekit: LiveKit, room: str) -> None:
    await dispatch(livekit, room)
    agent = await agent_in(livekit, room)
    await livekit.room.remove_participant(api.RoomParticipantIdentity(room=room, identity=agent.identity))
    assert agent.identity not in await participants(livekit, room)
    left = await place.webhooks.wait_for("participant_left", room=room, identity=agent.identity, timeout=2.0)
    assert left.body["participant"]["disconnectReason"] == "PARTICIPANT_REMOVED"


@pytest.mark.slow
async def test_a_killed_agent_answers_nothing_at_once_and_is_listed_for_21_seconds_more(
    place: Place, livekit: LiveKit, room: str
) -> None:
    await dispatch(livekit, room)
    agent = await agent_in(livekit, room)
    await answers(place, room, agent.identity)
    place.kill_agent(room, agent.identity)
    killed_at = time.time()
    answer = await perform_rpc(place, room, agent.identity)
    assert answer.status == 408
    assert "RpcError 1502: Response timeout" in answer.json["msg"]
    assert (await participants(livekit, room))[agent.identity].state == ParticipantInfo.ACTIVE
    left = await place.webhooks.wait_for("participant_left", room=room, identity=agent.identity, timeout=30.0)
    assert left.received_at - killed_at == pytest.approx(21.4, abs=2.0)
    assert left.body["participant"]["disconnectReason"] == "CONNECTION_TIMEOUT"
    assert agent.identity not in await participants(livekit, room)


# --- webhooks ----------------------------------------------------------------------------------------------------------


async def test_one_life_of_a_room_is_told_in_its_order_signed_and_readable(place: Place, livekit: LiveKit, room: str) -> None:
    made = await livekit.room.create_room(api.CreateRoomRequest(name=room, metadata="m"))
    await dispatch(livekit, room)
    agent = await agent_in(livekit, room)
    async with place.person(room, "ann"):
        await place.webhooks.wait_for("participant_joined", room=room, identity="ann")
    await place.webhooks.wait_for("participant_left", room=room, identity="ann")
    await livekit.room.delete_room(api.DeleteRoomRequest(room=room))
    await place.webhooks.wait_for("room_finished", room=room)
    told = place.webhooks.of(room)
    assert {heard.content_type for heard in told} == {"application/webhook+json"}
    for heard in told:
        verify(heard.raw, heard.authorization, {API_KEY: API_SECRET}, heard.received_at)
    events = [event for heard in told if isinstance(event := parse(heard.raw), Event)]
    assert len({event.event_id for event in events}) == len(events)
    assert {(event.opening.sid, event.opening.metadata) for event in events} == {(made.sid, "m")}
    started, joined, ann_joined, ann_left, left, finished = (fact for event in events for fact in event.facts)
    assert isinstance(started, RoomStarted)
    assert isinstance(joined, AgentJoined)
    assert (joined.identity, joined.agent_name, joined.participant_sid) == (agent.identity, STOCK, agent.sid)
    assert isinstance(ann_joined, PersonJoined)
    assert isinstance(ann_left, PersonLeft)
    assert isinstance(left, AgentLeft)
    assert (left.identity, left.reason, left.leave) == (agent.identity, "ROOM_DELETED", LeaveReason.WISH)
    assert isinstance(finished, RoomFinished)
