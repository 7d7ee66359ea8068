"""Worker processes in their own Python environment, and what they saw."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from tests.e2e.harness.child import REPOSITORY, ChildProcess, clean_environment
from tests.e2e.harness.livekit import LiveKitServer
from tests.e2e.harness.orchestrator import LiveKit
from tests.e2e.harness.wait import wait_until

PYTHON = Path(os.environ.get("ROLLCALL_WORKER_PYTHON", REPOSITORY / ".venv-worker/bin/python"))
"""The worker's interpreter: livekit-agents is not in the environment of the tests."""

REGISTRATION_SECONDS = 45.0
"""5 to 9 s on an idle machine; a suite runs on a busy one."""

Behaviour = Literal[
    "light",
    "burst",
    "publishing",
    "rejecting",
    "passing_on",
    "slow_request",
    "slow_process",
    "joining_late",
    "never_connects",
    "raising",
    "leaves_at_once",
    "dying",
    "in_processes",
]

BEHAVIOURS: tuple[Behaviour, ...] = get_args(Behaviour)
WELL_BEHAVED: tuple[Behaviour, ...] = ("light", "publishing")

What = Literal["registered", "requested", "entered", "connected", "ended"]


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of a worker; what a registration lacks is empty."""

    event: What
    at: float
    """Wall clock, seconds."""
    pid: int
    """The job's process where the worker has one for each job, else the worker's."""
    agent_name: str
    job_id: str = ""
    dispatch_id: str = ""
    room: str = ""
    sid: str = ""
    metadata: str = ""
    room_metadata: str = ""
    attributes: Mapping[str, str] | None = None


class TestWorkers:
    """One process with a worker for each agent name."""

    __test__ = False

    def __init__(self, directory: Path, server: LiveKit, behaviours: Mapping[str, Behaviour]) -> None:
        self.agent_names = tuple(behaviours)
        name = f"workers-{'-'.join(self.agent_names)}"[:60]
        self._events = directory / f"{name}.jsonl"
        self.process = ChildProcess(
            [PYTHON, "-m", "tests.e2e.workers", *(f"{agent}={behaviour}" for agent, behaviour in behaviours.items())],
            log=directory / f"{name}.log",
            environment=clean_environment(**server.environment(), ROLLCALL_TEST_WORKER_EVENTS=str(self._events)),
        )

    async def start(self) -> None:
        """Run it until every agent name is registered."""
        registered = len(self.seen("registered"))
        self.process.start()
        await wait_until(
            lambda: _alive(self.process) and len(self.seen("registered")) >= registered + len(self.agent_names),
            timeout=REGISTRATION_SECONDS,
            description=f"workers register as {', '.join(self.agent_names)}",
        )

    def seen(self, event: What | None = None, *, room: str | None = None, agent_name: str | None = None) -> list[Seen]:
        """What the workers saw so far, in order."""
        lines = self._events.read_text().splitlines() if self._events.exists() else []
        return [
            seen
            for seen in (Seen(**json.loads(line)) for line in lines)
            if event in (None, seen.event) and room in (None, seen.room) and agent_name in (None, seen.agent_name)
        ]

    async def wait_for(self, event: What, *, room: str, agent_name: str | None = None, timeout: float = 10.0) -> Seen:
        """The first such event in this room."""
        found = await wait_until(
            lambda: self.seen(event, room=room, agent_name=agent_name),
            timeout=timeout,
            description=f"a worker reports {event} for {room}",
        )
        return found[0]

    def kill_job(self, room: str) -> None:
        """Kill the process of the last job of this room."""
        self.signal_job(room, signal.SIGKILL)

    def signal_job(self, room: str, number: signal.Signals) -> None:
        """Send the process of the last job of this room a signal; only for a behaviour with a process for each job."""
        os.kill(self.pid(room), number)

    def pid(self, room: str) -> int:
        """The process of the last job of this room; only for a behaviour with a process for each job."""
        pid = self.seen("entered", room=room)[-1].pid
        if pid == self.process.pid:
            message = "this job runs in the worker's own process"
            raise RuntimeError(message)
        if os.getpgid(pid) != self.process.pid:
            message = f"process {pid} is none of this worker's: the job has ended, and its number is somebody else's"
            raise RuntimeError(message)
        return pid


class RollcallWorker:
    """The project's own worker, started as people start it."""

    def __init__(
        self,
        directory: Path,
        server: LiveKitServer,
        agent_name: str,
        *,
        arguments: Sequence[str],
        environment: Mapping[str, str],
    ) -> None:
        mine = {
            "LIVEKIT_AGENT_NAME": agent_name,
            "ROLLCALL_WORKER_HOST": "127.0.0.1",
            "ROLLCALL_WORKER_PORT": "0",
            # On a busy machine a worker that reports the CPU's load is passed over in silence.
            "ROLLCALL_WORKER_JOBS": "50",
        }
        self.process = ChildProcess(
            [PYTHON, *arguments],
            log=directory / f"worker-{agent_name}.log",
            environment=clean_environment(**server.environment(), **mine, **environment),
        )

    async def start(self) -> None:
        """Run it until it is registered."""
        self.process.start()
        await wait_until(
            lambda: _alive(self.process) and "registered worker" in self.process.logged(),
            timeout=REGISTRATION_SECONDS,
            description="the worker registers",
        )

    def logged(self) -> list[dict[str, object]]:
        """Its log, line by line; what is not JSON is left out."""
        return [json.loads(line) for line in self.process.logged().splitlines() if line.startswith("{")]


@asynccontextmanager
async def workers(directory: Path, server: LiveKit, behaviours: Mapping[str, Behaviour]) -> AsyncIterator[TestWorkers]:
    """Registered test workers, one for each agent name, ended at the exit."""
    process = TestWorkers(directory, server, behaviours)
    try:
        await process.start()
        yield process
    finally:
        await process.process.clear_away(timeout=3.0)


@asynccontextmanager
async def rollcall_worker(
    directory: Path,
    server: LiveKitServer,
    agent_name: str,
    *,
    arguments: Sequence[str] = ("-m", "livekit.agents", "start", "worker/main.py"),
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[RollcallWorker]:
    """The project's worker, registered as `agent_name`, ended at the exit."""
    worker = RollcallWorker(directory, server, agent_name, arguments=arguments, environment=environment or {})
    try:
        await worker.start()
        yield worker
    finally:
        # Asked politely it would drain its jobs first, for up to an hour.
        await worker.process.clear_away(timeout=1.0)


def _alive(process: ChildProcess) -> bool:
    if not process.running:
        message = f"{process.log.stem} ended with code {process.exit_code}:\n{process.logged()[-2_000:]}"
        raise RuntimeError(message)
    return True
