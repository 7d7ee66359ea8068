"""Each worker says to the orchestrator that it is there, and how much room it has left: LiveKit's API tells neither."""

from __future__ import annotations

import asyncio
import logging
import math
import os
from typing import TYPE_CHECKING, Protocol

from orchestrator.contract import ANNOUNCE_PERIOD
from worker.description import Description
from worker.orchestrator import Announcement, Orchestrator, OrchestratorError

if TYPE_CHECKING:
    from livekit.agents import AgentServer

log = logging.getLogger("rollcall.worker")

WATCH_SECONDS = 0.5
"""Between two looks at the worker: livekit-agents tells of no loss of its connection and of no drain, but shows both."""

NEVER_FULL = 0.99
"""The highest load of a worker without a threshold (`--dev`): it takes every job, however busy the machine is."""

HIGHEST_LOAD = 1_000.0
"""What the orchestrator takes no more of."""


def announce(server: AgentServer) -> None:
    """Announce this worker to the orchestrator for as long as it is registered with LiveKit.

    Call it in the module that makes the server: job processes import that too, but register nothing and so say nothing.
    Without ROLLCALL_URL nothing is announced; SettingsError where it or another setting cannot be used.
    """
    client = Orchestrator.from_environment(os.environ).client()
    description = Description.from_environment(os.environ)
    if client is not None:
        announcer = Announcer(LiveKitWorker(server, description), client)
        server.on("worker_registered", announcer.begin)


class Worker(Protocol):
    """What an announcer must know of a worker."""

    @property
    def id(self) -> str:
        """Another one after each registration."""

    @property
    def serving(self) -> bool:
        """Whether LiveKit can give it jobs: it is connected and registered. Draining is no end of that."""

    @property
    def closed(self) -> bool:
        """Whether it will never serve again."""

    def announcement(self) -> Announcement:
        """What it says of itself now."""


class Line(Protocol):
    """Where announcements go: OrchestratorClient, as far as it is needed here."""

    async def announce(self, worker_id: str, announcement: Announcement, /) -> None:
        """OrchestratorError when nobody heard it."""

    async def withdraw(self, worker_id: str, /) -> None:
        """OrchestratorError when nobody heard it."""


class LiveKitWorker:
    """An AgentServer, as an announcer sees it."""

    def __init__(self, server: AgentServer, description: Description) -> None:
        """The server may have no name yet; it has one when it registers."""
        self._server = server
        self._description = description

    @property
    def id(self) -> str:
        """LiveKit's own, which its jobs carry too."""
        return self._server.id

    # What follows reads private attributes: 1.8.9 shows these things nowhere else but to its log and its health port.

    @property
    def serving(self) -> bool:
        """Whether its connection stands: a worker that reconnects is known to nobody."""
        server = self._server
        return not (server._connecting or server._connection_failed or server._closed)  # noqa: SLF001 - as said above

    @property
    def closed(self) -> bool:
        """Whether it was closed, or gave up connecting."""
        return self._server._closed or self._server._connection_failed  # noqa: SLF001 - as said above

    def announcement(self) -> Announcement:
        """What LiveKit is told too, and what LiveKit has no field for."""
        # Not at the top: where nothing runs but tests of what is below, livekit-agents is not installed.
        from livekit.agents.worker import ServerEnvOption  # noqa: PLC0415 - see above

        server, told = self._server, self._description
        threshold = ServerEnvOption.getvalue(server._load_threshold, server._devmode)  # noqa: SLF001 - as said above
        return Announcement(
            # With LIVEKIT_AGENT_NAME_OVERRIDE, the argument and LIVEKIT_AGENT_NAME weighed by livekit-agents itself.
            agent_name=server._agent_name,  # noqa: SLF001 - as said above
            load=part_of(server._worker_load, threshold),  # noqa: SLF001 - as said above
            active_jobs=len(server.active_jobs),
            capacity=told.capacity,
            version=told.version,
            region=told.region,
            capabilities=told.capabilities,
            draining=server.draining,
        )


class Announcer:
    """Says every ANNOUNCE_PERIOD that a worker serves, at once when that changes, and at the end that it is gone."""

    def __init__(self, worker: Worker, line: Line) -> None:
        """It begins when it is told to."""
        self._worker = worker
        self._line = line
        self._announced: str | None = None
        """Under which id the worker stands in the orchestrator's list, as far as we know."""
        self._failing = False
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Announce from now on; the worker has registered, for the first time or again."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="rollcall presence")

    async def _run(self) -> None:
        clock = asyncio.get_running_loop().time
        due = clock()
        draining = False
        try:
            while not self._worker.closed:
                serving, worker_id = self._worker.serving, self._worker.id
                if self._announced is not None and (not serving or worker_id != self._announced):
                    await self._withdraw()
                if serving:
                    now = self._worker.announcement()
                    if clock() >= due or now.draining != draining or self._announced is None:
                        due, draining = clock() + ANNOUNCE_PERIOD, now.draining
                        await self._announce(worker_id, now)
                await asyncio.sleep(WATCH_SECONDS)
        finally:
            # Also when livekit-agents cancels every task at the end of its process.
            await self._withdraw()

    async def _announce(self, worker_id: str, announcement: Announcement) -> None:
        # Set first: an announcement whose answer was lost may have been heard.
        self._announced = worker_id
        try:
            await self._line.announce(worker_id, announcement)
        except OrchestratorError as error:
            if not self._failing:
                log.warning("presence not announced", extra={"reason": str(error)})
            self._failing = True
        else:
            if self._failing:
                log.info("presence announced again")
            self._failing = False

    async def _withdraw(self) -> None:
        worker_id, self._announced = self._announced, None
        if worker_id is None:
            return
        try:
            await self._line.withdraw(worker_id)
        except OrchestratorError as error:
            # What was announced expires by itself.
            log.debug("presence not withdrawn", extra={"reason": str(error)})


def part_of(load: float, threshold: float) -> float:
    """The part of its threshold that a worker's load is, from 0 up: at 1 it takes no more jobs."""
    if threshold == math.inf:
        return round(min(max(load, 0.0), NEVER_FULL), 3)
    if threshold <= 0 or not math.isfinite(load):
        return 1.0
    return round(min(max(load / threshold, 0.0), HIGHEST_LOAD), 3)
