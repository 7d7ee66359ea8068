"""`rollcall watch` and `rollcall show --watch`, against the real application on the model of the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr
from pytest_aiohttp import AiohttpServer

from orchestrator.client.service import Service
from orchestrator.client.watching import watch_session, watch_sessions
from orchestrator.core import facts as f
from orchestrator.core.session import Session
from orchestrator.exits import ExitCode
from tests.integration.client.commands import READER, Lookout, serve
from tests.unit.client.answering import missing, verified
from tests.unit.core.stories import START, agent_left, play


class Ctrl(KeyboardInterrupt):
    """Who watches has seen enough."""


class Waits:
    """What happens while the command waits, wait after wait; then Ctrl-C."""

    def __init__(self, *happenings: Callable[[], None]) -> None:
        self._happenings = list(happenings)
        self.waited: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)
        if not self._happenings:
            raise Ctrl
        self._happenings.pop(0)()


@pytest.fixture
def lookout() -> Lookout:
    lookout = Lookout()
    lookout.door.archive.keep(verified(), missing())
    return lookout


async def service(lookout: Lookout, aiohttp_server: AiohttpServer) -> Service:
    return Service((await serve(aiohttp_server, lookout.app)).url, SecretStr(READER))


def ended(session: Session) -> Session:
    return play(f.RoomFinished(created_at=START + 70), session=session, at=START + 70)


async def watched(work: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    try:
        return await asyncio.to_thread(work, *arguments, **options)
    except Ctrl:
        return None


async def test_a_change_is_one_line_and_the_end_of_a_session_another(
    lookout: Lookout, aiohttp_server: AiohttpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = play(agent_left(at=START + 20, joined_at=START), session=verified(), at=START + 20)
    keep = lookout.door.archive.keep
    waits = Waits(lambda: keep(lost), lambda: None, lambda: keep(ended(lost)))
    await watched(watch_sessions, await service(lookout, aiohttp_server), as_json=False, wait=waits)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 live sessions: 1 unverified, 1 verified. Ctrl-C ends."
    assert [line.split("  ")[1:3] for line in lines[1:]] == [
        ["support-18", "unverified"],
        ["support-17", "verified -> dispatching"],
        ["support-17", "dispatching -> ended"],
    ]
    assert min(waits.waited) >= 2.0


async def test_programs_get_a_line_of_json_for_each_change(
    lookout: Lookout, aiohttp_server: AiohttpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    waits = Waits(lambda: lookout.door.archive.keep(replace(missing("new-room"), sid="RM_9")))
    await watched(watch_sessions, await service(lookout, aiohttp_server), as_json=True, wait=waits)

    [change] = map(json.loads, capsys.readouterr().out.splitlines())
    assert (change["sid"], change["was"], change["state"]) == ("RM_9", None, "unverified")


async def test_a_service_that_is_away_for_a_moment_ends_no_watch(
    lookout: Lookout, aiohttp_server: AiohttpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    def down() -> None:
        lookout.door.archive.down = True

    def up() -> None:
        lookout.door.archive.down = False
        lookout.door.archive.keep(ended(verified()))

    await watched(watch_sessions, await service(lookout, aiohttp_server), as_json=False, wait=Waits(down, up))

    told = capsys.readouterr()
    assert "cannot do this now" in told.err
    assert "verified -> ended" in told.out


async def test_one_session_is_followed_event_by_event_until_it_has_ended(
    lookout: Lookout, aiohttp_server: AiohttpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    waits = Waits(lambda: None, lambda: lookout.door.archive.keep(ended(verified())))
    code = await watched(watch_session, await service(lookout, aiohttp_server), "support-17", as_json=False, wait=waits)

    assert code is ExitCode.OK
    page, _, followed = capsys.readouterr().out.partition("lk dispatch list support-17\n")
    assert page.startswith("support-17  RM_1  verified")
    assert "room_finished" in followed
    assert followed.splitlines()[-1].startswith("ended: ")


async def test_as_json_it_is_the_session_whenever_it_has_changed(
    lookout: Lookout, aiohttp_server: AiohttpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    waits = Waits(lambda: None, lambda: lookout.door.archive.keep(ended(verified())))
    await watched(watch_session, await service(lookout, aiohttp_server), "support-17", as_json=True, wait=waits)

    assert [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()] == ["verified", "ended"]
