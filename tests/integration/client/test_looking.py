"""The commands that look, against the real application on the model of the store."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from orchestrator.core.fleet import Announcement
from orchestrator.core.session import Session
from orchestrator.exits import ExitCode
from tests.integration.client.commands import Lookout, Rollcall, serve
from tests.integration.web.door import NOW
from tests.unit.client.answering import missing, verified


def moved(session: Session, room: str, sid: str, started_at: float) -> Session:
    return replace(session, room=room, sid=sid, started_at=started_at, updated_at=started_at)


@pytest.fixture
def lookout() -> Lookout:
    lookout = Lookout()
    lookout.door.archive.keep(
        moved(verified(), "support-17", "RM_1", NOW - 60), moved(missing(), "support-18", "RM_2", NOW - 90)
    )
    return lookout


@pytest.fixture
async def rollcall(lookout: Lookout, aiohttp_server: AiohttpServer) -> Rollcall:
    return await serve(aiohttp_server, lookout.app)


async def test_sessions_are_listed_newest_first(rollcall: Rollcall) -> None:
    ran = await rollcall("sessions")

    assert ran.exit_code == ExitCode.OK, ran.output
    assert [line.split()[:3] for line in ran.stdout.splitlines()] == [
        ["ROOM", "STATE", "AGENTS"],
        ["support-17", "verified", "mary"],
        ["support-18", "unverified", "mary"],
    ]
    assert "\x1b" not in ran.stdout


@pytest.mark.parametrize(
    ("filters", "rooms"),
    [
        (["--state", "unverified"], ["support-18"]),
        (["--cause", "not_taken"], ["support-18"]),
        (["--age", "80s"], ["support-18"]),
        (["--agent", "mary"], ["support-17", "support-18"]),
        (["--agent", "tom"], []),
    ],
)
async def test_filters_leave_out_what_is_not_asked_for(rollcall: Rollcall, filters: list[str], rooms: list[str]) -> None:
    ran = await rollcall("sessions", "--json", *filters)

    assert [session["room"] for session in json.loads(ran.stdout)["sessions"]] == rooms


async def test_a_list_goes_over_pages_and_says_how_to_go_on(lookout: Lookout, rollcall: Rollcall) -> None:
    lookout.door.archive.keep(*(moved(verified(), f"room-{n}", f"RM_{n}", NOW + n) for n in range(10, 260)))

    whole = json.loads((await rollcall("sessions", "--limit", "1000", "--json")).stdout)
    assert (len(whole["sessions"]), whole["cursor"]) == (252, None)
    part = await rollcall("sessions", "--limit", "150")
    assert len(part.stdout.splitlines()) == 1 + 150 + 1
    assert part.stdout.splitlines()[-1] == "There are more: --cursor RM_110, or a higher --limit."
    rest = json.loads((await rollcall("sessions", "--limit", "1000", "--cursor", "RM_110", "--json")).stdout)
    assert len(rest["sessions"]) == 102


async def test_a_filter_that_cannot_be_names_what_it_may_be(rollcall: Rollcall) -> None:
    ran = await rollcall("sessions", "--state", "lost")

    assert ran.exit_code == ExitCode.USAGE
    assert ran.stdout == ""
    assert "It may be one of dispatching, verified," in ran.stderr


async def test_one_session_is_shown_whole(rollcall: Rollcall) -> None:
    ran = await rollcall("show", "support-18")

    assert ran.exit_code == ExitCode.OK, ran.output
    assert ran.stdout.startswith("support-18  RM_2  unverified\nmary is missing.")
    assert "Timeline" in ran.stdout
    assert f"  runbook  {rollcall.url}/runbook#not-taken" in ran.stdout


async def test_as_json_it_is_what_the_service_answers(rollcall: Rollcall) -> None:
    session = json.loads((await rollcall("show", "RM_2", "--json")).stdout)

    assert (session["room"], session["placements"][0]["cause"]) == ("support-18", "not_taken")


async def test_a_room_that_is_not_there_ends_with_3_and_names_like_it(rollcall: Rollcall) -> None:
    for command in ("show", "explain", "transcript"):
        ran = await rollcall(command, "suport-18")
        assert (ran.exit_code, ran.stdout) == (ExitCode.NOT_FOUND, "")
    ran = await rollcall("explain", "suport-18")
    assert ran.stderr == 'error: There is no session of a room or sid "suport-18". Did you mean support-18, support-17?\n'


async def test_a_name_with_a_slash_is_one_segment(lookout: Lookout, rollcall: Rollcall) -> None:
    lookout.door.archive.keep(moved(verified(), "a/b ?", "RM_3", NOW))

    assert (await rollcall("show", "a/b ?")).stdout.startswith("a/b ?  RM_3")


async def test_an_explanation_holds_what_workers_say(lookout: Lookout, rollcall: Rollcall) -> None:
    await lookout.workers.announce(Announcement("w1", "mary", 1.0, 8, 8, "1.2", "eu", (), draining=False))
    ran = await rollcall("explain", "support-18")

    assert ran.exit_code == ExitCode.OK, ran.output
    assert len(ran.stdout.splitlines()) < 12
    assert "1 worker answers to mary, and no room is left." in ran.stdout
    told = json.loads((await rollcall("explain", "support-18", "--json")).stdout)
    assert (told["cause"], told["runbook"]) == ("not_taken", "/runbook#not-taken")


async def test_agents_are_listed_and_one_of_them_with_its_workers(lookout: Lookout, rollcall: Rollcall) -> None:
    await lookout.workers.announce(Announcement("w1", "mary", 0.25, 2, 8, "1.2", "eu", (), draining=False))

    assert [line.split()[:5] for line in (await rollcall("agents")).stdout.splitlines()] == [
        ["AGENT", "STATE", "WORKERS", "JOBS", "FREE"],
        ["mary", "serving", "1", "2", "6"],
        ["tom", "unannounced", "0", "0", "-"],
    ]
    assert "w1      0.25  2     6     1.2      eu      0 s ago" in (await rollcall("agents", "mary")).stdout
    assert len(json.loads((await rollcall("agents", "--json")).stdout)["agents"]) == 2
    near = await rollcall("agents", "mray")
    assert (near.exit_code, near.stderr.endswith("Did you mean mary?\n")) == (ExitCode.NOT_FOUND, True)


# --- what goes wrong --------------------------------------------------------------------------------------------------


async def test_without_an_address_it_says_how_to_give_one(rollcall: Rollcall) -> None:
    ran = await rollcall("sessions", ROLLCALL_URL="")

    assert ran.exit_code == ExitCode.USAGE
    assert "Set ROLLCALL_URL to its address" in ran.stderr


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://rollcall.example", "http://", "http://a:b", "file:///etc/passwd"])
async def test_what_is_no_address_is_refused_before_anything_is_sent(rollcall: Rollcall, url: str) -> None:
    ran = await rollcall("sessions", "--url", url)

    assert (ran.exit_code, "is no address of a service" in ran.stderr) == (ExitCode.USAGE, True)


async def test_an_address_with_a_password_is_refused_and_not_repeated(rollcall: Rollcall) -> None:
    ran = await rollcall("sessions", "--url", "http://me:hush@127.0.0.1:9")

    assert (ran.exit_code, "hush" in ran.output) == (ExitCode.USAGE, False)


async def test_a_service_that_does_not_answer_is_unhealthy(rollcall: Rollcall) -> None:
    ran = await rollcall("sessions", "--url", "http://127.0.0.1:9")

    assert ran.exit_code == ExitCode.UNHEALTHY
    assert ran.stderr.startswith("error: The service at http://127.0.0.1:9 does not answer: Connection refused. Start it")


async def test_a_service_without_its_store_is_unhealthy(lookout: Lookout, rollcall: Rollcall) -> None:
    lookout.door.archive.down = True
    ran = await rollcall("show", "support-17")

    assert (ran.exit_code, "The store cannot be reached" in ran.stderr) == (ExitCode.UNHEALTHY, True)


@pytest.mark.parametrize("token", [None, "nobody-s", "a-token-to-mint"])
async def test_who_may_not_is_told_which_scope_is_needed(rollcall: Rollcall, token: str | None) -> None:
    ran = await rollcall("sessions", token=token)

    assert ran.exit_code == ExitCode.FAILED
    assert "Set ROLLCALL_API_TOKEN (or ROLLCALL_API_TOKEN_FILE) to one of the service's tokens of scope read." in ran.stderr
    assert token is None or token not in ran.stderr


async def test_a_token_is_not_carried_to_where_a_redirect_points(rollcall: Rollcall, aiohttp_server: AiohttpServer) -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        raise web.HTTPFound(rollcall.url + request.path)

    application = web.Application()
    application.router.add_get("/sessions", elsewhere)
    there = await serve(aiohttp_server, application)
    ran = await there("sessions")

    assert (ran.exit_code, f"sends callers on to {rollcall.url}/sessions" in ran.stderr) == (ExitCode.FAILED, True)


async def test_something_else_at_that_address_is_named_as_such(aiohttp_server: AiohttpServer) -> None:
    async def hello(_request: web.Request) -> web.Response:
        return web.Response(text="<html>hello</html>")

    application = web.Application()
    application.router.add_get("/sessions", hello)
    application.router.add_get("/sessions/support-17", hello)
    other = await serve(aiohttp_server, application)

    for command in (["sessions"], ["sessions", "--json"], ["show", "support-17"], ["show", "support-17", "--json"]):
        assert "no answer of Rollcall" in (await other(*command)).stderr
    assert "what answers there is no Rollcall" in (await other("agents")).stderr
