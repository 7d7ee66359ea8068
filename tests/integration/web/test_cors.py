"""Which pages may ask for a token from a browser."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from tests.integration.web.token_door import MINT, Entrance

Http = TestClient[Any, Any]
APP = "https://app.example"


async def preflight(client: Http, origin: str, headers: str = "authorization,content-type") -> ClientResponse:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": headers}
    return await client.options("/token", headers=asked)


async def post(client: Http, origin: str, **headers: str) -> ClientResponse:
    return await client.post("/token", json={}, headers=MINT | {"Origin": origin} | headers)


@pytest.fixture
def entrance() -> Entrance:
    return Entrance(cors=[APP, "capacitor://localhost"])


@pytest.fixture
async def client(entrance: Entrance, aiohttp_client: AiohttpClient) -> Http:
    return await aiohttp_client(entrance.app)


async def test_a_listed_page_is_let_in(client: Http) -> None:
    for origin in (APP, "capacitor://localhost"):
        response = await preflight(client, origin)
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == origin
        assert response.headers["Access-Control-Allow-Methods"] == "POST"
        assert response.headers["Access-Control-Allow-Headers"] == "authorization,content-type"
        assert "Origin" in response.headers["Vary"]
        answer = await post(client, origin)
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (201, origin)
        assert answer.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.example",
        "https://APP.example",
        "null",
        "http://localhost:3000",
        "file://",
        "http://[",
    ],
)
async def test_no_other_page_is_let_in_and_nothing_is_done_for_it(client: Http, entrance: Entrance, origin: str) -> None:
    for response in (await preflight(client, origin), await post(client, origin)):
        assert response.status == 403
        assert "Access-Control-Allow-Origin" not in response.headers
        assert response.headers["Vary"] == "Origin"
    assert not entrance.livekit.living


async def test_a_page_can_read_why_it_was_refused(client: Http, entrance: Entrance) -> None:
    refused = await client.post("/token", json={"kind": "agent"}, headers=MINT | {"Origin": APP})
    nobody = await client.post("/token", json={}, headers={"Origin": APP})
    entrance.server.down = True
    without_store = await post(client, APP)
    assert [response.status for response in (refused, nobody, without_store)] == [400, 401, 503]
    for response in (refused, nobody, without_store):
        assert response.headers["Access-Control-Allow-Origin"] == APP
    assert without_store.headers["Access-Control-Expose-Headers"] == "Retry-After"


async def test_who_is_no_page_needs_no_origin(client: Http) -> None:
    response = await client.post("/token", json={}, headers=MINT)
    assert response.status == 201
    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.headers["Vary"] == "Origin"


async def test_two_origins_are_none(client: Http) -> None:
    response = await client.post("/token", json={}, headers=[*MINT.items(), ("Origin", APP), ("Origin", APP)])
    assert response.status == 403


async def test_headers_that_a_page_s_tracing_adds_do_not_keep_it_out_and_nonsense_does(client: Http) -> None:
    traced = await preflight(client, APP, "authorization, content-type, traceparent, sentry-trace")
    assert traced.headers["Access-Control-Allow-Headers"] == "authorization, content-type, traceparent, sentry-trace"
    for nonsense in ("a b", "x" * 65, ",".join(["a"] * 33), "é"):
        assert "Access-Control-Allow-Headers" not in (await preflight(client, APP, nonsense)).headers


async def test_our_own_page_is_let_in(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance(own="https://rollcall.example/base").app)
    assert (await post(client, f"http://{client.host}:{client.port}")).status == 201
    assert (await post(client, "https://rollcall.internal", Host="rollcall.internal")).status == 201
    assert (await post(client, "https://rollcall.example")).status == 201
    assert (await post(client, "https://evil.example")).status == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:3000", 201),
        ("http://127.0.0.1:5173", 201),
        ("http://[::1]:8080", 201),
        ("https://localhost", 201),
        ("https://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("http://user@localhost", 403),
        ("null", 403),
    ],
)
async def test_with_dev_pages_on_this_machine_are_let_in(aiohttp_client: AiohttpClient, origin: str, status: int) -> None:
    client = await aiohttp_client(Entrance(dev=True).app)
    assert (await client.post("/token", json={}, headers={"Origin": origin})).status == status
    assert (await preflight(client, origin)).status == (204 if status == 201 else 403)


async def test_with_dev_a_name_that_was_given_this_machine_s_address_lets_nobody_in(aiohttp_client: AiohttpClient) -> None:
    """DNS rebinding: the page of evil.example asks evil.example, which is 127.0.0.1 by now."""
    client = await aiohttp_client(Entrance(dev=True).app)
    headers = {"Origin": "http://evil.example", "Host": "evil.example"}
    assert (await client.post("/token", json={}, headers=headers)).status == 403


async def test_with_dev_a_list_counts_as_it_stands(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Entrance(dev=True, cors=[APP]).app)
    assert (await client.post("/token", json={}, headers={"Origin": APP})).status == 201
    assert (await client.post("/token", json={}, headers={"Origin": "http://localhost:3000"})).status == 403
