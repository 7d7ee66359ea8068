"""Asking Rollcall for a room and its agent: what it is asked, and what its refusals become."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import web
from pydantic import SecretStr
from pytest_aiohttp import AiohttpServer

from orchestrator.burst.asking import ThroughRollcall
from orchestrator.client.errors import CommandFailed
from orchestrator.client.service import Service
from orchestrator.core.facts import Fact, RoomOpened
from orchestrator.exits import ExitCode
from orchestrator.runtime.clock import StoreClock
from tests.fakes.livekit import FakeLiveKit

ROOM = "rollcall-scratch-burst-1/2"


class Answers:
    """A service that answers each request with this."""

    def __init__(self, status: int, **body: object) -> None:
        self.asked: list[tuple[str, object, str]] = []
        self.app = web.Application()
        self.app.router.add_post("/sessions/{room}/agents", self._answer)
        self._answered = (status, body)

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.match_info["room"], await request.json(), request.query_string))
        status, body = self._answered
        return web.json_response(body, status=status)


@pytest.fixture
def livekit() -> FakeLiveKit:
    async def nobody_listens(_opened: RoomOpened, _fact: Fact) -> None:
        return None

    return FakeLiveKit(StoreClock(), nobody_listens)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def asking(
    answers: Answers, livekit: FakeLiveKit, aiohttp_server: AiohttpServer, threads: ThreadPoolExecutor
) -> ThroughRollcall:
    server = await aiohttp_server(answers.app)
    return ThroughRollcall(livekit, Service(str(server.make_url("")), SecretStr("a-token")), "mary", threads)


async def test_one_agent_is_asked_for_and_not_waited_for(
    livekit: FakeLiveKit, aiohttp_server: AiohttpServer, threads: ThreadPoolExecutor
) -> None:
    answers = Answers(201)
    made = await livekit.create_room(ROOM, metadata="", agents=())

    assert await (await asking(answers, livekit, aiohttp_server, threads)).ask(ROOM) == made.created_at
    assert answers.asked == [(ROOM, {"agent_name": "mary"}, "hold=verified&hold_seconds=0")]


async def test_a_refusal_says_what_to_do(
    livekit: FakeLiveKit, aiohttp_server: AiohttpServer, threads: ThreadPoolExecutor
) -> None:
    answers = Answers(422, detail='No agent "mary" is configured in rollcall.yaml.', near=["marie"])
    with pytest.raises(CommandFailed, match='No agent "mary"') as refused:
        await (await asking(answers, livekit, aiohttp_server, threads)).ask(ROOM)

    assert (refused.value.code, "marie" in refused.value.fix) == (ExitCode.USAGE, True)


async def test_a_rollcall_of_another_livekit_is_noticed(
    livekit: FakeLiveKit, aiohttp_server: AiohttpServer, threads: ThreadPoolExecutor
) -> None:
    with pytest.raises(CommandFailed, match="is not on the server of LIVEKIT_URL"):
        await (await asking(Answers(201), livekit, aiohttp_server, threads)).ask(ROOM)
