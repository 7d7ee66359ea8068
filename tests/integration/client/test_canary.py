"""`rollcall canary`, against the real application; what came of the canary is what the test says."""

from __future__ import annotations

import json

import pytest
from pytest_aiohttp import AiohttpServer

from orchestrator.exits import ExitCode
from orchestrator.runtime.ports import CanaryPaused, LiveKitUnavailable
from tests.fakes.canaries import ILL
from tests.integration.client.commands import OPERATOR, READER, Lookout, Rollcall, serve


@pytest.fixture
def lookout() -> Lookout:
    return Lookout()


@pytest.fixture
async def rollcall(lookout: Lookout, aiohttp_server: AiohttpServer) -> Rollcall:
    return await serve(aiohttp_server, lookout.app, OPERATOR)


async def test_a_good_one_is_said_to_be_and_the_agent_s_page_shows_it(rollcall: Rollcall) -> None:
    ran = await rollcall("canary", "mary")

    assert ran.exit_code == ExitCode.OK, ran.output
    assert ran.stdout == "mary: answering. It joined 0.27 s after its dispatch, and answered in 3 ms.\n"
    assert "ago. It joined 0.27 s after its dispatch" in (await rollcall("agents", "mary")).stdout


async def test_a_bad_one_says_why_and_what_to_do_and_has_failed(rollcall: Rollcall, lookout: Lookout) -> None:
    lookout.canaries.result = ILL

    ran = await rollcall("canary", "mary")

    assert ran.exit_code == ExitCode.FAILED
    first, second = ran.stdout.splitlines()
    assert first.startswith("mary: failed. It did not come within 6 s (not_taken).")
    assert second.startswith("Fix: Check that a worker is running with exactly the agent name mary")


async def test_as_json_it_is_what_the_service_answers_with_the_same_code(rollcall: Rollcall, lookout: Lookout) -> None:
    lookout.canaries.result = ILL

    ran = await rollcall("canary", "mary", "--json", "--reason", "after the release")

    assert ran.exit_code == ExitCode.FAILED
    assert json.loads(ran.stdout)["cause"] == "not_taken"


async def test_where_nothing_was_found_out_the_code_says_so(rollcall: Rollcall, lookout: Lookout) -> None:
    lookout.canaries.result = LiveKitUnavailable("gone")
    assert (await rollcall("canary", "mary")).exit_code == ExitCode.UNHEALTHY
    lookout.canaries.result = CanaryPaused("mary")
    paused = await rollcall("canary", "mary")
    assert (paused.exit_code, "mary is paused" in paused.stderr) == (ExitCode.FAILED, True)


async def test_a_name_that_nobody_knows_is_a_typing_error_and_a_reader_may_not(rollcall: Rollcall) -> None:
    assert (await rollcall("canary", "marry")).exit_code == ExitCode.NOT_FOUND
    assert (await rollcall("canary", "mary", token=READER)).exit_code == ExitCode.FAILED
