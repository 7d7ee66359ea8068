"""Sending a canary, and seeing what came of the last ones."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from orchestrator.core.audit import Action
from orchestrator.runtime.pauses import PauseBoard
from orchestrator.runtime.ports import (
    CanaryCrowdedOut,
    CanaryCutOff,
    CanaryPaused,
    LiveKitRejectedCredentials,
    LiveKitUnavailable,
    RollcallError,
)
from orchestrator.web import agents
from orchestrator.web.auth import Bearers
from orchestrator.web.canaries import CanaryParts, canary_routes
from orchestrator.web.server import build_app
from tests.fakes.canaries import ILL, ScriptedCanaries
from tests.fakes.store import Line, MemoryAudit, MemoryPauses, MemoryWorkers, Server
from tests.integration.web.door import TOKENS, StillClock

CONFIGURED = ["mary", ""]
Client = TestClient[Any, Any]


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer a-token-to-{scope}"}


class Desk:
    """The application, and what is behind it."""

    def __init__(self) -> None:
        clock = StillClock()
        line = Line(Server(clock))
        self.audit = MemoryAudit(line)
        self.canaries = ScriptedCanaries()
        fleet, board = MemoryWorkers(line), PauseBoard(MemoryPauses(line), clock)
        parts = CanaryParts(self.canaries, self.canaries, fleet, CONFIGURED, board.current, self.audit)
        shown = agents.routes(agents.Agents(fleet, CONFIGURED, board.current, self.canaries))
        self.app = build_app((*canary_routes(parts), *shown), bearers=Bearers(TOKENS, dev=False), version="1")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def client(desk: Desk, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(desk.app, headers=bearer("operate"))


async def sent(client: Client, agent: str = "mary", status: int = 200, **request: Any) -> Any:
    async with client.post(f"/agents/{agent}/canary", **request) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def read(client: Client, path: str) -> Any:
    async with client.get(path) as response:
        assert response.status == 200
        return await response.json()


async def test_what_came_of_it_is_the_answer_and_is_shown_from_then_on(client: Client) -> None:
    assert (await read(client, "/canaries")) == {"canaries": []}
    assert (await read(client, "/agents/mary"))["canary"] is None

    canary = await sent(client)

    assert canary == {
        "agent_name": "mary",
        "outcome": "answering",
        "cause": None,
        "detail": "It joined 0.27 s after its dispatch, and answered in 3 ms.",
        "fix": None,
        "room": "rollcall-scratch-1",
        "at": "1970-01-12T13:46:40.000Z",
        "seconds": {"joined": 0.27, "answered": 0.275},
        "by": "operator",
    }
    assert (await read(client, "/canaries")) == {"canaries": [canary]}
    assert (await read(client, "/agents/mary"))["canary"] == canary
    assert [agent["canary"] for agent in (await read(client, "/agents"))["agents"]] == [None, canary]


async def test_one_that_failed_is_an_answer_with_its_cause_and_what_to_do(client: Client, desk: Desk) -> None:
    desk.canaries.result = ILL
    canary = await sent(client, json={})
    assert (canary["outcome"], canary["cause"], canary["seconds"]) == (
        "failed",
        "not_taken",
        {"joined": None, "answered": None},
    )
    assert "agent name mary" in canary["fix"]


async def test_the_agent_without_a_name_can_be_tried(client: Client, desk: Desk) -> None:
    assert (await sent(client, "(unnamed)"))["agent_name"] == ""
    assert desk.canaries.sent == [""]


async def test_it_is_audited_with_its_reason(client: Client, desk: Desk) -> None:
    await sent(client, json={"reason": "after the release"})
    (entry,), _ = await desk.audit.page(cursor=None, limit=9)
    assert (entry.deed.action, entry.deed.agent_name, entry.deed.reason) == (Action.CANARY, "mary", "after the release")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CanaryPaused("mary is paused"), 409),
        (CanaryCrowdedOut("no slot"), 503),
        (CanaryCutOff("it stops"), 503),
        (LiveKitUnavailable("gone"), 503),
        (LiveKitRejectedCredentials("401"), 502),
    ],
)
async def test_where_nothing_was_found_out_it_says_why(client: Client, desk: Desk, error: RollcallError, status: int) -> None:
    desk.canaries.result = error
    assert (await sent(client, status=status))["status"] == status


async def test_a_name_of_which_nothing_is_known_is_a_typing_error(client: Client, desk: Desk) -> None:
    assert (await sent(client, "marry", 404))["near"] == ["mary"]
    assert desk.canaries.sent == []


async def test_a_body_of_another_form_is_refused(client: Client) -> None:
    await sent(client, status=400, json={"room": "support-17"})


async def test_only_an_operator_may_send_one_and_readers_may_look(desk: Desk, aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(desk.app)
    for scope, sends, looks in (("", 401, 401), ("read", 403, 200), ("mint", 403, 403), ("operate", 200, 200)):
        headers = bearer(scope) if scope else {}
        async with client.post("/agents/mary/canary", headers=headers) as response:
            assert response.status == sends
        async with client.get("/canaries", headers=headers) as response:
            assert response.status == looks
