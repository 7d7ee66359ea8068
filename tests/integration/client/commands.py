"""The command, run as a user runs it, against a service that runs in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from pytest_aiohttp import AiohttpServer
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from orchestrator.cli import app
from orchestrator.runtime.pauses import PauseBoard
from orchestrator.store.fleet import WorkerLimits
from orchestrator.web import agents
from orchestrator.web.auth import Bearers
from orchestrator.web.canaries import CanaryParts, canary_routes
from orchestrator.web.links import Links
from orchestrator.web.pausing import PausingParts, pausing_routes
from orchestrator.web.server import build_app
from orchestrator.web.sessions import Sessions
from orchestrator.web.table import routes_of
from tests.fakes.canaries import ScriptedCanaries
from tests.fakes.store import Line, MemoryAudit, MemoryPauses, MemoryWorkers, Server
from tests.integration.web.door import TOKENS, Door, acknowledge, expose

CONFIGURED = ["mary", "tom"]
READER = "a-token-to-read"
OPERATOR = "a-token-to-operate"


class Lookout:
    """The routes on which one looks, with a fleet beside the archive of sessions; mary and tom are configured."""

    def __init__(self) -> None:
        self.door = Door()
        line = Line(Server(self.door.clock))
        self.workers = MemoryWorkers(line, WorkerLimits(of_name=10, workers=10, names=10))
        self.board = PauseBoard(MemoryPauses(line), self.door.clock)
        self.audit = MemoryAudit(line)
        self.canaries = ScriptedCanaries()
        sessions = Sessions(self.door.archive, self.door.clock, Links(None))
        routes = (
            *routes_of(acknowledge, sessions, self.door.readiness, expose),
            *agents.routes(agents.Agents(self.workers, CONFIGURED, self.board.current, self.canaries)),
            *canary_routes(CanaryParts(self.canaries, self.canaries, self.workers, CONFIGURED, self.board.current, self.audit)),
            *pausing_routes(PausingParts(self.board, self.workers, CONFIGURED, self.audit, self.door.clock, lambda _: None)),
        )
        self.app = build_app(routes, bearers=Bearers(TOKENS, dev=False), version="1.2.3")


@dataclass(frozen=True)
class Rollcall:
    """The command, with an environment of its own."""

    url: str
    token: str | None = READER

    async def __call__(self, *arguments: str, token: str | None = "", **environment: str) -> Result:
        """In a thread, because the service answers in this one."""
        with capture_logs():  # of the service, which would stand in between
            return await asyncio.to_thread(self._run, arguments, self.token if token == "" else token, environment)

    def _run(self, arguments: tuple[str, ...], token: str | None, environment: Mapping[str, str]) -> Result:
        # None: not in the environment, whatever that of the tests has.
        clean = dict.fromkeys(("ROLLCALL_API_TOKEN_FILE", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "FORCE_COLOR"))
        env = {**clean, "ROLLCALL_URL": self.url, "ROLLCALL_API_TOKEN": token, **environment}
        return CliRunner().invoke(app, arguments, env=env)


async def serve(aiohttp_server: AiohttpServer, application: web.Application, token: str = READER) -> Rollcall:
    server = await aiohttp_server(application)
    return Rollcall(str(server.make_url("")).rstrip("/"), token)
