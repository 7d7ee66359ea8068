"""The names that the routes want, against those that workers announce."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from orchestrator.core.fleet import NameState
from orchestrator.doctor.agents import Announced
from orchestrator.doctor.findings import Finding
from orchestrator.doctor.service import Access, Service

SERVING = {"state": "serving", "last_joined": None}


@asynccontextmanager
async def service(status: int, body: Any) -> AsyncIterator[Service]:
    """A service that answers so when it is asked for its agents."""

    async def agents(_: web.Request) -> web.Response:
        return web.json_response(body, status=status)

    async def ready(_: web.Request) -> web.Response:
        return web.json_response({"status": "ready", "reasons": []})

    app = web.Application()
    app.router.add_get("/agents", agents)
    app.router.add_get("/readyz", ready)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        found = Service(Access((str(server.make_url("/")).rstrip("/"),), None, expected=True), http)
        await found.examine()
        yield found


async def findings(*agents: dict[str, Any], wanted: tuple[str, ...], configured: tuple[str, ...] = ()) -> list[Finding]:
    async with service(200, {"agents": list(agents)}) as found:
        return await Announced(found).examine(wanted, configured or wanted)


async def test_a_name_that_looks_like_an_announced_one_is_said_to_be_a_typo_of_it() -> None:
    (finding,) = await findings({"agent_name": "mary", **SERVING}, wanted=("marry",))

    assert (finding.status, finding.subject) == ("failed", "marry")
    assert 'looks like a typo of "mary"' in finding.message


async def test_two_names_that_are_both_configured_are_no_typo_of_each_other() -> None:
    (finding,) = await findings(
        {"agent_name": "support-es", **SERVING}, wanted=("support-en",), configured=("support-en", "support-es")
    )

    assert finding.status == "skipped"


async def test_a_name_whose_agents_joined_is_right_though_no_worker_announces_it() -> None:
    stock = {"agent_name": "marry", "state": "unannounced", "last_joined": "2026-11-21T14:00:00.000Z"}

    (finding,) = await findings({"agent_name": "mary", **SERVING}, stock, wanted=("marry",))

    assert finding.status == "ok"


@pytest.mark.parametrize(
    ("state", "status"),
    [("serving", "ok"), ("full", "warning"), ("draining", "warning"), ("offline", "failed"), ("of a later version", "skipped")],
)
async def test_what_workers_say_of_a_name_is_what_is_found(state: str, status: str) -> None:
    (finding,) = await findings({"agent_name": "mary", "state": state}, wanted=("mary",))

    assert finding.status == status


async def test_where_nobody_announces_anything_nothing_can_be_said() -> None:
    (finding,) = await findings({"agent_name": "mary", "state": "unannounced"}, wanted=("mary", "tom"))

    assert (finding.status, finding.subject) == ("skipped", "")


@pytest.mark.parametrize(("status", "body"), [(401, {}), (403, {}), (500, {}), (404, {}), (200, []), (200, {"agents": 1})])
async def test_a_service_that_does_not_tell_is_no_fault_of_the_routes(status: int, body: Any) -> None:
    async with service(status, body) as found:
        (finding,) = await Announced(found).examine(("mary",), ("mary",))

    assert finding.status == "skipped"


async def test_what_was_announced_is_kept_for_those_who_ask_why_nobody_came() -> None:
    async with service(200, {"agents": [{"agent_name": "mary", "state": "full"}]}) as found:
        announced = Announced(found)
        await announced.examine(("mary",), ("mary",))

    assert announced.state("mary") is NameState.FULL
    assert announced.state("tom") is NameState.UNANNOUNCED
