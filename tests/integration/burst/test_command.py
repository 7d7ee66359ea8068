"""`rollcall burst` as a process, on a sandbox over HTTP in this one, and beside a Rollcall that is played here."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from orchestrator.cli import ExitCode
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.tasks import Tasks
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.model import AgentRequest
from orchestrator.sandbox.server import serving
from orchestrator.sandbox.signing import Credentials
from orchestrator.sandbox.timing import Timing
from tests.e2e.harness.child import ChildProcess, clean_environment
from tests.e2e.harness.livekit import API_KEY, API_SECRET
from tests.e2e.harness.orchestrator import COMMAND
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until
from tests.integration.conftest import crashed

TOKEN = "a-token-to-operate"
ROOMS = 4


class Rollcall:
    """Answers as the service does: the room is made, and its agent on the way."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self._sandbox = sandbox
        self.app = web.Application()
        self.app.router.add_post("/sessions/{room}/agents", self._add)

    async def _add(self, request: web.Request) -> web.Response:
        body = await request.json()
        room = request.match_info["room"]
        self.asked.append((room, {**body, **request.query, "token": request.headers["Authorization"]}))
        await self._sandbox.create_room_call(room, agents=[AgentRequest("mary")])
        return web.json_response({"room": room, "sid": "RM_1", "agent_name": "mary", "state": "waiting"}, status=201)


class Place:
    """A sandbox with a worker of mary, and the service beside it."""

    def __init__(self, directory: Path, sandbox: Sandbox, livekit: int, service: int) -> None:
        self.sandbox = sandbox
        self.rollcall = Rollcall(sandbox)
        self._directory = directory
        self._environment = clean_environment(
            LIVEKIT_URL=f"ws://{LOOPBACK}:{livekit}",
            LIVEKIT_API_KEY=API_KEY,
            LIVEKIT_API_SECRET=API_SECRET,
            ROLLCALL_URL=f"http://{LOOPBACK}:{service}",
            ROLLCALL_API_TOKEN=TOKEN,
        )

    def burst(self, *options: str) -> ChildProcess:
        command: list[str | Path] = [COMMAND, "burst", "--agent", "mary", "--rate", "100/s", *options]
        process = ChildProcess(command, log=self._directory / "burst.log", environment=self._environment)
        process.start()
        return process

    async def ran(self, *options: str) -> str:
        process = self.burst(*options)
        try:
            assert await process.ended(timeout=30.0) == ExitCode.OK, process.logged()
        finally:
            await process.clear_away()
        assert await self.rooms() == []
        return process.logged()

    async def rooms(self) -> list[str]:
        return [room.name for room in await self.sandbox.list_rooms()]


@asynccontextmanager
async def place(directory: Path, faults: Faults | None = None) -> AsyncIterator[Place]:
    tasks, clock, service = Tasks(crashed), StoreClock(), free_port()
    # Whoever asks is answered by all workers at once.
    timing = Timing(registration=(0.0, 0.0), names_check=0.05)
    sandbox = Sandbox(clock, random.Random(3), tasks.spawn, faults=faults or Faults(), timing=timing)  # noqa: S311
    async with serving(sandbox, clock, Credentials(API_KEY, API_SECRET), host=LOOPBACK, port=0) as livekit:
        found = Place(directory, sandbox, livekit, service)
        runner = web.AppRunner(found.rollcall.app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, service).start()
        try:
            worker = sandbox.start_worker("mary")
            await wait_until(lambda: worker.registered, description="the worker has registered")
            yield found
        finally:
            await tasks.cancel()
            await runner.cleanup()


async def test_rooms_through_rollcall_are_filled_judged_drawn_and_removed(tmp_path: Path) -> None:
    picture = tmp_path / "burst.svg"
    async with place(tmp_path) as there:
        said = await there.ran("--rooms", "8", "--slo", "p99=5s,lost=0,doubled=0", "--plot", str(picture), "--json")
        told = json.loads(said)

        assert (told["held"], told["left_behind"]) == (True, [])
        (run,) = told["runs"]
        assert (run["dispatch"], run["rooms"], run["with_agent"], run["lost"]) == ("rollcall", 8, 8, 0)
        assert 0.1 < run["seconds"]["p50"] < 2.0
        assert [room for room, _ in there.rollcall.asked if not room.startswith("rollcall-scratch-burst-")] == []
        assert there.rollcall.asked[0][1] == {
            "agent_name": "mary",
            "hold": "verified",
            "hold_seconds": "0",
            "token": f"Bearer {TOKEN}",
        }
    assert picture.read_text().startswith("<svg")


async def test_after_ctrl_c_no_room_is_left(tmp_path: Path) -> None:
    async with place(tmp_path) as there:
        process = there.burst("--rooms", str(ROOMS))
        try:
            seen = f"{ROOMS} have their agent"
            await wait_until(lambda: seen in process.logged(), timeout=20.0, description="every room has its agent")
            process.signal(signal.SIGINT)
            assert await process.ended(timeout=20.0) == ExitCode.INTERRUPTED
        finally:
            await process.clear_away()

        assert await there.rooms() == []
        assert "Stopped: the rooms are being removed." in process.logged()
        assert "Traceback" not in process.logged()


async def test_a_second_ctrl_c_does_not_wait_and_says_what_may_be_left(tmp_path: Path) -> None:
    async with place(tmp_path, Faults(drop_dispatch=1.0)) as there:
        process = there.burst("--rooms", "8", "--plain")
        try:
            await wait_until(there.rooms, timeout=20.0, description="rooms are there")
            process.signal(signal.SIGINT)
            await wait_until(lambda: "Stopped" in process.logged(), description="it has heard")
            process.signal(signal.SIGINT)
            assert await process.ended(timeout=3.0) == ExitCode.INTERRUPTED
        finally:
            await process.clear_away()

    assert "rooms may be left, such as rollcall-scratch-burst-" in process.logged()
    assert "Traceback" not in process.logged()
