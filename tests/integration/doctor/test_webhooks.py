"""The round trip of a webhook, with the sandbox in LiveKit's place, and with or without a service."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from orchestrator.doctor.findings import Finding
from orchestrator.doctor.scratch import ScratchRooms
from orchestrator.doctor.service import Service, access
from orchestrator.doctor.webhooks import RoundTrip
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.tasks import Tasks
from orchestrator.sandbox.direct import DirectLiveKit
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.posting import webhook_poster
from orchestrator.sandbox.signing import Credentials
from orchestrator.settings import Settings
from tests.e2e.harness.listening import listening
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.integration.conftest import crashed

KEY, SECRET = "devkey", "a-secret-of-the-tests-with-32-characters"
PATH = "/webhooks/livekit"


class Trip:
    """A sandbox that posts its webhooks to `path` of the port where doctor, or a service, listens."""

    def __init__(self, sandbox: Sandbox, port: int, http: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.port = port
        self._http = http

    async def finding(self, **settings: Any) -> Finding:
        """What is found where the service's settings are these."""
        given: dict[str, Any] = {
            "livekit_api_key": KEY,
            "livekit_api_secret": SECRET,
            "host": LOOPBACK,
            "port": self.port,
            **settings,
        }
        clock = StoreClock()
        livekit, found = DirectLiveKit(self.sandbox, clock), Settings(**given)
        service = Service(access(found, None, None), self._http)
        await service.examine()
        (finding,) = await RoundTrip(found, ScratchRooms(livekit), service, clock).examine()
        assert await livekit.rooms() == ()
        return finding


@asynccontextmanager
async def trip(*, key: str = KEY, secret: str = SECRET, path: str = PATH, faults: Faults | None = None) -> AsyncIterator[Trip]:
    port, clock, tasks = free_port(), StoreClock(), Tasks(crashed)
    sandbox = Sandbox(clock, random.Random(1), tasks.spawn, faults=faults or Faults())  # noqa: S311  # keeps no secrets
    try:
        async with (
            webhook_poster([f"http://{LOOPBACK}:{port}{path}"], Credentials(key, secret), clock) as deliver,
            aiohttp.ClientSession() as http,
        ):
            sandbox.deliver = deliver
            yield Trip(sandbox, port, http)
            await tasks.cancel()
    finally:
        await tasks.cancel()


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No rollcall.yaml."""
    monkeypatch.chdir(tmp_path)


# --- no service runs ---------------------------------------------------------------------------------------------------


async def test_without_a_service_doctor_hears_the_webhook_itself() -> None:
    async with trip() as on:
        found = await on.finding()

    assert found.status == "ok"
    assert "doctor listened" in found.message


async def test_a_webhook_that_does_not_come_is_missed_and_where_it_should_have_come_to_is_said() -> None:
    async with trip(faults=Faults(webhooks_blocked=True)) as on:
        found = await on.finding(public_url="https://rollcall.invalid/base")

    assert found.status == "failed"
    assert "No webhook came to" in found.message
    assert "https://rollcall.invalid/base/webhooks/livekit" in found.fix


async def test_a_webhook_that_is_signed_with_another_key_or_secret_is_told_from_one_that_did_not_come() -> None:
    async with trip(key="APIother") as on:
        other_key = await on.finding()
    async with trip(secret="x" * 32) as on:
        other_secret = await on.finding()

    assert 'signed with the key "APIother", which is none of ours' in other_key.message
    assert "webhook.api_key" in other_key.fix
    assert f'signed with another secret of the key "{KEY}"' in other_secret.message
    assert "x" * 32 not in repr(other_secret)


async def test_a_further_key_of_the_configuration_is_as_good() -> None:
    async with trip(key="APIother") as on:
        found = await on.finding(keys=[{"key": "APIother", "secret": SECRET}])

    assert found.status == "ok"


async def test_a_webhook_that_comes_to_another_path_is_named() -> None:
    async with trip(path="/livekit/webhook") as on:
        found = await on.finding()

    assert found.status == "failed"
    assert '"/livekit/webhook"' in found.message
    assert PATH in found.fix


async def test_a_port_that_something_else_has_is_named() -> None:
    async def nothing(_: web.Request) -> web.Response:
        raise web.HTTPNotFound

    async with trip() as on, listening(on.port, web.get("/", nothing)):
        found = await on.finding()

    assert found.status == "failed"
    assert "address already in use" in found.message


async def test_a_port_that_is_not_known_beforehand_cannot_be_examined() -> None:
    async with trip() as on:
        assert (await on.finding(port=0)).status == "skipped"


# --- a service runs ----------------------------------------------------------------------------------------------------


class AService:
    """What doctor asks of one, and what it answers."""

    def __init__(self) -> None:
        self.sessions: Any = {"timeline": []}
        self.status = 200
        self.forged = 0
        self.forged_per_question = 0
        self.asked_with: set[str | None] = set()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/readyz", self._ready),
            web.get("/metrics", self._metrics),
            web.get("/sessions/{sid}", self._session),
        ]

    async def _ready(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ready", "reasons": [], "warnings": []})

    async def _metrics(self, _: web.Request) -> web.Response:
        return web.Response(
            text=f'# TYPE rollcall_webhooks_total counter\nrollcall_webhooks_total{{outcome="forged"}} {self.forged}.0\n'
        )

    async def _session(self, request: web.Request) -> web.Response:
        self.asked_with.add(request.headers.get("Authorization"))
        self.forged += self.forged_per_question
        return web.json_response(self.sessions, status=self.status)


@pytest.fixture
def service() -> AService:
    return AService()


async def test_a_running_service_is_asked_whether_a_webhook_told_it(service: AService) -> None:
    service.sessions = {"timeline": [{"event": "room_started", "source": "webhook"}]}
    async with trip() as on, listening(on.port, *service.routes()):
        found = await on.finding(api_tokens="mint:a-token-to-mint-with,read:a-token-to-read-with")

    assert found.status == "ok"
    assert "reached the service" in found.message
    assert service.asked_with == {"Bearer a-token-to-read-with"}


async def test_a_room_that_only_a_listing_showed_it_is_no_webhook(service: AService) -> None:
    service.sessions = {"timeline": [{"event": "room_started", "source": "listing"}]}
    async with trip() as on, listening(on.port, *service.routes()):
        found = await on.finding()

    assert found.status == "failed"
    assert "did not reach the service" in found.message


async def test_webhooks_that_it_refuses_are_told_from_those_that_do_not_come(service: AService) -> None:
    service.status, service.forged_per_question = 404, 1
    async with trip() as on, listening(on.port, *service.routes()):
        found = await on.finding()

    assert found.status == "failed"
    assert "refuses them as forged" in found.message


async def test_a_service_that_does_not_let_us_in_is_no_failure(service: AService) -> None:
    service.status = 401
    async with trip() as on, listening(on.port, *service.routes()):
        found = await on.finding()

    assert found.status == "skipped"
    assert "ROLLCALL_API_TOKEN" in found.fix


async def test_a_service_that_answers_nonsense_is_one(service: AService) -> None:
    service.status = 500
    async with trip() as on, listening(on.port, *service.routes()):
        assert (await on.finding()).status == "failed"
