"""Pausing an agent name, and ending that: what is answered, shown and written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from orchestrator.core.audit import Action
from orchestrator.runtime.pauses import PauseBoard
from orchestrator.web import agents
from orchestrator.web.auth import Bearers
from orchestrator.web.pausing import PausingParts, pausing_routes
from orchestrator.web.server import build_app
from orchestrator.web.times import rfc3339
from tests.fakes.canaries import ScriptedCanaries
from tests.fakes.store import Line, MemoryAudit, MemoryPauses, MemoryWorkers, Server
from tests.integration.web.door import NOW, TOKENS, StillClock

CONFIGURED = ["mary", ""]
Client = TestClient[Any, Any]


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer a-token-to-{scope}"}


class Desk:
    """The application, and what is behind it."""

    def __init__(self) -> None:
        self.clock = StillClock()
        line = Line(Server(self.clock))
        self.counted: list[str] = []
        self.audit = MemoryAudit(line)
        self.board = PauseBoard(MemoryPauses(line), self.clock)
        fleet = MemoryWorkers(line)
        parts = PausingParts(self.board, fleet, CONFIGURED, self.audit, self.clock, self.counted.append)
        shown = agents.routes(agents.Agents(fleet, CONFIGURED, self.board.current, ScriptedCanaries()))
        self.app = build_app((*pausing_routes(parts), *shown), bearers=Bearers(TOKENS, dev=False), version="1")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def client(desk: Desk, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(desk.app, headers=bearer("operate"))


async def asked(client: Client, path: str, body: Any, status: int = 200) -> Mapping[str, Any]:
    async with client.post(path, json=body) as response:
        answered: Mapping[str, Any] = await response.json()
        assert response.status == status, answered
        return answered


async def shown(client: Client, name: str = "mary") -> Any:
    async with client.get(f"/agents/{name}") as response:
        one = await response.json()
    async with client.get("/agents") as response:
        listed = next(agent for agent in (await response.json())["agents"] if agent["agent_name"] == one["agent_name"])
    assert listed["paused"] == one["paused"]
    return one["paused"]


async def test_a_pause_is_shown_until_it_is_ended(client: Client) -> None:
    assert await shown(client) is None
    told = {"since": rfc3339(NOW), "until": None, "by": "operate", "reason": "a bad release"}
    answered = await asked(client, "/agents/mary/pause", {"reason": "a bad release"})
    assert answered == {"agent_name": "mary", "paused": told}
    assert await shown(client) == told
    assert await asked(client, "/agents/mary/resume", {}) == {"agent_name": "mary", "paused": None}
    assert await shown(client) is None


@pytest.mark.parametrize("duration", ["30m", 1800])
async def test_one_with_an_end_is_over_then(client: Client, desk: Desk, duration: Any) -> None:
    answered = await asked(client, "/agents/mary/pause", {"duration": duration})
    assert answered["paused"]["until"] == rfc3339(NOW + 1800)
    desk.clock.at += 1799
    assert desk.board.paused("mary")
    desk.clock.at += 2
    assert not desk.board.paused("mary")
    assert await shown(client) is None


async def test_the_agent_without_a_name_is_paused_as_any_other(client: Client, desk: Desk) -> None:
    await asked(client, "/agents/(unnamed)/pause", {})
    assert desk.board.paused("")


async def test_both_are_audited_with_their_reasons(client: Client, desk: Desk) -> None:
    await asked(client, "/agents/mary/pause", {"reason": "a bad release"})
    await asked(client, "/agents/mary/resume", {"reason": "rolled back"})
    entries, _ = await desk.audit.page(cursor=None, limit=9)
    told = [(e.deed.action, e.deed.agent_name, e.deed.reason) for e in entries]
    assert told == [(Action.RESUME, "mary", "rolled back"), (Action.PAUSE, "mary", "a bad release")]


async def test_a_name_of_which_nothing_is_known_is_a_typing_error(client: Client) -> None:
    assert (await asked(client, "/agents/marry/pause", {}, 404))["near"] == ["mary"]
    await asked(client, "/agents/marry/resume", {}, 404)


@pytest.mark.parametrize("body", [{"duration": "soon"}, {"duration": 0}, {"duration": "31d"}, {"until": 1}, {"reason": 1}])
async def test_a_body_of_another_form_is_refused(client: Client, body: Any) -> None:
    await asked(client, "/agents/mary/pause", body, 400)


@pytest.mark.parametrize("path", ["/agents/mary/pause", "/agents/mary/resume"])
async def test_only_an_operator_may(desk: Desk, aiohttp_client: AiohttpClient, path: str) -> None:
    client = await aiohttp_client(desk.app)
    for headers, status in (
        ({}, 401),
        (bearer("nothing"), 401),
        (bearer("read"), 403),
        (bearer("mint"), 403),
        (bearer("worker"), 403),
        (bearer("operate"), 200),
    ):
        async with client.post(path, headers=headers) as response:
            assert response.status == status


async def test_what_is_done_is_counted_and_what_is_refused_is_not(client: Client, desk: Desk) -> None:
    await asked(client, "/agents/mary/pause", {})
    await asked(client, "/agents/mary/resume", {})
    await asked(client, "/agents/nobody/pause", {}, status=404)
    assert desk.counted == ["pause", "resume"]
