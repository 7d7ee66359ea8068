"""The adapter against a real livekit-server: what it lists, what it changes, and what its refusals look like."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from livekit import rtc
from livekit.api import CreateAgentDispatchRequest

from orchestrator import contract
from orchestrator.core.facts import CandidateSpec
from orchestrator.core.listing import ListedDispatch, ListedParticipant
from orchestrator.core.proof import Key
from orchestrator.livekit.api import NOT_THERE_AFTER, LiveKitApi
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.ports import (
    LiveKitRejectedCredentials,
    LiveKitRejectedRequest,
    LiveKitUnavailable,
    NotFound,
    Pulse,
)
from tests.e2e.harness.clients import client
from tests.e2e.harness.livekit import API_KEY, LiveKitServer
from tests.e2e.harness.wait import wait_until
from tests.integration.livekit.conftest import never_throttled

pytestmark = pytest.mark.e2e

KEY = Key("RM_1", "mary", 3, "0a1b")
METADATA = json.dumps({"persona": "mary", contract.RESERVED_KEY: KEY.reserved()})
LARGEST_METADATA = 512 * 1024
TIMEOUT = 1.5
"""Seconds that a participant has to answer a pulse."""


async def of_mary(livekit: LiveKitApi, room: str) -> tuple[ListedDispatch, ...]:
    """Without the nameless dispatch that every room lists."""
    return tuple(dispatch for dispatch in await livekit.dispatches(room) if dispatch.agent_name == "mary")


async def active(livekit: LiveKitApi, room: str, identity: str) -> ListedParticipant:
    async def found() -> ListedParticipant | None:
        participants = await livekit.participants(room)
        return next((one for one in participants if one.identity == identity and one.active), None)

    return await wait_until(found, description=f"{identity} is ACTIVE in {room}")


async def test_a_room_that_lives_is_found_and_another_is_not(livekit: LiveKitApi, room: str) -> None:
    found = await livekit.room(room)
    assert found is not None
    assert found.name == room
    assert found.sid.startswith("RM_")
    assert found.metadata == '{"kind": "demo"}'
    assert found.created_at == pytest.approx(time.time(), abs=30)
    assert await livekit.room(room[:-1]) is None


async def test_all_rooms_that_live_are_listed(livekit: LiveKitApi, room: str) -> None:
    found = await livekit.room(room)
    assert found is not None
    assert found in await livekit.rooms()


async def test_a_dispatch_is_listed_with_our_key_until_it_is_deleted(livekit: LiveKitApi, room: str) -> None:
    dispatch_id = await livekit.create_dispatch(room, CandidateSpec("mary", METADATA), KEY)
    assert await of_mary(livekit, room) == (ListedDispatch(dispatch_id, "mary", KEY, ()),)
    await livekit.delete_dispatch(room, dispatch_id)
    assert await of_mary(livekit, room) == ()
    with pytest.raises(NotFound):
        await livekit.delete_dispatch(room, dispatch_id)


async def test_our_key_comes_back_by_the_attributes_alone(livekit: LiveKitApi, room: str) -> None:
    await livekit.create_dispatch(room, CandidateSpec("mary", "not even JSON"), KEY)
    (dispatch,) = await of_mary(livekit, room)
    assert dispatch.key == KEY


async def test_our_key_comes_back_by_the_metadata_alone(livekit: LiveKitApi, server: LiveKitServer, room: str) -> None:
    """As servers before 1.13.2 keep it, which know no attributes."""
    async with server.api() as theirs:
        request = CreateAgentDispatchRequest(room=room, agent_name="mary", metadata=METADATA)
        await theirs.agent_dispatch.create_dispatch(request)
    (dispatch,) = await of_mary(livekit, room)
    assert dispatch.key == KEY


async def test_a_foreign_dispatch_has_no_key(livekit: LiveKitApi, server: LiveKitServer, room: str) -> None:
    async with server.api() as theirs:
        request = CreateAgentDispatchRequest(room=room, agent_name="mary", metadata='{"persona": "mary"}')
        await theirs.agent_dispatch.create_dispatch(request)
    (dispatch,) = await of_mary(livekit, room)
    assert dispatch.key is None


async def test_a_dispatch_into_a_room_that_is_not_there_makes_the_room(livekit: LiveKitApi) -> None:
    """Why a look goes before each call, and another one after it."""
    name = f"room-{uuid.uuid4().hex}"
    await livekit.create_dispatch(name, CandidateSpec("mary", METADATA), KEY)
    found = await livekit.room(name)
    assert found is not None
    assert found.metadata == ""


async def test_metadata_that_livekit_does_not_take_is_our_mistake(livekit: LiveKitApi, room: str) -> None:
    with pytest.raises(LiveKitRejectedRequest):
        await livekit.create_dispatch(room, CandidateSpec("mary", "x" * (LARGEST_METADATA + 1)), KEY)


async def test_a_room_that_is_not_there_has_no_participants(livekit: LiveKitApi) -> None:
    assert await livekit.participants("nowhere") == ()


async def test_the_dispatches_of_a_room_that_is_not_there_are_not_known(livekit: LiveKitApi) -> None:
    """LiveKit asks the room's node, and there is none: never to be read as an outage."""
    with pytest.raises(LiveKitUnavailable):
        await livekit.dispatches("nowhere")


async def test_a_participant_that_is_not_there_is_told_apart_from_a_silent_one(livekit: LiveKitApi, room: str) -> None:
    """Although LiveKit needs twice the participant's time to say so."""
    reply = await livekit.pulse(room, "nobody", timeout=TIMEOUT)
    assert reply.pulse is Pulse.NOT_THERE
    assert reply.rtt_ms >= NOT_THERE_AFTER * 1000


async def test_a_client_that_knows_nothing_of_us_answers_the_pulse(
    livekit: LiveKitApi, server: LiveKitServer, room: str
) -> None:
    async with client(server, room, "ann"):
        ann = await active(livekit, room, "ann")
        assert (ann.is_person, ann.is_agent, ann.agent_name, ann.key) == (True, False, None, None)
        assert ann.joined_at == pytest.approx(time.time(), abs=30)

        async def answered() -> float | None:
            reply = await livekit.pulse(room, "ann", timeout=TIMEOUT)
            return reply.rtt_ms if reply.pulse is Pulse.ALIVE else None

        rtt_ms = await wait_until(answered, description="ann's data channel is open")
        assert 0 < rtt_ms < TIMEOUT * 1000


@asynccontextmanager
async def agent(server: LiveKitServer, room: str, answer: Callable[[], Awaitable[str]]) -> AsyncIterator[None]:
    """A participant that knows the pulse, and answers it like this."""
    connection = rtc.Room()
    await connection.connect(server.url, server.token(room, "agent"))

    async def answered(_: rtc.RpcInvocationData) -> str:
        return await answer()

    connection.local_participant.register_rpc_method(contract.PULSE_METHOD, answered)
    try:
        yield
    finally:
        await connection.disconnect()


async def pulse_of_agent(livekit: LiveKitApi, room: str) -> Pulse:
    async def known() -> Pulse | None:
        pulse = (await livekit.pulse(room, "agent", timeout=TIMEOUT)).pulse
        return None if pulse is Pulse.UNKNOWN else pulse

    return await wait_until(known, description="the agent's data channel is open")


async def test_an_agent_that_answers_the_pulse_is_alive(livekit: LiveKitApi, server: LiveKitServer, room: str) -> None:
    async def pong() -> str:
        return "pong"

    async with agent(server, room, pong):
        assert await pulse_of_agent(livekit, room) is Pulse.ALIVE


async def test_an_agent_whose_handler_fails_is_alive(livekit: LiveKitApi, server: LiveKitServer, room: str) -> None:
    async def fail() -> str:
        raise rtc.RpcError(1500, "the agent's own error")

    async with agent(server, room, fail):
        assert await pulse_of_agent(livekit, room) is Pulse.ALIVE


async def test_an_agent_that_does_not_come_to_an_answer_is_silent(
    livekit: LiveKitApi, server: LiveKitServer, room: str
) -> None:
    stuck = asyncio.Event()

    async def never() -> str:
        await stuck.wait()
        return "too late"

    async with agent(server, room, never):
        assert await pulse_of_agent(livekit, room) is Pulse.SILENT
        stuck.set()


async def test_a_participant_is_removed_at_once_and_only_once(livekit: LiveKitApi, server: LiveKitServer, room: str) -> None:
    async with client(server, room, "ann"):
        await active(livekit, room, "ann")
        await livekit.remove_participant(room, "ann")
        assert not any(one.active for one in await livekit.participants(room))
        with pytest.raises(NotFound):
            await livekit.remove_participant(room, "ann")


async def test_a_room_is_made_once_and_keeps_its_metadata_until_that_is_updated(livekit: LiveKitApi) -> None:
    name = f"room-{uuid.uuid4().hex}"
    mary = CandidateSpec("mary", '{"workout_id": 3}', attributes=(("team", "red"),))
    made = await livekit.create_room(name, metadata="m", agents=[mary])
    assert (made.name, made.metadata) == (name, "m")
    assert [dispatch.agent_name for dispatch in await livekit.dispatches(name)] == ["mary"]
    again = await livekit.create_room(name, metadata="n", agents=[CandidateSpec("tom")])
    assert (again.sid, again.metadata) == (made.sid, "m")
    assert [dispatch.agent_name for dispatch in await livekit.dispatches(name)] == ["mary"]
    assert (await livekit.update_room_metadata(name, "n")).metadata == "n"
    assert await livekit.room(name) == await livekit.create_room(name, metadata="", agents=())
    await livekit.delete_room(name)
    with pytest.raises(NotFound):
        await livekit.update_room_metadata(name, "n")


async def test_a_deleted_room_is_gone(livekit: LiveKitApi, room: str) -> None:
    await livekit.delete_room(room)
    assert await livekit.room(room) is None
    with pytest.raises(NotFound):
        await livekit.delete_room(room)


async def test_a_look_of_three_listings_at_once_sees_the_same_room(livekit: LiveKitApi, room: str) -> None:
    dispatch_id = await livekit.create_dispatch(room, CandidateSpec("mary", METADATA), KEY)
    found, participants, dispatches = await asyncio.gather(
        livekit.room(room), livekit.participants(room), livekit.dispatches(room)
    )
    assert found is not None
    assert participants == ()
    assert dispatch_id in {dispatch.dispatch_id for dispatch in dispatches}


async def test_a_wrong_secret_is_told_as_such_and_is_no_sign_of_life(server: LiveKitServer, room: str) -> None:
    wrong = "another-secret-with-at-least-32-characters"
    async with LiveKitApi(server.url, API_KEY, wrong, clock=StoreClock(), on_throttled=never_throttled) as livekit:
        with pytest.raises(LiveKitRejectedCredentials) as listing:
            await livekit.room(room)
        with pytest.raises(LiveKitRejectedCredentials) as change:
            await livekit.create_dispatch(room, CandidateSpec("mary", METADATA), KEY)
        assert (await livekit.pulse(room, "ann", timeout=TIMEOUT)).pulse is Pulse.UNKNOWN
    assert wrong not in f"{listing.value} {change.value}"


async def test_a_room_may_have_any_name(livekit: LiveKitApi) -> None:
    name = f"a/b c:{{d}}?é☎-{uuid.uuid4().hex}"
    dispatch_id = await livekit.create_dispatch(name, CandidateSpec("mary", METADATA), KEY)
    found = await livekit.room(name)
    assert found is not None
    assert found.name == name
    await livekit.delete_dispatch(name, dispatch_id)
    await livekit.delete_room(name)
