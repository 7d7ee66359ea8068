"""POST /agents/<name>/pause and /resume: nobody of this name is dispatched for a while."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from orchestrator.configuration.credentials import Scope
from orchestrator.core.audit import Action
from orchestrator.core.pauses import Pause
from orchestrator.runtime.ports import Clock
from orchestrator.web.agent_view import PauseView, pause_view
from orchestrator.web.answers import answer
from orchestrator.web.deeds import deed, doer
from orchestrator.web.known_agents import FleetLook, known_agent
from orchestrator.web.operation_models import ForAWhile, Reason, ReasonRequest
from orchestrator.web.operation_ports import Audit
from orchestrator.web.requests import Body, read_model
from orchestrator.web.routes import AGENT, BODY_REFUSALS, PROTECTED, UNAVAILABLE, Answer, Route, refusal

log = structlog.get_logger()


class PauseRequest(Body):
    """Why nobody is to be dispatched, and for how long."""

    reason: Reason = ""
    duration: ForAWhile | None = None
    """Seconds, or as text: `30m`; 30 days at the most. null: until somebody ends it."""


class PausedAgent(BaseModel):
    """An agent name, and whether it is paused."""

    model_config = ConfigDict(frozen=True)

    agent_name: str
    paused: PauseView | None


class Board(Protocol):
    """The pauses. Its coroutines raise StoreUnavailable."""

    def current(self) -> Mapping[str, Pause]: ...

    async def pause(self, agent_name: str, pause: Pause) -> None: ...

    async def resume(self, agent_name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class PausingParts:
    board: Board
    fleet: FleetLook
    configured: Collection[str]
    audit: Audit
    clock: Clock
    count: Callable[[str], None]
    """What was done: pause or resume."""


class Pausing:
    """The handlers. Each raises Refused."""

    def __init__(self, parts: PausingParts) -> None:
        self._parts = parts

    async def pause(self, request: web.Request) -> web.Response:
        asked = await read_model(request, PauseRequest)
        name = await self._known(request)
        now = self._parts.clock.now()
        until = None if asked.duration is None else now + asked.duration
        pause = Pause(now, until, by=doer(request), reason=asked.reason)
        await self._parts.audit.add(deed(request, Action.PAUSE, asked.reason, agent_name=name))
        await self._parts.board.pause(name, pause)
        self._parts.count("pause")
        log.info("operation", operation="pause", agent=name)
        return answer(PausedAgent(agent_name=name, paused=pause_view(pause)))

    async def resume(self, request: web.Request) -> web.Response:
        asked = await read_model(request, ReasonRequest)
        name = await self._known(request)
        await self._parts.audit.add(deed(request, Action.RESUME, asked.reason, agent_name=name))
        await self._parts.board.resume(name)
        self._parts.count("resume")
        log.info("operation", operation="resume", agent=name)
        return answer(PausedAgent(agent_name=name, paused=None))

    async def _known(self, request: web.Request) -> str:
        """Raises Refused."""
        parts = self._parts
        return await known_agent(request, parts.fleet, {*parts.configured, *parts.board.current()})


def pausing_routes(parts: PausingParts) -> tuple[Route, ...]:
    """Pause and resume."""
    pausing = Pausing(parts)
    answers = {
        200: Answer("It is done; other replicas follow within two seconds.", PausedAgent),
        404: refusal("Nothing is known of this name; `near` lists names that look like it."),
        503: UNAVAILABLE,
        **BODY_REFUSALS,
        **PROTECTED,
    }
    return (
        Route(
            "POST",
            "/agents/{agent}/pause",
            pausing.pause,
            scope=Scope.OPERATE,
            name="pauseAgent",
            summary="Dispatch nobody of this name for a while; who serves is not touched, and who waits goes on waiting.",
            answers=answers,
            parameters=(AGENT,),
            accepts=PauseRequest,
        ),
        Route(
            "POST",
            "/agents/{agent}/resume",
            pausing.resume,
            scope=Scope.OPERATE,
            name="resumeAgent",
            summary="End a pause: every session that waited for it begins its round anew.",
            answers=answers,
            parameters=(AGENT,),
            accepts=ReasonRequest,
        ),
    )
