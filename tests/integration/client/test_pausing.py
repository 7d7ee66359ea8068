"""`rollcall pause` and `resume`, against the real application on the model of the store."""

from __future__ import annotations

import json

import pytest
from pytest_aiohttp import AiohttpServer

from orchestrator.exits import ExitCode
from tests.integration.client.commands import OPERATOR, READER, Lookout, Rollcall, serve


@pytest.fixture
async def rollcall(aiohttp_server: AiohttpServer) -> Rollcall:
    return await serve(aiohttp_server, Lookout().app, OPERATOR)


async def test_an_agent_is_paused_shown_as_such_and_resumed(rollcall: Rollcall) -> None:
    paused = await rollcall("pause", "mary", "--reason", "a bad release")

    assert paused.exit_code == ExitCode.OK, paused.output
    assert paused.stdout == "mary is paused since 1970-01-12 13:47:40Z, until it is resumed: a bad release.\n"
    assert "unannounced, paused" in (await rollcall("agents")).stdout
    assert (
        "Paused      since 1970-01-12 13:47:40Z, until it is resumed: a bad release"
        in (await rollcall("agents", "mary")).stdout
    )
    assert (await rollcall("resume", "mary")).stdout == "mary is dispatched again.\n"
    assert "paused" not in (await rollcall("agents")).stdout


async def test_a_pause_may_end_by_itself(rollcall: Rollcall) -> None:
    told = json.loads((await rollcall("pause", "tom", "--for", "30m", "--json")).stdout)

    assert told["paused"]["until"] == "1970-01-12T14:17:40.000Z"
    assert (await rollcall("pause", "tom", "--for", "soon")).exit_code == ExitCode.USAGE


async def test_a_name_that_nobody_knows_is_a_typing_error(rollcall: Rollcall) -> None:
    ran = await rollcall("pause", "mry")

    assert (ran.exit_code, ran.stderr.endswith("Did you mean mary?\n")) == (ExitCode.NOT_FOUND, True)


async def test_a_reader_s_token_pauses_nobody(rollcall: Rollcall) -> None:
    ran = await rollcall("pause", "mary", token=READER)

    assert (ran.exit_code, "of scope operate" in ran.stderr) == (ExitCode.FAILED, True)
