"""POST /token: LiveKit's standard token endpoint, which hands out the key when the room is ready and not before.

Before the answer the room exists with its metadata, and the agents that it should have are recorded, whether it existed
before or not. So whoever comes with the token finds a room that an agent is on its way to, and the agent finds its metadata.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from aiohttp import web

from orchestrator.configuration.credentials import Scope
from orchestrator.core.facts import (
    AgentWanted,
    CandidateSpec,
    Fact,
    PlacementSpec,
    RoomListed,
    RoomOpened,
    Routed,
    Source,
    TraceJoined,
)
from orchestrator.core.listing import ListedRoom
from orchestrator.core.session import Session
from orchestrator.runtime.intake import Intake
from orchestrator.runtime.ports import Clock, LiveKitError, Minter
from orchestrator.web import livekit_errors, requests
from orchestrator.web.answers import HEADERS, View
from orchestrator.web.callers import Callers
from orchestrator.web.cors import Cors
from orchestrator.web.holding import is_verified, until_verified
from orchestrator.web.livekit_errors import livekit_problem
from orchestrator.web.placing import Placements, asked_placement, refuse_fallback
from orchestrator.web.problems import problem
from orchestrator.web.ratelimit import RateLimit
from orchestrator.web.requests import Refused
from orchestrator.web.routes import Answer, Parameter, Route, refusal
from orchestrator.web.token_request import AskedAgent, TokenRequest, read_token_request
from orchestrator.web.token_rules import Asked, Rules
from orchestrator.web.token_trace import MintedToken, Tracing

log = structlog.get_logger()

PATH: Final = "/token"


class TokenAnswer(View):
    """What LiveKit's clients expect, and whether the agent is there."""

    server_url: str
    participant_token: str
    agent: str | None = None
    """Only with `hold=verified`: `verified`, `preparing`, or `none` in a room that is to have none."""


class EnsuredRoom(Protocol):
    @property
    def opening(self) -> RoomOpened: ...


class Rooms(Protocol):
    async def look(self, name: str) -> ListedRoom | None:
        """Raises LiveKitError."""
        ...

    async def ensure(self, name: str, *, metadata: str | None, agents: Sequence[CandidateSpec]) -> EnsuredRoom:
        """Raises LiveKitError."""
        ...


class SessionStore(Protocol):
    """Every method raises StoreUnavailable."""

    async def read(self, sid: str) -> Session | None: ...

    async def expect(self, room: str, facts: Sequence[Fact]) -> None: ...


@dataclass(frozen=True, slots=True)
class TokenParts:
    rules: Rules
    dispatch_in_token: bool
    server_url: str
    callers: Callers
    limit: RateLimit
    rooms: Rooms
    store: SessionStore
    intake: Intake
    route: Callable[[str, str], Routed]
    placement: Placements
    minter: Minter
    clock: Clock
    trace: Tracing


class TokenDoor:
    """The handler."""

    def __init__(self, parts: TokenParts) -> None:
        self._parts = parts

    async def post(self, request: web.Request) -> web.Response:
        """Who may, what for, the room, its agents, and only then the token. Raises Refused."""
        parts = self._parts
        caller = await parts.callers.caller(request)
        parts.limit.take(caller.name)
        hold = parts.rules.hold(request)
        asked = parts.rules.allowed(caller, await read_token_request(request))
        with parts.trace(request.headers.get("traceparent")) as span:
            opening = await self._prepared(asked, span)
        carried = self._carried(asked, opening.metadata)
        token = parts.minter.mint(asked.entrant, room_metadata=opening.metadata, agents=carried)
        log.info("token_minted", room=opening.room, sid=opening.sid, agents=[agent.agent_name or "" for agent in asked.agents])
        agent = None if hold is None else await self._seen(opening.sid, hold)
        body = TokenAnswer(server_url=parts.server_url, participant_token=token, agent=agent)
        return web.Response(
            status=201,
            body=body.model_dump_json(exclude_none=True).encode(),
            content_type="application/json",
            headers=HEADERS,
        )

    async def _prepared(self, asked: Asked, span: MintedToken | None) -> RoomOpened:
        """The room exists, and what it is to have is stored. Raises Refused and StoreUnavailable."""
        traced = [TraceJoined(span.traceparent)] if span is not None else []
        try:
            opening = await self._room(asked, traced)
        except LiveKitError as error:
            log.warning("token_without_room", room=asked.entrant.room, error=str(error))
            raise Refused(livekit_problem(error)) from error
        if span is not None:
            span.is_for(opening.room, opening.sid)
        await self._record(opening, asked, traced)
        return opening

    async def _room(self, asked: Asked, traced: Sequence[Fact]) -> RoomOpened:
        """The room exists, with its metadata. Raises Refused, LiveKitError and StoreUnavailable."""
        parts, room, metadata = self._parts, asked.entrant.room, asked.metadata
        expected = [*traced]
        if asked.agents:
            if metadata is None:
                found = await parts.rooms.look(room)
                metadata = found.metadata if found is not None else ""
            expected.extend(AgentWanted(spec, Source.TOKEN) for spec in self._specs(asked, metadata))
        if expected:
            # Its webhook may be here before LiveKit's answer to our call: whoever opens the session must know by then.
            await parts.store.expect(room, expected)
        ensured = await parts.rooms.ensure(room, metadata=asked.metadata, agents=self._carried(asked, metadata or ""))
        return ensured.opening

    def _specs(self, asked: Asked, metadata: str) -> list[PlacementSpec]:
        """The placements that the caller asks for, each over what the room's route says of the same agent. Raises Refused."""
        room = asked.entrant.room
        routed = {placement.agent_name: placement for placement in self._parts.route(room, metadata).placements}
        specs = [self._spec(room, agent, routed.get(agent.agent_name or "")) for agent in asked.agents]
        placed = [*(routed | {spec.agent_name: spec for spec in specs}).values()]
        _refuse_twice([spec.agent_name for spec in specs])
        _refuse_twice([candidate.agent_name for placement in placed for candidate in placement.candidates])
        return specs

    def _spec(self, room: str, agent: AskedAgent, routed: PlacementSpec | None) -> PlacementSpec:
        return asked_placement(
            self._parts.placement,
            room,
            agent.agent_name or "",
            metadata=agent.metadata,
            deployment=agent.deployment or "",
            attributes=agent.attributes or {},
            routed=routed,
        )

    def _carried(self, asked: Asked, metadata: str) -> tuple[CandidateSpec, ...]:
        """The agents that LiveKit is to dispatch itself, should the room be made: the route's, and those asked for."""
        if not self._parts.dispatch_in_token:
            return ()
        routed = self._parts.route(asked.entrant.room, metadata).placements
        placements = {placement.agent_name: placement for placement in (*routed, *self._specs(asked, metadata))}
        return tuple(placement.candidates[0] for placement in placements.values())

    async def _record(self, opening: RoomOpened, asked: Asked, traced: Sequence[Fact]) -> None:
        """The session and its placements are stored when this returns. Raises Refused and StoreUnavailable."""
        session = await self._parts.store.read(opening.sid)
        facts: list[Fact] = []
        if session is None or session.ended:
            facts.extend((*traced, RoomListed(requested_at=self._parts.clock.now())))
        facts.extend(
            AgentWanted(spec, Source.TOKEN)
            for spec in self._specs(asked, opening.metadata)
            if session is None or _may_be_placed(session, spec.agent_name)
        )
        if facts:
            await self._parts.intake.receive(opening, facts, event_id=None)

    async def _seen(self, sid: str, seconds: float) -> str:
        session = await until_verified(self._parts.store, self._parts.clock, sid, None, seconds)
        if session is None:
            return "preparing"
        if is_verified(session, None):
            return "verified"
        return "none" if session.routed and not session.placements else "preparing"


def _may_be_placed(session: Session, agent_name: str) -> bool:
    """Whether an agent is neither there nor on its way. Raises Refused when it may come as another one's fallback."""
    present = [placement for placement in session.placements if not placement.over]
    placed = next((placement for placement in present if placement.agent_name == agent_name), None)
    if placed is not None:
        return not placed.attempts
    refuse_fallback(agent_name, present)
    return True


def _refuse_twice(names: Sequence[str]) -> None:
    name = next((name for name in names if names.count(name) > 1), None)
    if name is not None:
        detail = f'"{name}" would be twice in this room, or could come as the fallback of another agent.'
        raise Refused(problem(409, "Conflict", detail))


# --- the routes -----------------------------------------------------------------------------------------------------


def token_routes(door: TokenDoor, cors: Cors) -> tuple[Route, ...]:
    """The endpoint, and what a browser asks before it; `cors`: which pages may ask."""
    return (
        Route(
            "POST",
            PATH,
            cors.guard(door.post),
            scope=Scope.MINT,
            sees_to_scope=True,
            name="mintToken",
            summary="LiveKit's standard token endpoint: the room is ready, and its agents are on their way, before it answers.",
            answers={
                201: Answer("Where to connect, and with which token.", TokenAnswer),
                400: refusal(
                    "The body is no JSON, or holds what is not known, too long or twice; or `hold` is not understood."
                ),
                401: refusal("A bearer token of scope mint is needed, or a JWT of the identity provider."),
                403: refusal("This caller, or a page of this origin, may not ask for this; `field` says for what."),
                408: refusal(requests.REFUSALS[408]),
                409: refusal("An agent would be twice in this room."),
                413: refusal(requests.REFUSALS[413]),
                415: refusal("The body is of another media type."),
                422: refusal("No such agent is configured (`near` lists names like it), or its metadata cannot be used."),
                429: refusal("This caller asks too often; ask again after Retry-After seconds."),
                502: refusal(livekit_errors.ANSWERS[502]),
                503: refusal("LiveKit, the store or the identity provider cannot be reached; ask again after Retry-After s."),
            },
            parameters=(
                Parameter(
                    "hold",
                    "query",
                    "`verified`: answer only when the agents are there, or the time is up.",
                    {"enum": ["verified"]},
                ),
                Parameter(
                    "hold_seconds",
                    "query",
                    "For how long, at most as long as `token.hold` says.",
                    {"type": "number", "minimum": 0},
                ),
            ),
            accepts=TokenRequest,
        ),
        Route(
            "OPTIONS",
            PATH,
            cors.preflight("POST"),
            scope=None,
            name="preflightToken",
            summary="What a browser asks before its page may ask for a token.",
            answers={
                204: Answer("The page may.", media_type=None),
                403: refusal("Pages of this origin may not."),
            },
        ),
    )
