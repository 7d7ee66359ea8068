"""The commands that say which agents a room is to have, and what was said there."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest
from aiohttp import ClientSession
from pytest_aiohttp import AiohttpServer

from orchestrator.core import facts as f
from orchestrator.core.placement import PlacementState
from orchestrator.exits import ExitCode
from tests.integration.client.commands import OPERATOR, READER, Rollcall, serve
from tests.integration.web.doing import Doing
from tests.integration.web.door import NOW
from tests.unit.core.stories import accepted, agent_joined, person_joined, requested, routed

OPENED = f.RoomOpened("support-17", "RM_1", NOW)


@pytest.fixture
async def doing() -> Doing:
    doing = Doing()
    await doing.tell(OPENED, routed("mary"), person_joined(), requested(), accepted(), agent_joined(at=NOW))
    return doing


@pytest.fixture
async def rollcall(doing: Doing, aiohttp_server: AiohttpServer) -> Rollcall:
    return await serve(aiohttp_server, doing.app, OPERATOR)


async def test_an_agent_is_added_with_its_metadata(doing: Doing, rollcall: Rollcall) -> None:
    ran = await rollcall("add-agent", "support-17", "tom", "--metadata", '{"tone": "calm"}')

    assert ran.exit_code == ExitCode.OK, ran.output
    assert ran.stdout == "tom is waiting in support-17 (RM_1).\n"
    assert json.loads((await doing.session("RM_1")).placement("tom").spec.metadata)["tone"] == "calm"


async def test_who_waits_for_an_agent_that_does_not_come_is_told_by_the_exit_code(rollcall: Rollcall) -> None:
    ran = await rollcall("add-agent", "support-17", "tom", "--wait", "5", "--json")

    assert (ran.exit_code, json.loads(ran.stdout)["state"]) == (ExitCode.FAILED, "waiting")


async def test_an_agent_that_is_not_configured_is_refused_with_names_like_it(rollcall: Rollcall) -> None:
    ran = await rollcall("add-agent", "support-17", "tomm")

    assert (ran.exit_code, ran.stderr.endswith("Did you mean tom?\n")) == (ExitCode.USAGE, True)


async def test_one_agent_takes_the_place_of_another(doing: Doing, rollcall: Rollcall) -> None:
    ran = await rollcall("switch", "support-17", "tom", "--instead-of", "mary", "--grace", "2")

    assert ran.exit_code == ExitCode.OK, ran.output
    assert "tom is waiting in support-17 (RM_1), in place of mary" in ran.stdout
    assert (await doing.session("RM_1")).find_placement("tom") is not None


async def test_an_agent_is_taken_out(doing: Doing, rollcall: Rollcall) -> None:
    ran = await rollcall("remove-agent", "support-17", "mary")

    assert (ran.exit_code, ran.stdout) == (ExitCode.OK, "mary is taken out of support-17, and is not replaced.\n")
    assert (await doing.session("RM_1")).placement("mary").state is PlacementState.CANCELLED


async def test_an_agent_that_is_not_there_cannot_be_taken_out_and_those_that_are_get_named(rollcall: Rollcall) -> None:
    ran = await rollcall("remove-agent", "support-17", "tom")

    assert (ran.exit_code, ran.stderr.endswith("Its agents: mary.\n")) == (ExitCode.NOT_FOUND, True)


async def test_a_reader_s_token_changes_nothing_and_the_scope_is_named(doing: Doing, rollcall: Rollcall) -> None:
    before = await doing.session("RM_1")
    for command in (
        ["add-agent", "support-17", "tom"],
        ["remove-agent", "support-17", "mary"],
        ["switch", "support-17", "tom"],
    ):
        ran = await rollcall(*command, token=READER)
        assert (ran.exit_code, "of scope operate" in ran.stderr) == (ExitCode.FAILED, True)
    assert await doing.session("RM_1") == before


async def test_what_was_said_is_shown_line_by_line(rollcall: Rollcall) -> None:
    reader = Rollcall(rollcall.url, READER)
    assert "Nothing was said" in (await reader("transcript", "support-17")).stdout
    items = [
        {"id": "1", "role": "assistant", "text": "Hello, I am Mary.", "at": "2026-11-21T10:41:00Z", "interrupted": True},
        {"id": "2", "role": "user", "text": "Hi\x1b[2J", "at": "2026-11-21T10:41:02.5Z"},
    ]
    worker = {"Authorization": "Bearer a-token-to-worker"}
    async with ClientSession(headers=worker) as http:
        url = f"{rollcall.url}/sessions/support-17/transcript"
        assert (await http.post(url, json={"agent_name": "mary", "items": items})).status == HTTPStatus.NO_CONTENT

    assert (await reader("transcript", "support-17")).stdout.splitlines() == [
        "10:41:00.000  mary  Hello, I am Mary. (interrupted)",
        "10:41:02.500  user  Hi\\x1b[2J",
    ]
    assert len(json.loads((await reader("transcript", "support-17", "--json")).stdout)["items"]) == len(items)
