"""Whatever is sent, the answer is a problem that tells no secrets, never an unhandled exception."""

import logging
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient
from structlog.testing import capture_logs

from orchestrator.runtime.ports import StoreCorrupt
from orchestrator.web.errors import answer_errors
from orchestrator.web.server import BODY_LIMIT, build_runner
from tests.integration.web.door import READ, Door
from tests.integration.web.raw import exchange


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> TestClient[Any, Any]:
    return await aiohttp_client(Door().app)


async def test_an_unknown_address_is_a_problem(client: TestClient[Any, Any]) -> None:
    response = await client.get("/nothing/here")
    assert (response.status, response.content_type) == (404, "application/problem+json")
    assert await response.json(content_type=None) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "There is no such address here.",
    }


async def test_another_method_is_a_problem_that_names_those_that_are_known(client: TestClient[Any, Any]) -> None:
    response = await client.delete("/sessions")
    assert (response.status, response.headers["Allow"]) == (405, "GET, HEAD")
    assert await response.json(content_type=None) == {
        "type": "about:blank",
        "title": "Method Not Allowed",
        "status": 405,
        "detail": "This address knows GET, HEAD.",
    }


async def test_a_body_beyond_the_limit_is_a_problem(client: TestClient[Any, Any]) -> None:
    response = await client.post("/webhooks/livekit", data=b"x" * (BODY_LIMIT + 1))
    assert (response.status, response.content_type) == (413, "application/problem+json")


HOSTILE = [
    b"\x00\x01\x02\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /sessions/%%%%%2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /sessions/\xff HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET //sessions//x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET http://x:99999/sessions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"CONNECT sessions:80 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"BREW /sessions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /sessions?" + b"&".join([b"a"] * 2000) + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /sessions?=&=&%=%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    b"GET /sessions HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000 + b"\r\nConnection: close\r\n\r\n",
    b"GET /sessions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n",
    b"GET /sessions HTTP/1.1\r\nHost: a\r\nAuthorization:\r\nConnection: close\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: ;;;,=\r\nConnection: close\r\n\r\n",
    b"POST /webhooks/livekit HTTP/1.1\r\nHost: a\r\nExpect: 100-brew\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
    b"POST /webhooks/livekit HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\nConnection: close\r\n\r\n",
    b"POST /webhooks/livekit HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n",
    b"POST /webhooks/livekit HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\nConnection: close\r\n\r\na",
    b"GET /livez HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n\r\n",
]


@pytest.mark.parametrize("request_", HOSTILE)
async def test_no_bytes_give_a_5xx(client: TestClient[Any, Any], request_: bytes) -> None:
    answer = await exchange(client, request_)
    assert answer[:9] in (b"", b"HTTP/1.1 ", b"HTTP/1.0 ")
    assert answer[9:10] in (b"", b"2", b"4"), answer[:200]
    assert (await client.get("/livez")).status == 200


async def broken(request: web.Request) -> web.Response:
    raise ValueError("secret of the defect")


async def unreadable(request: web.Request) -> web.Response:
    raise StoreCorrupt("record of RM_secret")


@pytest.mark.parametrize("handler", [broken, unreadable])
async def test_a_defect_is_logged_and_told_to_nobody(aiohttp_client: AiohttpClient, handler: Any) -> None:
    app = web.Application(middlewares=[answer_errors])
    app.router.add_get("/sessions/{room}", handler)
    client = await aiohttp_client(app)
    with capture_logs() as logs:
        response = await client.get("/sessions/secret-room")
    assert (response.status, await response.json(content_type=None)) == (
        500,
        {
            "type": "about:blank",
            "title": "Internal Server Error",
            "status": 500,
            "detail": "This is a defect of Rollcall; its log tells more.",
        },
    )
    assert logs == [
        {"event": "request_failed", "log_level": "error", "method": "GET", "route": "/sessions/{room}", "exc_info": True}
    ]


async def test_no_access_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="aiohttp")
    runner = build_runner(Door().app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        async with ClientSession() as http, http.get(f"http://127.0.0.1:{port}/sessions/secret-room") as response:
            assert response.status == 401
    finally:
        await runner.cleanup()
    assert "secret-room" not in caplog.text


async def test_an_answer_about_now_is_kept_by_nobody(client: TestClient[Any, Any]) -> None:
    for path in ("/sessions", "/livez", "/openapi.json"):
        response = await client.get(path, headers=READ)
        assert (response.headers["Cache-Control"], response.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
