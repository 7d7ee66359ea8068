"""Workers announce themselves, and people see who answers to which agent name: what LiveKit's API cannot tell."""

from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Final, Protocol

from aiohttp import web
from pydantic import Field

from orchestrator.configuration.credentials import Scope
from orchestrator.contract import ANNOUNCE_PERIOD
from orchestrator.core.canary import Canary
from orchestrator.core.fleet import Announcement, Fleet, near_names
from orchestrator.core.pauses import Pause
from orchestrator.runtime.ports import Announced
from orchestrator.web.agent_view import AgentNameDetail, AgentNameList, agent_name_detail, agent_name_view, known_names
from orchestrator.web.answers import answer
from orchestrator.web.problems import problem
from orchestrator.web.requests import Body, agent_asked_for, read_model
from orchestrator.web.routes import AGENT, BODY_REFUSALS, PROTECTED, UNAVAILABLE, Answer, Parameter, Route, refusal
from orchestrator.web.sessions import SHOWN_OF_WHAT_WAS_ASKED

_BODY_BYTES: Final = 16 * 1024
_LONGEST_ID: Final = 128
_LONGEST_NAME: Final = 256
_LONGEST_WORD: Final = 64
_MOST_CAPABILITIES: Final = 32
_MOST_JOBS: Final = 1_000_000
_PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$"

_Word = Annotated[str, Field(max_length=_LONGEST_WORD, pattern=_PRINTABLE)]
_Jobs = Annotated[int, Field(ge=0, le=_MOST_JOBS)]

_NO_ROOM: Final = {
    Announced.TOO_MANY_WORKERS: "So many workers are live already that no other is taken in.",
    Announced.TOO_MANY_NAMES: "So many agent names were announced within a day that no other is taken in.",
}


class WorkerAnnouncement(Body):
    """What a worker says of itself, every 5 s. It counts as live for 15 s after each time."""

    agent_name: Annotated[str, Field(max_length=_LONGEST_NAME, pattern=_PRINTABLE)]
    """Under which it registered with LiveKit; empty: without one."""
    load: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)] = 0.0
    """The part of its own threshold that is used: at 1 it takes no more jobs."""
    active_jobs: _Jobs = 0
    capacity: _Jobs | None = None
    """How many jobs it takes at once; null: as many as its load allows."""
    version: _Word = ""
    region: _Word = ""
    capabilities: Annotated[tuple[_Word, ...], Field(max_length=_MOST_CAPABILITIES)] = ()
    draining: bool = False
    """It serves its jobs to their end, and takes no other."""


class LastCanaries(Protocol):
    async def last(self) -> Mapping[str, Canary]:
        """By agent name. Raises StoreUnavailable."""
        ...


class FleetDesk(Protocol):
    """What is needed of the fleet. Every method raises StoreUnavailable."""

    async def announce(self, announcement: Announcement) -> Announced: ...

    async def withdraw(self, worker_id: str) -> None: ...

    async def look(self) -> Fleet: ...


class Agents:
    """The handlers. `configured`: the agent names of the configuration; `paused`: the pauses that hold, by agent name."""

    def __init__(
        self,
        fleet: FleetDesk,
        configured: Collection[str],
        paused: Callable[[], Mapping[str, Pause]],
        canaries: LastCanaries,
    ) -> None:
        self._canaries = canaries
        self._paused = paused
        self._fleet = fleet
        self._configured = frozenset(configured)

    async def announce(self, request: web.Request) -> web.Response:
        worker_id = request.match_info["worker"]
        if not _is_id(worker_id):
            return problem(400, "Bad Request", f"A worker's id has at most {_LONGEST_ID} printable ASCII characters.")
        told = await read_model(request, WorkerAnnouncement, at_most=_BODY_BYTES)
        announced = await self._fleet.announce(Announcement(worker_id, **dict(told)))
        if (why := _NO_ROOM.get(announced)) is not None:
            return problem(429, "Too Many Requests", why, headers={"Retry-After": f"{ANNOUNCE_PERIOD:g}"})
        return web.Response(status=204)

    async def withdraw(self, request: web.Request) -> web.Response:
        worker_id = request.match_info["worker"]
        if _is_id(worker_id):  # no other can have been announced
            await self._fleet.withdraw(worker_id)
        return web.Response(status=204)

    async def get_many(self, request: web.Request) -> web.Response:  # noqa: ARG002  # the signature of a handler
        fleet, configured = await self._fleet.look(), self._configured
        paused = self._paused()
        canaries = await self._canaries.last()
        names = sorted({*known_names(fleet, configured), *paused})
        views = (agent_name_view(fleet, name, configured, paused.get(name), canaries.get(name)) for name in names)
        return answer(AgentNameList(agents=tuple(views)))

    async def get_one(self, request: web.Request) -> web.Response:
        agent_name = agent_asked_for(request)
        fleet = await self._fleet.look()
        paused = self._paused()
        names = {*known_names(fleet, self._configured), *paused}
        if agent_name not in names:
            return agent_not_found(agent_name, near_names(agent_name, names))
        canary = (await self._canaries.last()).get(agent_name)
        return answer(agent_name_detail(fleet, agent_name, self._configured, paused.get(agent_name), canary))


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_ID and text.isascii() and text.isprintable()


def agent_not_found(asked: str, near: tuple[str, ...]) -> web.Response:
    """The answer when nothing is known of an agent name."""
    shown = asked if len(asked) <= SHOWN_OF_WHAT_WAS_ASKED else f"{asked[:SHOWN_OF_WHAT_WAS_ASKED]}…"
    detail = (
        f'Nothing is known of an agent name "{shown}": it is not configured, and nobody has announced it or served under it.'
    )
    if near:
        detail += f' Did you mean "{near[0]}"?'
    return problem(404, "Not Found", detail, near=list(near))


def routes(agents: Agents) -> tuple[Route, ...]:
    """A table: where workers announce themselves, and where people see them."""
    worker = Parameter("worker", "path", f"The worker's id: at most {_LONGEST_ID} printable ASCII characters.")
    return (
        Route(
            "PUT",
            "/workers/{worker}",
            agents.announce,
            scope=Scope.WORKER,
            name="announceWorker",
            summary="A worker says that it is there, and how much room it has. Whoever waits for its agent name is woken.",
            answers={
                204: Answer("It is live for 15 s.", media_type=None),
                **BODY_REFUSALS,
                429: refusal("So many workers or names are announced already that no other is taken in."),
                503: UNAVAILABLE,
                **PROTECTED,
            },
            parameters=(worker,),
            accepts=WorkerAnnouncement,
        ),
        Route(
            "DELETE",
            "/workers/{worker}",
            agents.withdraw,
            scope=Scope.WORKER,
            name="withdrawWorker",
            summary="A worker says that it is gone.",
            answers={204: Answer("It is, whether it was known or not.", media_type=None), 503: UNAVAILABLE, **PROTECTED},
            parameters=(worker,),
        ),
        Route(
            "GET",
            "/agents",
            agents.get_many,
            scope=Scope.READ,
            name="listAgents",
            summary="Who answers to which agent name, with how much room, since when.",
            answers={200: Answer("Every name that is known.", AgentNameList), 503: UNAVAILABLE, **PROTECTED},
        ),
        Route(
            "GET",
            "/agents/{agent}",
            agents.get_one,
            scope=Scope.READ,
            name="getAgent",
            summary="Whether anybody answers to an agent name, and which workers do.",
            answers={
                200: Answer("The name, with its live workers.", AgentNameDetail),
                404: refusal("Nothing is known of this name; `near` lists names that look like it."),
                503: UNAVAILABLE,
                **PROTECTED,
            },
            parameters=(AGENT,),
        ),
    )
