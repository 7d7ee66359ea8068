"""POST /token: the agents that callers name, and those that LiveKit is to dispatch itself."""

from __future__ import annotations

import json
from typing import Any

from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from orchestrator.core.facts import AgentWanted, Fact, RoomOpened, RoomStarted, Source
from orchestrator.core.placement import Placement
from orchestrator.core.transitions import fold
from tests.integration.web.token_door import MINT, Entrance, claims_of, of_route
from tests.unit.core.stories import accepted, agent_joined, requested, routed

Http = TestClient[Any, Any]


async def ask(client: Http, *agents: dict[str, Any], room: str = "lobby") -> tuple[int, dict[str, Any]]:
    body = {"room_name": room, "room_config": {"agents": list(agents)}}
    response = await client.post("/token", json=body, headers=MINT)
    return response.status, await response.json()


async def placements(entrance: Entrance, room: str = "lobby") -> dict[str, Placement]:
    return {placement.agent_name: placement for placement in (await entrance.session(room)).placements}


async def test_an_agent_that_the_caller_names_is_placed_with_what_the_file_and_the_caller_say(
    aiohttp_client: AiohttpClient,
) -> None:
    entrance = Entrance()
    client = await aiohttp_client(entrance.app)
    asked = {
        "agent_name": "mary",
        "metadata": '{"voice": "high", "workout_id": 3}',
        "deployment": "blue",
        "attributes": {"team": "red"},
    }
    status, _ = await ask(client, asked)
    assert status == 201
    mary = (await placements(entrance))["mary"]
    assert json.loads(mary.spec.metadata) == {"persona": "mary", "voice": "high", "workout_id": 3}
    assert (mary.spec.deployment, mary.spec.attributes) == ("blue", (("team", "red"),))
    assert [candidate.agent_name for candidate in mary.candidates] == ["mary", "ann"]


async def test_whether_the_room_existed_makes_no_difference(aiohttp_client: AiohttpClient) -> None:
    """livekit/livekit#4390: LiveKit ignores the agents of a token for a room that exists, in silence."""
    entrance = Entrance()
    client = await aiohttp_client(entrance.app)
    entrance.livekit.open_room("lobby")
    assert (await ask(client, {"agent_name": "tom"}))[0] == 201
    assert set(await placements(entrance)) == {"tom"}


async def test_metadata_that_is_no_json_object_arrives_as_metadata(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance()
    client = await aiohttp_client(entrance.app)
    for number, text in enumerate(("workout-17", "[1]", '"x"', "{broken")):
        await ask(client, {"agent_name": "ann", "metadata": text}, room=f"room-{number}")
        ann = (await placements(entrance, f"room-{number}"))["ann"]
        assert json.loads(ann.spec.metadata) == {"metadata": text}


async def test_an_agent_without_a_name_is_one_of_those_that_are_configured(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance()
    client = await aiohttp_client(entrance.app)
    assert (await ask(client, {"metadata": "x"}))[0] == 201
    assert set(await placements(entrance)) == {""}


async def test_an_agent_that_is_not_configured_is_refused_with_the_one_that_is_meant(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance()
    client = await aiohttp_client(entrance.app)
    status, answer = await ask(client, {"agent_name": "marry"})
    assert (status, answer["near"]) == (422, ["mary"])
    assert not entrance.livekit.living, "nothing was made for it"


async def test_no_caller_speaks_in_our_name_to_a_worker(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance().app)
    status, answer = await ask(client, {"agent_name": "tom", "metadata": '{"rollcall": {"attempt": 9}}'})
    assert status == 422
    assert "reserved" in answer["detail"]


async def test_where_callers_may_not_name_agents_they_are_told_so(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance(room_config_agents=False)
    client = await aiohttp_client(entrance.app)
    status, answer = await ask(client, {"agent_name": "tom"})
    assert (status, answer["field"]) == (403, "room_config.agents")
    assert (await ask(client))[0] == 201


async def test_no_agent_is_asked_for_that_could_be_twice_in_one_room(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance(route=lambda _room, _metadata: of_route(("tom", "{}"), fallback="ann"))
    client = await aiohttp_client(entrance.app)
    assert (await ask(client, {"agent_name": ""}, {"agent_name": ""}))[0] == 409
    assert (await ask(client, {"agent_name": "mary"}, {"agent_name": "tom"}))[0] == 409, "ann is the fallback of both"
    assert (await ask(client, {"agent_name": "ann"}))[0] == 409, "ann is the fallback of the route's tom"
    assert not entrance.livekit.living
    assert (await ask(client, {"agent_name": "tom"}))[0] == 201


async def test_no_agent_is_asked_for_that_may_come_as_a_fallback_to_the_room_as_it_is(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance()
    client = await aiohttp_client(entrance.app)
    await entrance.tell(entrance.livekit.open_room("lobby"), routed("mary", fallback=["ann"]))
    assert (await ask(client, {"agent_name": "ann"}))[0] == 409


async def test_what_a_route_says_of_an_agent_holds_unless_the_caller_says_otherwise(aiohttp_client: AiohttpClient) -> None:
    route = of_route(("mary", '{"persona": "mary", "team": "red", "voice": "low"}'), fallback="ann")
    entrance = Entrance(route=lambda _room, _metadata: route)
    client = await aiohttp_client(entrance.app)
    await ask(client, {"agent_name": "mary", "metadata": '{"voice": "high"}'})
    mary = (await placements(entrance))["mary"]
    assert json.loads(mary.spec.metadata) == {"persona": "mary", "team": "red", "voice": "high"}
    assert json.loads(mary.candidates[1].metadata) == {"voice": "high"}


async def test_the_route_is_that_of_the_metadata_that_the_room_has(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance(
        route=lambda _room, metadata: of_route(("tom", '{"kind": "demo"}')) if metadata == "demo" else of_route()
    )
    client = await aiohttp_client(entrance.app)
    await entrance.livekit.create_room("lobby", metadata="demo", agents=())
    await ask(client, {"agent_name": "tom"})
    assert json.loads((await placements(entrance))["tom"].spec.metadata) == {"kind": "demo"}


async def test_the_agent_knows_what_the_caller_said_however_fast_the_webhook_is(aiohttp_client: AiohttpClient) -> None:
    """The room's own webhook may be folded, and its route's agent be dispatched, before CreateRoom has answered us."""
    entrance = Entrance(route=lambda _room, _metadata: of_route(("mary", '{"persona": "mary"}')))
    known: list[list[str]] = []

    async def hear_at_once(opening: RoomOpened, fact: Fact) -> None:
        await entrance.store.append(opening, [fact], event_id="EV_1", replica="r1")
        session = None
        for delivered in await entrance.store.inbox(opening.sid):
            session = fold(session, delivered.fact, delivered.at)
        assert session is not None
        session = fold(session, of_route(("mary", '{"persona": "mary"}')), 2_000_000.0)
        known.append([placement.spec.metadata for placement in session.placements])

    create = entrance.livekit.create_room

    async def create_and_tell(name: str, *, metadata: str, agents: Any) -> Any:
        room = await create(name, metadata=metadata, agents=agents)
        await hear_at_once(RoomOpened(room.name, room.sid, room.created_at), RoomStarted(created_at=room.created_at))
        return room

    entrance.livekit.create_room = create_and_tell  # type: ignore[method-assign]  # its webhook comes before its answer
    client = await aiohttp_client(entrance.app)
    await ask(client, {"agent_name": "mary", "metadata": '{"workout_id": 3}'})
    assert [json.loads(metadata) for metadata in known[0]] == [{"persona": "mary", "workout_id": 3}]


async def test_an_agent_that_is_there_is_not_asked_for_again(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance()
    client = await aiohttp_client(entrance.app)
    opening = entrance.livekit.open_room("lobby")
    await entrance.tell(opening, routed("mary"), requested(), accepted(), agent_joined())
    stored = len(await entrance.store.inbox(opening.sid))
    assert (await ask(client, {"agent_name": "mary", "metadata": '{"other": 1}'}))[0] == 201
    assert len(await entrance.store.inbox(opening.sid)) == stored


async def test_the_record_says_that_a_token_asked_for_it(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance()
    client = await aiohttp_client(entrance.app)
    await ask(client, {"agent_name": "tom"})
    sid = entrance.livekit.living["lobby"].room.sid
    wanted = [delivered.fact for delivered in await entrance.store.inbox(sid) if isinstance(delivered.fact, AgentWanted)]
    assert {fact.source for fact in wanted} == {Source.TOKEN}


# --- dispatch in the token --------------------------------------------------------------------------------------------


async def test_by_default_nothing_is_left_to_livekit_to_dispatch(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance(route=lambda _room, _metadata: of_route(("mary", "{}")))
    client = await aiohttp_client(entrance.app)
    _, answer = await ask(client, {"agent_name": "tom"})
    assert claims_of(answer).room_config is None
    assert not entrance.livekit.living["lobby"].dispatches


async def test_on_request_room_and_token_carry_the_agents_and_they_are_recorded_all_the_same(
    aiohttp_client: AiohttpClient,
) -> None:
    entrance = Entrance(dispatch_in_token=True, route=lambda _room, _metadata: of_route(("", '{"a": 1}')))
    client = await aiohttp_client(entrance.app)
    _, answer = await ask(client, {"agent_name": "tom", "metadata": '{"b": 2}', "attributes": {"team": "red"}})
    config = claims_of(answer).room_config
    assert config is not None
    assert [(agent.agent_name, json.loads(agent.metadata)) for agent in config.agents] == [
        ("", {"a": 1}),
        ("tom", {"persona": "tom", "b": 2}),
    ]
    assert dict(config.agents[1].attributes) == {"team": "red"}
    dispatched = [dispatch.agent_name for dispatch in entrance.livekit.living["lobby"].dispatches.values()]
    assert dispatched == ["", "tom"]
    assert set(await placements(entrance)) == {"tom"}, "the route's comes by itself"
