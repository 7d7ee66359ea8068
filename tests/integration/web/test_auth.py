"""Authorization: each route asks for its scope, and a stranger learns nothing."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from tests.integration.web.door import Door

OPEN = ["/livez", "/metrics", "/openapi.json", "/runbook"]
PROTECTED = ["/sessions", "/sessions/RM_1"]


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> TestClient[Any, Any]:
    return await aiohttp_client(Door().app)


async def get(client: TestClient[Any, Any], path: str, *authorization: str) -> tuple[int, str | None, Any]:
    response = await client.get(path, headers=[("Authorization", value) for value in authorization])
    body = await response.json(content_type=None) if response.content_type == "application/problem+json" else None
    return response.status, response.headers.get("WWW-Authenticate"), body


@pytest.mark.parametrize("path", OPEN)
async def test_what_names_no_room_is_open(client: TestClient[Any, Any], path: str) -> None:
    assert await get(client, path) == (200, None, None)


@pytest.mark.parametrize("path", PROTECTED)
@pytest.mark.parametrize("authorization", [[], ["Basic cm9sbDpjYWxs"], ["a-token-to-read"], ["Bearer a", "Bearer b"]])
async def test_without_one_bearer_token_nobody_sees_a_session(
    client: TestClient[Any, Any], path: str, authorization: list[str]
) -> None:
    assert await get(client, path, *authorization) == (
        401,
        'Bearer realm="rollcall"',
        {
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "A bearer token of scope read is needed.",
        },
    )


@pytest.mark.parametrize("token", ["guessed", "", "a-token-to-rea", "a-token-to-read2", "größe"])
async def test_an_unknown_token_is_refused(client: TestClient[Any, Any], token: str) -> None:
    assert await get(client, "/sessions", f"Bearer {token}") == (
        401,
        'Bearer realm="rollcall", error="invalid_token"',
        {"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": "The bearer token is not known."},
    )


@pytest.mark.parametrize("scope", ["mint", "worker"])
async def test_a_token_of_another_scope_is_forbidden(client: TestClient[Any, Any], scope: str) -> None:
    assert await get(client, "/sessions", f"Bearer a-token-to-{scope}") == (
        403,
        'Bearer realm="rollcall", error="insufficient_scope", scope="read"',
        {
            "type": "about:blank",
            "title": "Forbidden",
            "status": 403,
            "detail": "The bearer token is known, but its scope is not read.",
        },
    )


@pytest.mark.parametrize("authorization", ["Bearer a-token-to-read", "Bearer a-token-to-operate", "bearer  a-token-to-read "])
async def test_who_may_read_or_operate_sees_sessions(client: TestClient[Any, Any], authorization: str) -> None:
    assert await get(client, "/sessions", authorization) == (200, None, None)


async def test_head_asks_for_the_same_scope_as_get(client: TestClient[Any, Any]) -> None:
    assert (await client.head("/sessions")).status == 401
    assert (await client.head("/sessions", headers={"Authorization": "Bearer a-token-to-read"})).status == 200


async def test_livekit_needs_no_bearer_token(client: TestClient[Any, Any]) -> None:
    assert (await client.post("/webhooks/livekit", data=b"{}")).status == 200


async def test_an_address_that_does_not_exist_needs_none(client: TestClient[Any, Any]) -> None:
    assert (await get(client, "/nothing"))[0] == 404


async def test_in_development_nobody_needs_a_token(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Door(dev=True).app)
    assert await get(client, "/sessions") == (200, None, None)
