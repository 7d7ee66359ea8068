"""The webhook sink: signed as Standard Webhooks says, and accepted only by a 2xx."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer
from standardwebhooks import Webhook

from orchestrator.alerting import posting
from orchestrator.alerting.body import body
from orchestrator.alerting.ports import NotAccepted
from orchestrator.alerting.sinks.webhook import WebhookSink, webhook_id
from orchestrator.core.alerts import Severity
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.ports import Alert
from tests.unit.alerting.outbox import FIRING, RESOLVED

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def critical(alert: Alert) -> Severity:
    return Severity.CRITICAL


class Receiver:
    """A receiver of webhooks that answers as it is told, and keeps what it got."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.hang = asyncio.Event()
        self.hang.set()

    async def post(self, request: web.Request) -> web.Response:
        self.got.append((dict(request.headers), await request.read()))
        await self.hang.wait()
        return web.Response(status=self.status, headers=self.headers)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def url(receiver: Receiver, aiohttp_server: AiohttpServer) -> str:
    app = web.Application()
    app.router.add_post("/hook", receiver.post)
    return str((await aiohttp_server(app)).make_url("/hook"))


@pytest.fixture
def sink(url: str, http: aiohttp.ClientSession) -> WebhookSink:
    return WebhookSink("hook", url, SECRET, http, StoreClock(), severity=critical)


async def test_a_receiver_verifies_the_signature_and_gets_the_alert(sink: WebhookSink, receiver: Receiver) -> None:
    await sink.send(FIRING)
    ((headers, sent),) = receiver.got
    assert Webhook(SECRET).verify(sent, headers)["incident"] == "RM_1/mary/1"
    assert sent.decode() == body(FIRING, Severity.CRITICAL)
    assert headers["Content-Type"] == "application/json"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5


async def test_an_alert_has_the_same_id_each_time_and_another_alert_another(sink: WebhookSink, receiver: Receiver) -> None:
    for alert in (FIRING, FIRING, RESOLVED):
        await sink.send(alert)
    first, again, other = (headers["webhook-id"] for headers, _ in receiver.got)
    assert first == again != other


def test_an_id_fits_into_a_header_whatever_the_agent_is_called() -> None:
    strange = webhook_id(replace(FIRING, id="RM_1/größe\r\nX-A: b/1/firing"))
    assert strange.isascii()
    assert strange.removeprefix("msg_").isalnum()


@pytest.mark.parametrize("status", [200, 201, 202, 204])
async def test_any_2xx_is_an_acceptance(sink: WebhookSink, receiver: Receiver, status: int) -> None:
    receiver.status = status
    await sink.send(FIRING)
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [304, 400, 401, 404, 410, 429, 500, 503])
async def test_everything_else_is_none(sink: WebhookSink, receiver: Receiver, status: int) -> None:
    receiver.status = status
    with pytest.raises(NotAccepted, match=f"^HTTP {status}$"):
        await sink.send(FIRING)


async def test_a_redirect_is_not_followed(sink: WebhookSink, receiver: Receiver, url: str) -> None:
    receiver.status, receiver.headers = 307, {"Location": url}
    with pytest.raises(NotAccepted, match=r"^HTTP 307$"):
        await sink.send(FIRING)
    assert len(receiver.got) == 1


async def test_a_receiver_that_hangs_is_given_up(
    sink: WebhookSink, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "TIMEOUT", 0.2)
    receiver.hang.clear()
    try:
        with pytest.raises(NotAccepted, match=r"^no answer within 0\.2 s$"):
            await sink.send(FIRING)
    finally:
        receiver.hang.set()


async def test_a_receiver_that_is_not_there_is_told_without_its_address(http: aiohttp.ClientSession) -> None:
    sink = WebhookSink("hook", "http://127.0.0.1:1/secret-in-the-path", SECRET, http, StoreClock(), severity=critical)
    with pytest.raises(NotAccepted, match=r"^ClientConnectorError$"):
        await sink.send(FIRING)


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_a_receiver_that_hangs_up_has_accepted_nothing(http: aiohttp.ClientSession) -> None:
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        sink = WebhookSink("hook", f"http://127.0.0.1:{port}/hook", SECRET, http, StoreClock(), severity=critical)
        with pytest.raises(NotAccepted, match=r"^(ServerDisconnectedError|ClientOSError)$"):
            await sink.send(FIRING)


async def test_an_answer_of_any_size_is_not_read(http: aiohttp.ClientSession, aiohttp_server: AiohttpServer) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65_536)
        except ConnectionError:
            return response

    app: Any = web.Application()
    app.router.add_post("/hook", endless)
    sink = WebhookSink(
        "hook", str((await aiohttp_server(app)).make_url("/hook")), SECRET, http, StoreClock(), severity=critical
    )
    async with asyncio.timeout(5):
        await sink.send(FIRING)
