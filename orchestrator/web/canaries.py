"""POST /agents/<name>/canary and GET /canaries: whether an agent comes when it is dispatched."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from orchestrator.configuration.credentials import Scope
from orchestrator.core.audit import Action
from orchestrator.core.canary import By
from orchestrator.core.naming import spelled
from orchestrator.core.pauses import Pause
from orchestrator.runtime.ports import CanaryCrowdedOut, CanaryCutOff, CanaryPaused, CanarySender, LiveKitError
from orchestrator.web import livekit_errors
from orchestrator.web.agents import LastCanaries
from orchestrator.web.answers import answer
from orchestrator.web.canary_view import CanaryList, CanaryView, canary_view
from orchestrator.web.deeds import deed
from orchestrator.web.known_agents import FleetLook, known_agent
from orchestrator.web.operation_models import ReasonRequest
from orchestrator.web.operation_ports import Audit
from orchestrator.web.problems import problem
from orchestrator.web.requests import read_model
from orchestrator.web.routes import AGENT, BODY_REFUSALS, PROTECTED, UNAVAILABLE, Answer, Route, refusal

_LATER: Final = {"Retry-After": "10"}


@dataclass(frozen=True, slots=True)
class CanaryParts:
    sender: CanarySender
    canaries: LastCanaries
    fleet: FleetLook
    configured: Collection[str]
    paused: Callable[[], Mapping[str, Pause]]
    audit: Audit


class CanaryDesk:
    """The handlers."""

    def __init__(self, parts: CanaryParts) -> None:
        self._parts = parts

    async def send(self, request: web.Request) -> web.Response:
        """Raises Refused and StoreUnavailable."""
        parts = self._parts
        asked = await read_model(request, ReasonRequest)
        name = await known_agent(request, parts.fleet, {*parts.configured, *parts.paused()})
        await parts.audit.add(deed(request, Action.CANARY, asked.reason, agent_name=name))
        try:
            return answer(canary_view(await parts.sender.send(name, By.OPERATOR)))
        except CanaryPaused:
            return problem(
                409, "Conflict", f"{spelled(name)} is paused: nobody of this name is dispatched until it is resumed."
            )
        except (CanaryCrowdedOut, CanaryCutOff) as error:
            return problem(503, "Service Unavailable", f"No canary was sent: {error}.", headers=_LATER)
        except LiveKitError as error:
            return livekit_errors.livekit_problem(error)

    async def get_many(self, request: web.Request) -> web.Response:  # noqa: ARG002  # the signature of a handler
        canaries = await self._parts.canaries.last()
        return answer(CanaryList(canaries=tuple(canary_view(canary) for _, canary in sorted(canaries.items()))))


def canary_routes(parts: CanaryParts) -> tuple[Route, ...]:
    """Send a canary, and list the last ones."""
    desk = CanaryDesk(parts)
    return (
        Route(
            "POST",
            "/agents/{agent}/canary",
            desk.send,
            scope=Scope.OPERATE,
            name="sendCanary",
            summary="Dispatch an agent into a scratch room, and say whether it came and answered; some seconds, if it did not.",
            answers={
                200: Answer("It is over, and its room is gone. That the agent failed is an answer, too.", CanaryView),
                404: refusal("Nothing is known of this name; `near` lists names that look like it."),
                409: refusal("The agent is paused."),
                422: refusal(livekit_errors.ANSWERS[422]),
                502: refusal(livekit_errors.ANSWERS[502]),
                503: refusal("Nothing was found out: the store or LiveKit cannot be reached, or callers take all slots."),
                **BODY_REFUSALS,
                **PROTECTED,
            },
            parameters=(AGENT,),
            accepts=ReasonRequest,
        ),
        Route(
            "GET",
            "/canaries",
            desk.get_many,
            scope=Scope.READ,
            name="listCanaries",
            summary="What came of the last canary of each agent.",
            answers={200: Answer("One per agent name.", CanaryList), 503: UNAVAILABLE, **PROTECTED},
        ),
    )
