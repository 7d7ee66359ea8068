"""Trying out the sinks: each is told, and what came of it is said without an address."""

from aiohttp import web
from pytest_aiohttp import AiohttpServer

from orchestrator.alerting.trial import try_sinks
from orchestrator.runtime.clock import StoreClock
from orchestrator.settings import Settings

KEYS = {"livekit_url": "ws://127.0.0.1:7880", "livekit_api_key": "k", "livekit_api_secret": "s" * 32}


async def test_each_sink_is_told_of_a_test_and_of_its_end(aiohttp_server: AiohttpServer) -> None:
    got: list[tuple[str, str]] = []

    async def hook(request: web.Request) -> web.Response:
        told = await request.json()
        got.append((told["type"], told["status"]))
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", hook)
    url = str((await aiohttp_server(app)).make_url("/hook"))
    secret = "whsec_" + "A" * 32
    alerts = [
        {"webhook": {"url": url, "secret": secret}, "match": {"agent": "nobody"}},
        {"webhook": {"url": "http://127.0.0.1:1/hunter2", "secret": secret}},
    ]
    settings = Settings.model_validate({**KEYS, "alerts": alerts})
    tried = await try_sinks(settings, StoreClock())
    assert [one.accepted for one in tried] == [True, False]
    assert tried[1].reason == "ClientConnectorError"
    assert got == [("unverified", "firing"), ("unverified", "resolved")]
