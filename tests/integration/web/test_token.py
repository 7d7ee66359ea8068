"""POST /token: what it takes, what it answers, and what is true when it has answered."""

from __future__ import annotations

import json
import secrets
from typing import Any

import jwt
import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from pytest_aiohttp import AiohttpClient
from structlog.testing import capture_logs

from orchestrator.core.facts import RoomFinished, RoomOpened, Source
from orchestrator.core.session import SessionState
from orchestrator.observability.spans import SpanContext
from orchestrator.observability.traces import Traces
from orchestrator.runtime.ports import LiveKitError, LiveKitRejectedCredentials, LiveKitUnavailable
from tests.fakes.spans import KeptSpans
from tests.integration.web.door import NOW, StillClock
from tests.integration.web.token_door import KEY, MINT, NOBODY, SECRET, Entrance, claims_of, of_route
from tests.unit.core.stories import accepted, agent_joined, requested, routed

Http = TestClient[Any, Any]


@pytest.fixture
def entrance() -> Entrance:
    return Entrance()


@pytest.fixture
async def client(entrance: Entrance, aiohttp_client: AiohttpClient) -> Http:
    return await aiohttp_client(entrance.app)


async def ask(client: Http, body: object = None, *, query: str = "", **headers: str) -> ClientResponse:
    return await client.post(f"/token{query}", json={} if body is None else body, headers=MINT | headers)


async def granted(client: Http, body: object = None, *, query: str = "") -> dict[str, Any]:
    response = await ask(client, body, query=query)
    assert response.status == 201, await response.text()
    answer: dict[str, Any] = await response.json()
    return answer


async def refused(client: Http, body: object, *, query: str = "") -> tuple[int, dict[str, Any]]:
    response = await ask(client, body, query=query)
    assert response.content_type == "application/problem+json"
    return response.status, await response.json()


# --- what it answers ------------------------------------------------------------------------------------------------


async def test_who_asks_for_nothing_in_particular_enters_a_new_room_as_somebody_new(client: Http, entrance: Entrance) -> None:
    answer = await granted(client)
    assert set(answer) == {"server_url", "participant_token"}
    assert answer["server_url"] == "ws://livekit.example:7880"
    claims = claims_of(answer)
    assert claims.video is not None
    assert (claims.video.room, claims.identity) == ("room-0001", "user-0002")
    assert list(entrance.livekit.living) == ["room-0001"]


async def test_the_same_question_twice_leads_to_two_rooms(client: Http, entrance: Entrance) -> None:
    await granted(client)
    await granted(client)
    assert len(entrance.livekit.living) == 2


SNAKE = {
    "room_name": "lobby",
    "participant_identity": "alice",
    "participant_name": "Alice",
    "participant_metadata": '{"plan": "gold"}',
    "participant_attributes": {"language": "en"},
    "room_config": {"metadata": '{"agentId": 7}', "agents": [{"agent_name": "tom", "metadata": '{"workout_id": 3}'}]},
}
CAMEL = {
    "roomName": "lobby",
    "participantIdentity": "alice",
    "participantName": "Alice",
    "participantMetadata": '{"plan": "gold"}',
    "participantAttributes": {"language": "en"},
    "roomConfig": {"metadata": '{"agentId": 7}', "agents": [{"agentName": "tom", "metadata": '{"workout_id": 3}'}]},
}


@pytest.mark.parametrize("body", [SNAKE, CAMEL], ids=["snake_case", "camelCase"])
async def test_all_six_fields_are_taken_in_both_spellings(client: Http, entrance: Entrance, body: dict[str, Any]) -> None:
    claims = claims_of(await granted(client, body))
    assert (claims.identity, claims.name, claims.metadata) == ("alice", "Alice", '{"plan": "gold"}')
    assert claims.attributes == {"language": "en"}
    assert entrance.livekit.living["lobby"].room.metadata == '{"agentId": 7}'
    [placement] = (await entrance.session("lobby")).placements
    assert placement.agent_name == "tom"
    assert json.loads(placement.spec.metadata) == {"persona": "tom", "workout_id": 3}


async def test_null_is_as_good_as_nothing(client: Http) -> None:
    nothing: dict[str, Any] = dict.fromkeys(SNAKE)
    await granted(client, nothing)
    await granted(client, {"room_config": {"metadata": None, "agents": None, "tags": None, "maxParticipants": 0}})
    config = {"agents": [{"agent_name": "tom", "metadata": None, "deployment": None, "attributes": None}]}
    await granted(client, {"room_config": config})


async def test_no_body_asks_for_nothing_in_particular(client: Http) -> None:
    assert (await client.post("/token", headers=MINT)).status == 201


async def test_the_rights_in_a_token_are_those_of_a_participant_whoever_asks(client: Http) -> None:
    token = (await granted(client, {"room_name": "lobby", "participant_identity": "alice"}))["participant_token"]
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert claims["video"] == {
        "roomJoin": True,
        "room": "lobby",
        "canPublish": True,
        "canSubscribe": True,
        "canPublishData": True,
        "canUpdateOwnMetadata": False,
    }
    assert (claims["iss"], claims["sub"]) == (KEY, "alice")
    assert claims["exp"] - claims["nbf"] == pytest.approx(600, abs=1)
    assert "kind" not in claims


async def test_a_token_lives_for_as_long_as_is_configured(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance(ttl="2m").app)
    claims = jwt.decode((await granted(client))["participant_token"], SECRET, algorithms=["HS256"])
    assert claims["exp"] - claims["nbf"] == pytest.approx(120, abs=1)


async def test_clients_are_told_the_configured_server(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance(server_url="wss://edge.example").app)
    assert (await granted(client))["server_url"] == "wss://edge.example"


async def test_no_cache_keeps_an_answer(client: Http) -> None:
    assert (await ask(client)).headers["Cache-Control"] == "no-store"


async def test_the_document_describes_it(client: Http) -> None:
    document = await (await client.get("/openapi.json")).json()
    validate(document)
    operation = document["paths"]["/token"]["post"]
    assert operation["security"] == [{"bearer": ["mint"]}]
    assert operation["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/TokenRequest"}
    assert set(document["components"]["schemas"]["TokenRequest"]["properties"]) == set(SNAKE)
    OAS31Validator(_of(document, "TokenRequest")).validate(SNAKE)
    for query in ("", "?hold=verified"):
        OAS31Validator(_of(document, "TokenAnswer")).validate(await granted(client, SNAKE, query=query))


def _of(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": document["components"]}


# --- what is true when it has answered -------------------------------------------------------------------------------


async def test_the_room_exists_with_its_metadata(client: Http, entrance: Entrance) -> None:
    answer = await granted(client, {"room_name": "lobby", "room_config": {"metadata": '{"agentId": 7}'}})
    assert entrance.livekit.living["lobby"].room.metadata == '{"agentId": 7}'
    config = claims_of(answer).room_config
    assert config is not None
    assert config.metadata == '{"agentId": 7}', "for whoever comes when the empty room has ended"
    assert not config.agents


async def test_a_room_that_existed_without_metadata_has_it_now_and_the_log_says_so(client: Http, entrance: Entrance) -> None:
    entrance.livekit.open_room("lobby")
    with capture_logs() as logs:
        await granted(client, {"room_name": "lobby", "room_config": {"metadata": '{"agentId": 7}'}})
    assert entrance.livekit.living["lobby"].room.metadata == '{"agentId": 7}'
    [told] = [entry for entry in logs if entry["event"] == "room_ensured"]
    assert (told["room_was"], told["metadata"]) == ("there", "updated")


async def test_metadata_that_the_caller_does_not_mention_stays(client: Http, entrance: Entrance) -> None:
    await granted(client, {"room_name": "lobby", "room_config": {"metadata": "kept"}})
    await granted(client, {"room_name": "lobby", "room_config": {"agents": []}})
    assert entrance.livekit.living["lobby"].room.metadata == "kept"


async def test_the_session_is_stored_before_anybody_has_the_token(client: Http, entrance: Entrance) -> None:
    await granted(client, {"room_name": "lobby", "room_config": {"metadata": "m"}})
    session = await entrance.session("lobby")
    assert (session.room, session.metadata) == ("lobby", "m")


async def test_asking_again_stores_nothing_twice(client: Http, entrance: Entrance) -> None:
    for _ in range(3):
        await granted(client, {"room_name": "lobby"})
    sid = entrance.livekit.living["lobby"].room.sid
    assert len(await entrance.store.inbox(sid)) == 2, "that it is opened, and that it lives"


async def test_a_session_that_a_listing_had_ended_by_mistake_lives_again(client: Http, entrance: Entrance) -> None:
    opening = entrance.livekit.open_room("lobby")
    await entrance.tell(opening, RoomFinished(created_at=NOW, source=Source.LISTING))
    assert (await entrance.session("lobby")).state is SessionState.ENDED
    await granted(client, {"room_name": "lobby"})
    assert (await entrance.session("lobby")).state is not SessionState.ENDED


async def test_the_log_holds_no_token_and_nothing_that_the_caller_said(client: Http) -> None:
    said = {
        "participant_metadata": "s3cret",
        "participant_attributes": {"a": "s3cret"},
        "room_config": {"metadata": "s3cret", "agents": [{"agent_name": "tom", "metadata": "s3cret"}]},
    }
    with capture_logs() as logs:
        answer = await granted(client, said)
    assert "s3cret" not in repr(logs)
    assert answer["participant_token"] not in repr(logs)
    assert "token_minted" in {entry["event"] for entry in logs}


# --- what it does not take -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"room_nane": "x"}, 'Unknown: room_nane. Did you mean "room_name"?'),
        ({"roomname": "x", "kind": "agent"}, 'Unknown: roomname, kind. Did you mean "room_name"?'),
        ({"roomNane": "x"}, 'Unknown: roomNane. Did you mean "roomName"?'),
        ({"kind": "agent"}, "Unknown: kind. Known are room_name, participant_identity,"),
        ({"video": {"roomAdmin": True}}, "Unknown: video."),
        ({"room_config": {"agent_dispatch": []}}, "Unknown: room_config.agent_dispatch."),
        ({"room_config": {"agents": [{"agent": "tom"}]}}, 'Unknown: room_config.agents.0.agent. Did you mean "agent_name"?'),
        ({"room_name": "x", "roomName": "y"}, "room_name is there twice, in two spellings."),
        ({"room_name": 7}, "room_name: Input should be a valid string"),
        ({"room_config": "x"}, "room_config: "),
        ({"room_config": {"agents": ["tom"]}}, "room_config.agents.0: "),
        ({"participant_attributes": {"a": 1}}, "participant_attributes.a: Input should be a valid string"),
        ({"room_name": "r" * 257}, "room_name: "),
        ({"room_name": "é" * 200}, "room_name: Value error, it has 400 bytes, and 256 are allowed"),
        ({"room_name": "a\x00b"}, "room_name: Value error, it holds a character that cannot be shown"),
        ({"participant_identity": "i" * 257}, "participant_identity: "),
        ({"participant_name": "n" * 257}, "participant_name: "),
        ({"participant_metadata": "m" * 4097}, "participant_metadata: "),
        ({"participant_attributes": {"a": "x" * 2100, "b": "x" * 2100}}, "participant_attributes: Value error, they have"),
        ({"participant_attributes": {f"a{n}": "" for n in range(65)}}, "participant_attributes: "),
        ({"room_config": {"metadata": "m" * 16_385}}, "room_config.metadata: "),
        ({"room_config": {"agents": [{"agent_name": "tom"}] * 9}}, "room_config.agents: "),
        ([], "The body is JSON, but no object."),
    ],
)
async def test_what_is_not_known_too_long_or_of_another_kind_is_refused_by_name(
    client: Http, entrance: Entrance, body: object, said: str
) -> None:
    status, answer = await refused(client, body)
    assert (status, answer["detail"][: len(said)]) == (400, said)
    assert not entrance.livekit.living, "nothing was made for it"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"participant_identity": "agent-AJ_1"}, "participant_identity"),
        ({"participant_attributes": {"lk.agent.state": "listening"}}, "participant_attributes"),
        ({"participant_attributes": {"rollcall.done": "1"}}, "participant_attributes"),
        ({"room_config": {"name": "other"}}, "room_config.name"),
        ({"roomConfig": {"emptyTimeout": 86_400}}, "room_config.emptyTimeout"),
        ({"room_config": {"max_participants": 1}}, "room_config.max_participants"),
        ({"room_config": {"egress": {"room": {}}}}, "room_config.egress"),
        ({"room_config": {"agents": [{"agent_name": "tom", "restart_policy": 1}]}}, "room_config.agents.0.restart_policy"),
        (
            {"room_config": {"agents": [{"agent_name": "tom", "attributes": {"rollcall.attempt": "9"}}]}},
            "room_config.agents.0.attributes",
        ),
    ],
)
async def test_what_callers_may_not_set_is_refused_by_name(
    client: Http, entrance: Entrance, body: dict[str, Any], field: str
) -> None:
    status, answer = await refused(client, body)
    assert (status, answer["field"]) == (403, field)
    assert not entrance.livekit.living


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"room_name": "\\ud800"}', b"[" * 100_000, b'"x"'])
async def test_no_bytes_are_a_defect_of_ours(client: Http, body: bytes) -> None:
    response = await client.post("/token", data=body, headers=MINT | {"Content-Type": "application/json"})
    assert response.status == 400


async def test_a_body_that_is_too_large_is_not_read(client: Http) -> None:
    response = await client.post("/token", json={"participant_metadata": "m" * 200_000}, headers=MINT)
    assert response.status == 413


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
async def test_what_any_page_could_send_without_asking_is_no_question(client: Http, kind: str) -> None:
    response = await client.post("/token", data=b"{}", headers=MINT | {"Content-Type": kind})
    assert response.status == 415


# --- when others fail -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status"), [(LiveKitUnavailable("gone"), 503), (LiveKitRejectedCredentials("API key devkey"), 502)]
)
async def test_without_livekit_there_is_no_token_and_no_defect(
    client: Http, entrance: Entrance, error: LiveKitError, status: int
) -> None:
    entrance.livekit.fails["create_room"] = error
    response = await ask(client)
    assert response.status == status
    assert "devkey" not in await response.text()
    assert ("Retry-After" in response.headers) is (status == 503)


async def test_without_the_store_there_is_no_token(client: Http, entrance: Entrance) -> None:
    entrance.server.down = True
    response = await ask(client)
    assert (response.status, "Retry-After" in response.headers) == (503, True)


# --- holding ------------------------------------------------------------------------------------------------------------


async def verified(entrance: Entrance, room: str) -> RoomOpened:
    opening = entrance.livekit.open_room(room)
    await entrance.tell(opening, routed("mary"), requested(), accepted(), agent_joined())
    return opening


async def test_who_waits_is_told_that_the_agent_is_there(client: Http, entrance: Entrance) -> None:
    await verified(entrance, "lobby")
    answer = await granted(client, {"room_name": "lobby"}, query="?hold=verified")
    assert answer["agent"] == "verified"


async def test_who_waits_in_vain_has_a_token_all_the_same_in_time(client: Http, entrance: Entrance) -> None:
    opening = entrance.livekit.open_room("lobby")
    await entrance.tell(opening, routed("mary"))
    began = entrance.clock.at
    answer = await granted(client, {"room_name": "lobby"}, query="?hold=verified")
    assert answer["agent"] == "preparing"
    assert entrance.clock.at - began == pytest.approx(10)
    assert claims_of(answer).video is not None


async def test_nobody_waits_longer_than_they_want_or_than_is_configured(aiohttp_client: AiohttpClient) -> None:
    entrance = Entrance(hold="3s")
    client = await aiohttp_client(entrance.app)
    await entrance.tell(entrance.livekit.open_room("lobby"), routed("mary"))
    for wanted, waited in (("2", 2.0), ("60", 3.0), ("0", 0.0)):
        began = entrance.clock.at
        await granted(client, {"room_name": "lobby"}, query=f"?hold=verified&hold_seconds={wanted}")
        assert entrance.clock.at - began == pytest.approx(waited)


async def test_nobody_waits_in_a_room_that_is_to_have_no_agent(client: Http, entrance: Entrance) -> None:
    await entrance.tell(entrance.livekit.open_room("lobby"), NOBODY)
    began = entrance.clock.at
    answer = await granted(client, {"room_name": "lobby"}, query="?hold=verified")
    assert (answer["agent"], entrance.clock.at) == ("none", began)


@pytest.mark.parametrize("query", ["?hold=joined", "?hold=verified&hold_seconds=x", "?hold=verified&hold_seconds=-1"])
async def test_a_hold_that_is_not_understood_is_refused(client: Http, query: str) -> None:
    status, _ = await refused(client, {}, query=query)
    assert status == 400


async def test_what_a_route_places_comes_by_itself(aiohttp_client: AiohttpClient) -> None:
    """The owner asks the routes when it opens the session; the door records only what the caller asks for."""
    entrance = Entrance(route=lambda _room, _metadata: of_route(("mary", "{}")))
    client = await aiohttp_client(entrance.app)
    await granted(client, {"room_name": "lobby"})
    assert (await entrance.session("lobby")).placements == ()


# --- traces ---------------------------------------------------------------------------------------------------------

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_the_session_stands_in_its_callers_trace_whoever_opens_it(aiohttp_client: AiohttpClient) -> None:
    sink = KeptSpans()
    entrance = Entrance(trace=Traces(sink, StillClock(), secrets.randbits).token)
    client = await aiohttp_client(entrance.app)
    response = await ask(client, SNAKE, traceparent=CALLER)
    assert response.status == 201
    token = sink.named("token")
    assert token.parent == SpanContext.read(CALLER)
    sid = entrance.livekit.living["lobby"].room.sid
    assert token.attributes == {"rollcall.room": "lobby", "rollcall.sid": sid}
    assert (await entrance.session("lobby")).traceparent == token.context.traceparent


async def test_a_room_that_nobody_asked_an_agent_for_stands_there_too(aiohttp_client: AiohttpClient) -> None:
    sink = KeptSpans()
    entrance = Entrance(trace=Traces(sink, StillClock(), secrets.randbits).token)
    assert (await ask(await aiohttp_client(entrance.app), {"room_name": "lobby"})).status == 201
    assert (await entrance.session("lobby")).traceparent == sink.named("token").context.traceparent


async def test_a_token_that_livekit_keeps_back_is_a_failed_span(aiohttp_client: AiohttpClient) -> None:
    sink = KeptSpans()
    entrance = Entrance(trace=Traces(sink, StillClock(), secrets.randbits).token)
    entrance.livekit.fails["create_room"] = LiveKitUnavailable("gone")
    assert (await ask(await aiohttp_client(entrance.app), {"room_name": "lobby"})).status == 503
    assert sink.named("token").error == "LiveKitUnavailable"


async def test_who_may_not_ask_begins_no_trace(aiohttp_client: AiohttpClient) -> None:
    sink = KeptSpans()
    entrance = Entrance(trace=Traces(sink, StillClock(), secrets.randbits).token)
    client = await aiohttp_client(entrance.app)
    async with client.post("/token", json={}, headers={"traceparent": CALLER}) as response:
        assert response.status == 401
    assert sink.spans == []
