"""The OpenAPI document: valid, complete, and true of every answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import validate
from pytest_aiohttp import AiohttpClient

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from tests.integration.web.door import READ, Door
from tests.unit.core.stories import accepted, agent_joined, opened, person_joined, play, requested, routed


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
async def client(door: Door, aiohttp_client: AiohttpClient) -> TestClient[Any, Any]:
    return await aiohttp_client(door.app)


@pytest.fixture
async def document(client: TestClient[Any, Any]) -> dict[str, Any]:
    response = await client.get("/openapi.json")
    assert (response.status, response.content_type) == (200, "application/json")
    body: dict[str, Any] = await response.json()
    return body


def test_it_is_a_valid_document_of_version_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == "1.2.3"
    validate(document)


def test_it_names_every_route_that_is_served(door: Door, document: dict[str, Any]) -> None:
    routes = [route for route in door.app.router.routes() if route.method != "HEAD"]
    served = {(route.method, route.resource.canonical) for route in routes if route.resource}
    described = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    assert described == served


def test_it_says_which_routes_need_a_token_of_which_scope(document: dict[str, Any]) -> None:
    security = {
        f"{method.upper()} {path}": operation["security"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert security == {
        "POST /webhooks/livekit": [],
        "GET /sessions": [{"bearer": ["read"]}, {"login": ["read"]}],
        "GET /sessions/{room}": [{"bearer": ["read"]}, {"login": ["read"]}],
        "GET /livez": [],
        "GET /readyz": [],
        "GET /metrics": [],
        "GET /runbook": [],
        "GET /openapi.json": [],
    }


def test_times_are_described_as_what_is_sent(document: dict[str, Any]) -> None:
    session = document["components"]["schemas"]["SessionView"]
    assert session["properties"]["started_at"] == {
        "type": "string",
        "format": "date-time",
        "description": "When LiveKit made the room, by LiveKit's clock.",
        "title": "Started At",
    }
    assert set(session["required"]) == set(session["properties"])


def fill(door: Door) -> None:
    story = (opened(), routed("mary"), person_joined(), requested(), accepted(), agent_joined())
    verified = play(*story, f.PulseAnswered("agent-AJ_1", rtt_ms=2.5))
    unverified = play(
        f.RoomOpened("lobby", "RM_lobby", 1.0),
        routed("tom"),
        f.Waiting("tom", f.Awaited.SLOT),
        requested(placement="tom"),
        f.AttemptEnded("tom", 1, Cause.NOT_TAKEN),
        f.GaveUp("tom", Cause.NOT_TAKEN),
    )
    waiting = play(f.RoomOpened("quiet", "RM_quiet", 1.0), routed("tom"), f.Waiting("tom", f.Awaited.PEOPLE))
    ended = play(f.RoomOpened("old", "RM_old", 1.0), routed(), f.RoomFinished(created_at=2.0))
    door.archive.keep(verified, unverified, waiting, ended)


@dataclass(frozen=True)
class Call:
    status: int
    path: str
    template: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=lambda: READ)
    store_down: bool = False


CALLS = [
    Call(200, "/sessions", "/sessions"),
    Call(200, "/sessions?state=unverified", "/sessions"),
    Call(400, "/sessions?state=none", "/sessions"),
    Call(401, "/sessions", "/sessions", headers={}),
    Call(403, "/sessions", "/sessions", headers={"Authorization": "Bearer a-token-to-mint"}),
    Call(503, "/sessions", "/sessions", store_down=True),
    Call(200, "/sessions/RM_story", "/sessions/{room}"),
    Call(200, "/sessions/lobby", "/sessions/{room}"),
    Call(200, "/sessions/quiet", "/sessions/{room}"),
    Call(200, "/sessions/old", "/sessions/{room}"),
    Call(401, "/sessions/lobby", "/sessions/{room}", headers={}),
    Call(403, "/sessions/lobby", "/sessions/{room}", headers={"Authorization": "Bearer a-token-to-mint"}),
    Call(404, "/sessions/lobbi", "/sessions/{room}"),
    Call(503, "/sessions/lobby", "/sessions/{room}", store_down=True),
    Call(200, "/livez", "/livez"),
    Call(200, "/readyz", "/readyz"),
    Call(503, "/readyz", "/readyz", store_down=True),
    Call(200, "/metrics", "/metrics"),
    Call(200, "/runbook", "/runbook"),
    Call(200, "/openapi.json", "/openapi.json"),
    Call(200, "/webhooks/livekit", "/webhooks/livekit", method="POST"),
]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.status} {call.path}")
async def test_every_answer_is_as_described(
    door: Door, client: TestClient[Any, Any], document: dict[str, Any], call: Call
) -> None:
    fill(door)
    door.readiness.configuration_loaded()
    door.archive.down = call.store_down
    response = await client.request(call.method, call.path, headers=call.headers)
    described = document["paths"][call.template][call.method.lower()]["responses"][str(response.status)]
    assert response.status == call.status
    if "content" not in described:
        assert await response.read() == b""
        return
    ((media_type, content),) = described["content"].items()
    assert response.content_type == media_type
    if content["schema"]:
        schema = {**content["schema"], "components": document["components"]}
        OAS31Validator(schema, format_checker=oas31_format_checker).validate(await response.json(content_type=None))


def test_every_described_answer_of_ours_is_among_those_that_are_checked(document: dict[str, Any]) -> None:
    described = {
        (path, int(status))
        for path, operations in document["paths"].items()
        if path != "/webhooks/livekit"  # the door for webhooks has tests of its own
        for operation in operations.values()
        for status in operation["responses"]
    }
    assert described == {(c.template, c.status) for c in CALLS if urlsplit(c.path).path != "/webhooks/livekit"}
