"""`rollcall export`, against the real application on the model of the store."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from pytest_aiohttp import AiohttpServer

from orchestrator.exits import ExitCode
from tests.integration.client.commands import Lookout, Rollcall, serve
from tests.integration.web.door import NOW
from tests.unit.client.answering import missing, verified


@pytest.fixture
def lookout() -> Lookout:
    return Lookout()


@pytest.fixture
async def rollcall(lookout: Lookout, aiohttp_server: AiohttpServer) -> Rollcall:
    return await serve(aiohttp_server, lookout.app)


async def test_all_sessions_are_written_one_a_line_as_the_service_shows_each(lookout: Lookout, rollcall: Rollcall) -> None:
    lookout.door.archive.keep(
        *(replace(verified(), room=f"room {n}", sid=f"RM_{n}", started_at=NOW + n) for n in range(100, 330))
    )
    ran = await rollcall("export")
    exported = [json.loads(line) for line in ran.stdout.splitlines()]

    assert (ran.exit_code, ran.stderr) == (ExitCode.OK, "230 sessions.\n")
    assert [session["sid"] for session in exported] == [f"RM_{n}" for n in reversed(range(100, 330))]
    assert exported[0] == json.loads((await rollcall("show", "RM_329", "--json")).stdout)


async def test_a_filter_leaves_out_what_is_not_asked_for(lookout: Lookout, rollcall: Rollcall) -> None:
    lookout.door.archive.keep(replace(verified(), room="a", sid="RM_1"), replace(missing(), room="b", sid="RM_2"))
    ran = await rollcall("export", "--cause", "not_taken")

    assert [json.loads(line)["room"] for line in ran.stdout.splitlines()] == ["b"]


async def test_nothing_is_nothing_and_no_failure(rollcall: Rollcall) -> None:
    ran = await rollcall("export")

    assert (ran.exit_code, ran.stdout, ran.stderr) == (ExitCode.OK, "", "0 sessions.\n")


async def test_an_export_that_breaks_off_fails(lookout: Lookout, rollcall: Rollcall) -> None:
    lookout.door.archive.down = True

    assert (await rollcall("export")).exit_code == ExitCode.UNHEALTHY
