"""An agent more, one to go, one in place of another: what is answered, and what becomes of the session."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from orchestrator.core.facts import CandidateSpec, PlacementSpec, RoomFinished, RoomOpened, Routed, Source
from orchestrator.core.placement import PlacementState
from orchestrator.runtime.ports import LiveKitRejectedCredentials, LiveKitUnavailable
from tests.integration.web.doing import LARGEST_METADATA, PAGE, Doing
from tests.integration.web.door import NOW
from tests.unit.core.stories import SID, START, accepted, agent_joined, opened, person_joined, requested, routed

ROOM = "support-17"
AGENTS = f"/sessions/{ROOM}/agents"
SWITCH = f"/sessions/{ROOM}/switch"

Client = TestClient[Any, Any]


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer a-token-to-{scope}"}


@pytest.fixture
def doing() -> Doing:
    return Doing()


@pytest.fixture
async def client(doing: Doing, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(doing.app, headers=bearer("operate"))


@pytest.fixture
async def mary(doing: Doing) -> None:
    """She serves a person."""
    joined = agent_joined(at=START + 1)
    await doing.tell(opened(ROOM), person_joined(), routed("mary", fallback=["ann"]), requested(), accepted(), joined)


async def asked(client: Client, path: str, body: Any, status: int, **headers: str) -> Mapping[str, Any]:
    async with client.post(path, json=body, headers=headers) as response:
        answered: Mapping[str, Any] = await response.json()
        assert response.status == status, answered
        return answered


# --- an agent more --------------------------------------------------------------------------------


@pytest.mark.usefixtures("mary")
async def test_an_agent_that_an_operator_asks_for_is_placed_with_what_the_file_and_the_request_say(
    client: Client, doing: Doing
) -> None:
    answered = await asked(client, AGENTS, {"agent_name": "tom", "metadata": {"because": "she asked"}}, 201)
    session = await doing.session(SID)
    assert answered == {
        "room": ROOM,
        "sid": SID,
        "agent_name": "tom",
        "state": "waiting",
        "dispatch_id": None,
        "identity": None,
        "room_existed": True,
    }
    assert json.loads(session.placement("tom").spec.metadata) == {"persona": "tom", "room": ROOM, "because": "she asked"}
    assert session.timeline[-1].source is Source.OPERATOR


async def test_a_room_that_does_not_exist_is_made(client: Client, doing: Doing) -> None:
    answered = await asked(client, "/sessions/new%2Froom/agents", {"agent_name": "tom"}, 201)
    assert (answered["room"], answered["sid"], answered["room_existed"]) == ("new/room", "RM_made", False)
    assert (await doing.session("RM_made")).placement("tom").state is PlacementState.WAITING


async def test_what_is_asked_for_lies_over_what_the_route_of_the_new_room_says_of_the_same_agent(
    client: Client, doing: Doing
) -> None:
    placement = PlacementSpec((CandidateSpec("tom", '{"team":"blue","because":"route"}'),))
    doing.routed = Routed((placement,), "routes[0]")
    await asked(client, AGENTS, {"agent_name": "tom", "metadata": {"because": "she asked"}}, 201)
    session = await doing.session("RM_made")
    assert json.loads(session.placement("tom").spec.metadata) == {"team": "blue", "because": "she asked"}


async def test_whoever_opens_the_new_room_knows_who_is_wanted_before_livekit_has_answered(client: Client, doing: Doing) -> None:
    doing.rooms.fails = LiveKitUnavailable("its answer is on the way")
    await asked(client, AGENTS, {"agent_name": "tom"}, 503)
    await doing.tell(RoomOpened(ROOM, "RM_first", NOW))
    assert (await doing.session("RM_first")).placement("tom").state is PlacementState.WAITING


async def test_the_webhook_of_the_new_room_may_be_faster_than_livekit_s_answer(client: Client, doing: Doing) -> None:
    doing.rooms.webhook = doing.tell
    answered = await asked(client, AGENTS, {"agent_name": "tom"}, 201)
    assert (answered["sid"], answered["state"]) == ("RM_made", "waiting")
    assert [placement.agent_name for placement in (await doing.session("RM_made")).placements] == ["tom"]


async def test_a_fallback_of_the_new_rooms_route_is_not_placed_beside_it(client: Client, doing: Doing) -> None:
    doing.routed = Routed((PlacementSpec((CandidateSpec("mary"), CandidateSpec("tom"))),), "routes[0]")
    await asked(client, AGENTS, {"agent_name": "tom"}, 409)


async def test_a_session_that_only_listings_had_ended_lives_on_with_the_agent_that_is_asked_for(
    client: Client, doing: Doing
) -> None:
    opening = RoomOpened(ROOM, "RM_made", NOW)
    await doing.tell(opening, routed("mary"), RoomFinished(NOW + 60, source=Source.LISTING))
    await asked(client, AGENTS, {"agent_name": "tom"}, 201)
    session = await doing.session("RM_made")
    assert not session.ended
    assert session.placement("tom").state is PlacementState.WAITING


async def test_a_room_that_livekit_has_and_nobody_told_of_is_told_to_have_existed(client: Client, doing: Doing) -> None:
    doing.rooms.existed = True
    assert (await asked(client, AGENTS, {"agent_name": "tom"}, 201))["room_existed"] is True


@pytest.mark.usefixtures("mary")
async def test_after_its_end_a_room_of_the_same_name_is_another_one(client: Client, doing: Doing) -> None:
    await doing.tell(opened(ROOM), RoomFinished(START + 9))
    assert (await asked(client, AGENTS, {"agent_name": "tom"}, 201))["sid"] == "RM_made"


@pytest.mark.usefixtures("mary")
@pytest.mark.parametrize("name", ["mary", "ann"])
async def test_one_that_is_there_or_may_come_as_a_fallback_is_refused(client: Client, doing: Doing, name: str) -> None:
    before = await doing.session(SID)
    await asked(client, AGENTS, {"agent_name": name}, 409)
    assert await doing.session(SID) == before


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"agent_name": "tomm"}, 422, {"near": ["tom"], "detail": 'No agent "tomm" is configured in rollcall.yaml.'}),
        ({"agent_name": "tom", "metadata": {"rollcall": {}}}, 422, {}),
        ({"agent_name": "tom", "metadata": "x" * LARGEST_METADATA}, 422, {}),
        ({"agent": "tom"}, 400, {"errors": [{"field": "agent_name", "message": "Field required"}]}),
        ([], 400, {}),
        ({"agent_name": "tom", "metadata": 7}, 400, {}),
    ],
)
async def test_what_cannot_be_placed_is_refused_with_the_reason_and_makes_no_room(
    client: Client, doing: Doing, body: Any, status: int, told: Mapping[str, Any]
) -> None:
    answered = await asked(client, AGENTS, body, status)
    assert told.items() <= {**answered, "errors": answered.get("errors", [])[:1]}.items()
    assert await doing.store.find(ROOM) is None


async def test_text_that_is_no_json_object_arrives_under_a_key_of_its_own(client: Client, doing: Doing) -> None:
    await asked(client, AGENTS, {"agent_name": "ann", "metadata": "[1, 2]"}, 201)
    assert json.loads((await doing.session("RM_made")).placement("ann").spec.metadata) == {"metadata": "[1, 2]"}


async def test_attributes_and_deployment_travel_with_the_dispatch(client: Client, doing: Doing) -> None:
    body = {"agent_name": "ann", "attributes": {"tier": "gold"}, "deployment": "canary"}
    await asked(client, AGENTS, body, 201)
    spec = (await doing.session("RM_made")).placement("ann").spec
    assert (spec.attributes, spec.deployment) == ((("tier", "gold"),), "canary")


@pytest.mark.parametrize(("fails", "status"), [(LiveKitUnavailable("x"), 503), (LiveKitRejectedCredentials("x"), 502)])
async def test_without_livekit_no_room_can_be_made(client: Client, doing: Doing, fails: Any, status: int) -> None:
    doing.rooms.fails = fails
    async with client.post(AGENTS, json={"agent_name": "tom"}) as response:
        assert response.status == status
        assert ("Retry-After" in response.headers) is (status == 503)


@pytest.mark.usefixtures("mary")
async def test_the_same_request_again_does_nothing_twice_and_answers_the_same(client: Client, doing: Doing) -> None:
    key = {"Idempotency-Key": "one-and-the-same"}
    first = await asked(client, AGENTS, {"agent_name": "tom"}, 201, **key)
    after = await doing.session(SID)
    assert await asked(client, AGENTS, {"agent_name": "tom"}, 201, **key) == first
    assert await doing.session(SID) == after


async def test_a_key_that_is_too_long_is_refused(client: Client) -> None:
    await asked(client, AGENTS, {"agent_name": "tom"}, 201)
    await asked(client, AGENTS, {"agent_name": "ann"}, 400, **{"Idempotency-Key": "k" * 129})


@pytest.mark.parametrize("query", ["hold=joined", "hold=verified&hold_seconds=-1", "hold=verified&hold_seconds=soon"])
async def test_a_hold_that_cannot_be_is_refused(client: Client, query: str) -> None:
    await asked(client, f"{AGENTS}?{query}", {"agent_name": "tom"}, 400)


# --- from a page ----------------------------------------------------------------------------------


async def test_a_mint_token_has_an_agent_sent_into_a_room_that_the_rules_allow_and_into_no_other(
    client: Client, doing: Doing
) -> None:
    answered = await asked(client, AGENTS, {"agent_name": "tom"}, 201, **bearer("mint"))
    assert (await doing.session(answered["sid"])).timeline[-1].source is Source.TOKEN
    refused = await asked(client, "/sessions/sales-1/agents", {"agent_name": "ann"}, 403, **bearer("mint"))
    assert refused["field"] == "room"


async def test_who_asks_too_often_has_to_wait(client: Client) -> None:
    statuses = []
    for _ in range(6):
        async with client.post(AGENTS, json={"agent_name": "tim"}, headers=bearer("mint")) as response:
            statuses.append(response.status)
    assert statuses == [422] * 5 + [429]


async def test_a_listed_page_may_ask_and_another_one_may_not(client: Client) -> None:
    wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    async with client.options(AGENTS, headers={"Origin": PAGE, **wanted}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == PAGE
        assert "POST" in response.headers["Access-Control-Allow-Methods"]
    async with client.options(AGENTS, headers={"Origin": "https://evil.example", **wanted}) as response:
        assert response.status == 403
    await asked(client, AGENTS, {"agent_name": "tom"}, 403, Origin="https://evil.example")


async def test_attributes_that_livekit_or_rollcall_set_are_not_for_callers(client: Client) -> None:
    await asked(client, AGENTS, {"agent_name": "tom", "attributes": {"rollcall.done": "1"}}, 403)


# --- one to go ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("mary")
async def test_an_agent_is_taken_out_and_to_ask_again_changes_nothing(client: Client, doing: Doing) -> None:
    for _ in range(2):
        async with client.delete(f"{AGENTS}/mary") as response:
            assert response.status == 204
    assert (await doing.session(SID)).placement("mary").state is PlacementState.CANCELLED


@pytest.mark.usefixtures("mary")
@pytest.mark.parametrize("path", [f"{AGENTS}/tom", "/sessions/nowhere/agents/mary"])
async def test_to_take_out_whom_nobody_wanted_is_a_404(client: Client, path: str) -> None:
    async with client.delete(path) as response:
        assert response.status == 404


async def test_the_nameless_agent_has_a_name_in_addresses(client: Client, doing: Doing) -> None:
    await asked(client, AGENTS, {"agent_name": ""}, 201)
    async with client.delete(f"{AGENTS}/(unnamed)") as response:
        assert response.status == 204
    assert (await doing.session("RM_made")).placement("").state is PlacementState.CANCELLED


# --- one in place of another ----------------------------------------------------------------------


@pytest.mark.usefixtures("mary")
@pytest.mark.parametrize("name", ["tom", "ann"])
async def test_another_agent_is_placed_to_relieve_the_only_one(client: Client, doing: Doing, name: str) -> None:
    answered = await asked(client, SWITCH, {"agent_name": name, "grace": 15}, 202)
    assert (answered["agent_name"], answered["instead_of"], answered["state"]) == (name, "mary", "waiting")
    placement = (await doing.session(SID)).placement(name)
    assert (placement.instead_of, placement.grace) == (("mary",), 15.0)


@pytest.mark.usefixtures("mary")
async def test_a_switch_that_has_happened_is_told_so_at_once(client: Client, doing: Doing) -> None:
    key = {"Idempotency-Key": "switch"}
    body = {"agent_name": "tom", "instead_of": "mary", "grace": 15}
    await asked(client, SWITCH, body, 202, **key)
    await doing.tell(opened(ROOM), agent_joined("AJ_9", "tom", at=START + 3))
    answered = await asked(client, f"{SWITCH}?hold=verified", body, 200, **key)
    assert (answered["state"], answered["identity"]) == ("verified", "agent-AJ_9")


@pytest.mark.usefixtures("mary")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"agent_name": "mary"}, 409),
        ({"agent_name": "tom", "instead_of": "ann"}, 404),
        ({"agent_name": "tim"}, 422),
        ({"agent_name": "tom", "grace": 61}, 400),
        ({"agent_name": "tom", "grace": -1}, 400),
    ],
)
async def test_a_switch_that_makes_no_sense_is_refused(client: Client, doing: Doing, body: Any, status: int) -> None:
    before = await doing.session(SID)
    await asked(client, SWITCH, body, status)
    assert await doing.session(SID) == before


async def test_of_several_agents_the_one_to_be_relieved_must_be_named(client: Client, doing: Doing) -> None:
    await doing.tell(opened(ROOM), routed("mary", "ann"))
    assert "mary, ann" in (await asked(client, SWITCH, {"agent_name": "tom"}, 409))["detail"]


async def test_a_switch_in_a_room_without_a_session_is_a_404(client: Client) -> None:
    await asked(client, SWITCH, {"agent_name": "tom"}, 404)


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("mary")
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", AGENTS, {"operate", "mint"}),
        ("DELETE", f"{AGENTS}/mary", {"operate", "worker"}),
        ("POST", SWITCH, {"operate", "worker"}),
        ("GET", f"/sessions/{ROOM}/attempts/attempt-1", {"operate", "worker", "read"}),
        ("GET", f"/sessions/{ROOM}/transcript", {"operate", "read"}),
        ("POST", f"/sessions/{ROOM}/transcript", {"worker"}),
    ],
)
async def test_each_route_is_open_to_its_scopes_and_to_nobody_else(
    client: Client, method: str, path: str, allowed: set[str]
) -> None:
    for scope in ("read", "operate", "mint", "worker"):
        async with client.request(method, path, headers=bearer(scope)) as response:
            assert (response.status != 403) is (scope in allowed), scope
    async with client.request(method, path, headers={"Authorization": ""}) as response:
        assert response.status == 401


@pytest.mark.usefixtures("mary")
async def test_what_an_agent_asks_for_is_told_to_come_from_it(client: Client, doing: Doing) -> None:
    await asked(client, SWITCH, {"agent_name": "tom"}, 202, **bearer("worker"))
    assert (await doing.session(SID)).timeline[-1].source is Source.WORKER


# --- attempts and transcripts ---------------------------------------------------------------------


async def test_a_worker_learns_whether_its_attempt_is_still_the_one(client: Client, doing: Doing) -> None:
    await doing.tell(opened(ROOM), routed("mary"), requested())
    path = f"/sessions/{SID}/attempts/attempt-1"
    async with client.get(path) as response:
        assert await response.json() == {"attempt_id": "attempt-1", "number": 1, "agent_name": "mary", "current": True}
    async with client.delete(f"{AGENTS}/mary"), client.get(path) as response:
        assert (await response.json())["current"] is False


@pytest.mark.parametrize("path", [f"/sessions/{SID}/attempts/attempt-7", "/sessions/nowhere/attempts/attempt-1"])
async def test_an_attempt_that_nobody_knows_is_a_404(client: Client, doing: Doing, path: str) -> None:
    await doing.tell(opened(ROOM), routed("mary"), requested())
    async with client.get(path) as response:
        assert response.status == 404


def item(name: str, text: str, at: float | str, **more: Any) -> dict[str, Any]:
    return {"id": name, "role": "user", "text": text, "at": at, **more}


@pytest.mark.usefixtures("mary")
async def test_what_was_said_is_kept_once_and_told_in_its_order(client: Client) -> None:
    path = f"/sessions/{ROOM}/transcript"
    later = item("2", "I am Mary.", "1970-01-01T00:16:42Z", role="assistant", interrupted=True)
    for items in ([later], [item("1", "What is your name?", 1001.5), later]):
        async with client.post(path, json={"agent_name": "mary", "items": items}, headers=bearer("worker")) as response:
            assert response.status == 204
    async with client.get(path) as response:
        told = await response.json()
    assert (told["room"], told["sid"]) == (ROOM, SID)
    assert [(i["role"], i["text"], i["at"], i["interrupted"]) for i in told["items"]] == [
        ("user", "What is your name?", "1970-01-01T00:16:41.500Z", False),
        ("assistant", "I am Mary.", "1970-01-01T00:16:42.000Z", True),
    ]


@pytest.mark.usefixtures("mary")
@pytest.mark.parametrize(
    "items",
    [
        [],
        [item("x", "y", "yesterday")],
        [item("x", "y", float("1e300"))],
        [item("", "y", 1)],
        [item("x", "y" * 20_000, 1)],
        [item("x", "y", 1, role="god")],
        [item(str(n), "y", 1) for n in range(101)],
    ],
)
async def test_a_transcript_that_is_none_is_refused(client: Client, items: Any) -> None:
    path = f"/sessions/{ROOM}/transcript"
    await asked(client, path, {"agent_name": "mary", "items": items}, 400, **bearer("worker"))


async def test_there_is_no_transcript_of_a_room_that_nobody_knows(client: Client) -> None:
    body = {"agent_name": "mary", "items": [item("1", "hello?", 1)]}
    await asked(client, "/sessions/nowhere/transcript", body, 404, **bearer("worker"))
    async with client.get("/sessions/nowhere/transcript") as response:
        assert response.status == 404
