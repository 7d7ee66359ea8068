"""`rollcall redispatch`, `cancel` and `resolve`, against the real application on the model of the store."""

from __future__ import annotations

import json

import pytest
from pytest_aiohttp import AiohttpServer

from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from orchestrator.core.placement import PlacementState
from orchestrator.exits import ExitCode
from tests.integration.client.commands import OPERATOR, READER, Rollcall, serve
from tests.integration.web.doing import Doing
from tests.integration.web.door import NOW
from tests.unit.core.stories import accepted, person_joined, requested, routed

GIVEN_UP = (f.AttemptEnded("mary", 1, Cause.NOT_TAKEN), f.GaveUp("mary", Cause.NOT_TAKEN))


@pytest.fixture
async def doing() -> Doing:
    """Two rooms in which mary is missing."""
    doing = Doing()
    for number in (1, 2):
        opened = f.RoomOpened(f"support-{number}", f"RM_{number}", NOW - 60 * number)
        await doing.tell(opened, person_joined(), routed("mary"), requested(), accepted(), *GIVEN_UP)
    return doing


@pytest.fixture
async def rollcall(doing: Doing, aiohttp_server: AiohttpServer) -> Rollcall:
    return await serve(aiohttp_server, doing.app, OPERATOR)


async def state(doing: Doing, sid: str) -> PlacementState:
    return (await doing.session(sid)).placement("mary").state


async def test_a_room_gets_a_new_round(doing: Doing, rollcall: Rollcall) -> None:
    ran = await rollcall("redispatch", "support-1", "--reason", "worker restarted")

    assert (ran.exit_code, ran.stdout) == (ExitCode.OK, "support-1 (RM_1): mary (was unverified).\n"), ran.output
    assert await state(doing, "RM_1") is not PlacementState.UNVERIFIED
    assert await state(doing, "RM_2") is PlacementState.UNVERIFIED


async def test_all_of_a_filter_get_one(doing: Doing, rollcall: Rollcall) -> None:
    ran = await rollcall("redispatch", "--cause", "not_taken", "--yes", "--json")

    told = json.loads(ran.stdout)
    assert (ran.exit_code, told["matched"], told["taken"]) == (ExitCode.OK, 2, 2), ran.output
    assert {session["room"] for session in told["sessions"]} == {"support-1", "support-2"}
    assert PlacementState.UNVERIFIED not in {await state(doing, "RM_1"), await state(doing, "RM_2")}


async def test_many_are_counted_for_people(rollcall: Rollcall) -> None:
    ran = await rollcall("redispatch", "--since", "90s", "--yes")

    assert ran.stdout.splitlines() == ["support-1 (RM_1): mary (was unverified).", "1 of 1 redispatched, 0 skipped."]


async def test_many_are_not_redispatched_before_somebody_has_said_yes(doing: Doing, rollcall: Rollcall) -> None:
    ran = await rollcall("redispatch", "--state", "unverified")

    assert (ran.exit_code, "Say --yes" in ran.stderr) == (ExitCode.USAGE, True)
    assert await state(doing, "RM_1") is PlacementState.UNVERIFIED


@pytest.mark.parametrize("arguments", [[], ["support-1", "--state", "unverified"]])
async def test_a_room_or_a_filter_and_not_both(rollcall: Rollcall, arguments: list[str]) -> None:
    assert (await rollcall("redispatch", *arguments)).exit_code == ExitCode.USAGE


async def test_a_cancelled_room_wants_nobody(doing: Doing, rollcall: Rollcall) -> None:
    ran = await rollcall("cancel", "support-1")

    assert (ran.exit_code, ran.stdout) == (ExitCode.OK, "support-1 (RM_1): mary (was unverified).\n"), ran.output
    assert await state(doing, "RM_1") is PlacementState.CANCELLED
    assert (await rollcall("cancel", "support-1")).stdout == "support-1 (RM_1): nothing was to be done.\n"


async def test_an_incident_is_resolved_once(rollcall: Rollcall) -> None:
    resolved = json.loads((await rollcall("resolve", "support-1", "--note", "seen", "--json")).stdout)
    assert [taken["agent_name"] for taken in resolved["taken"]] == ["mary"]
    ran = await rollcall("resolve", "support-1", "--note", "seen")

    assert (ran.exit_code, "No incident is open" in ran.stderr) == (ExitCode.FAILED, True)


async def test_a_reader_s_token_operates_nothing(doing: Doing, rollcall: Rollcall) -> None:
    for command in (["redispatch", "support-1"], ["redispatch", "--agent", "mary", "--yes"], ["cancel", "support-1"]):
        ran = await rollcall(*command, token=READER)
        assert (ran.exit_code, "of scope operate" in ran.stderr) == (ExitCode.FAILED, True)
    assert await state(doing, "RM_1") is PlacementState.UNVERIFIED


async def test_a_room_that_is_not_there_ends_with_3(rollcall: Rollcall) -> None:
    ran = await rollcall("redispatch", "support-11")

    assert (ran.exit_code, "Did you mean support-1" in ran.stderr) == (ExitCode.NOT_FOUND, True)
