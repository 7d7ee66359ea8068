"""What people, and agents that hand over, ask of a session: an agent more, one to go, one in place of another."""

from typing import Any, Final

import structlog
from aiohttp import web

from orchestrator.configuration.credentials import Scope
from orchestrator.core.audit import Action
from orchestrator.core.facts import AgentDismissed, AgentWanted, Fact, PlacementSpec, RoomListed, RoomOpened, Source
from orchestrator.core.naming import spelled
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Session
from orchestrator.runtime.ports import LiveKitError
from orchestrator.web.answers import answer
from orchestrator.web.auth import ACCESS
from orchestrator.web.command_models import AgentAnswer, AgentRequest, SwitchAnswer, SwitchRequest
from orchestrator.web.command_ports import CommandParts
from orchestrator.web.deeds import deed
from orchestrator.web.holding import read_hold, until
from orchestrator.web.livekit_errors import livekit_problem
from orchestrator.web.placing import asked_placement, refuse_fallback
from orchestrator.web.problems import problem
from orchestrator.web.requests import Refused, agent_asked_for, idempotency_key, read_model
from orchestrator.web.sessions import find_session, session_asked_for
from orchestrator.web.token_request import LONGEST_NAME, refuse_reserved

log = structlog.get_logger()

LONGEST_HOLD: Final = 30.0
"""Seconds. Proxies and browsers end requests that take longer."""

USUAL_HOLD: Final = 10.0
ACCEPTED_WITHIN: Final = 5.0
"""Seconds for which an answer waits for the id of the dispatch."""


class Commands:
    """The handlers. Each appends a fact, as a webhook does; the owner does the rest."""

    def __init__(self, parts: CommandParts) -> None:
        self._parts = parts

    async def add(self, request: web.Request) -> web.Response:
        """An agent more, in a room that is made if it does not exist. Raises Refused."""
        guest = None if Scope.OPERATE in request[ACCESS].scopes else await self._parts.doorkeeper.caller(request)
        asked = await read_model(request, AgentRequest)
        refuse_reserved(asked.attributes, "attributes")
        hold = read_hold(request, usual=USUAL_HOLD, longest=LONGEST_HOLD)
        session = await find_session(self._parts.store, request.match_info["room"])
        session = None if session is None or session.ended else session
        room = _room_name(request) if session is None else session.room
        if guest is not None:
            self._parts.doorkeeper.allow_agent(guest, room)
        spec = asked_placement(
            self._parts.placement,
            room,
            asked.agent_name,
            metadata=asked.metadata,
            deployment=asked.deployment,
            attributes=asked.attributes,
            routed=None if session is not None else self._routed(room, asked.agent_name),
        )
        if session is None:
            # The room's webhook may be here before LiveKit's answer to our call: whoever opens the session must know by then.
            await self._parts.store.expect(room, [AgentWanted(spec, _source(request))])
            opening, existed = await self._opened(room)
            session = await self._parts.store.read(opening.sid)
            # Who opened it meanwhile has placed whom we expected: that is no conflict, but what is asked for here.
            to_be_done = not await self._is_repeated(request, opening.sid)
        else:
            opening, existed = opening_of(session), True
            to_be_done = await self._is_to_be_done(request, session, asked.agent_name)
        if to_be_done:
            await self._audit(request, Action.ADD_AGENT, opening, asked.agent_name)
            wanted = AgentWanted(spec, _source(request))
            # LiveKit has just answered for the room: it lives, also where only listings had said that it was over.
            lives = RoomListed(requested_at=self._parts.clock.now())
            await self._tell(opening, *((lives, wanted) if session is None or session.ended else (wanted,)))
        seen, placement = await self._placed(opening.sid, asked.agent_name, hold)
        return answer(AgentAnswer(**_shown(seen, placement), room_existed=existed), 201)

    async def switch(self, request: web.Request) -> web.Response:
        """One agent in place of another, of a session that lives. Raises Refused."""
        asked = await read_model(request, SwitchRequest)
        hold = read_hold(request, usual=USUAL_HOLD, longest=LONGEST_HOLD)
        session = await session_asked_for(self._parts.store, request, live=True)
        relieved = _relieved(session, asked)
        spec = asked_placement(
            self._parts.placement,
            session.room,
            asked.agent_name,
            metadata=asked.metadata,
            deployment="",
            attributes={},
            routed=None,
        )
        if await self._is_to_be_done(request, session, asked.agent_name, relieved):
            wanted = AgentWanted(spec, _source(request), instead_of=relieved, grace=asked.grace)
            instead_of = f"instead of {spelled(relieved)}"
            await self._audit(request, Action.SWITCH_AGENT, opening_of(session), asked.agent_name, instead_of)
            await self._tell(opening_of(session), wanted)
        seen, placement = await self._placed(session.sid, asked.agent_name, hold)
        status = 200 if placement.state is PlacementState.VERIFIED else 202
        return answer(SwitchAnswer(**_shown(seen, placement), instead_of=relieved), status)

    async def remove(self, request: web.Request) -> web.Response:
        """An agent less, of a session that lives. Raises Refused."""
        session = await session_asked_for(self._parts.store, request, live=True)
        name = agent_asked_for(request)
        placement = session.find_placement(name)
        if placement is None:
            raise Refused(_no_such_agent(session, name))
        if not placement.over:
            await self._audit(request, Action.REMOVE_AGENT, opening_of(session), name)
            await self._tell(opening_of(session), AgentDismissed(name, _source(request)))
        return web.Response(status=204)

    # --- what they have in common ---

    async def _opened(self, room: str) -> tuple[RoomOpened, bool]:
        try:
            return await self._parts.rooms.opening(room)
        except LiveKitError as error:
            raise Refused(livekit_problem(error)) from error

    def _routed(self, room: str, agent_name: str) -> PlacementSpec | None:
        """What the route of a room that may have to be made says of this agent. Raises Refused."""
        routed = self._parts.route(room, "").placements
        refuse_fallback(agent_name, routed)
        return next((placement for placement in routed if placement.agent_name == agent_name), None)

    async def _is_to_be_done(self, request: web.Request, session: Session, name: str, relieved: str | None = None) -> bool:
        """Whether this is no repetition of a request that was served. Raises Refused when the room has this agent."""
        placed = session.find_placement(name)
        present = placed is not None and not placed.over
        repeated = await self._is_repeated(request, session.sid)
        if present and not repeated:
            raise Refused(_conflict(f"{spelled(name)} is in this session already, or on its way to it."))
        refuse_fallback(name, (p for p in session.placements if not p.over and p.agent_name != relieved))
        return not (repeated and placed is not None)

    async def _is_repeated(self, request: web.Request, sid: str) -> bool:
        key = idempotency_key(request)
        return key is not None and not await self._parts.repeats.is_new(f"{sid}:{key}")

    async def _audit(
        self, request: web.Request, action: Action, opening: RoomOpened, name: str, target: str | None = None
    ) -> None:
        done = deed(request, action, room=opening.room, sid=opening.sid, agent_name=name, target=target)
        await self._parts.audit.add(done)

    async def _tell(self, opening: RoomOpened, *facts: Fact) -> None:
        log.info("command", command=type(facts[-1]).__name__, room=opening.room, sid=opening.sid)
        await self._parts.intake.receive(opening, facts, event_id=None)

    async def _placed(self, sid: str, name: str, hold: float | None) -> tuple[Session, Placement]:
        def answered(session: Session) -> bool:
            placement = session.find_placement(name)
            if placement is None:
                return False
            if placement.over or session.ended or placement.state is PlacementState.VERIFIED:
                return True
            return hold is None and any(attempt.dispatch_id for attempt in placement.attempts)

        seconds = ACCEPTED_WITHIN if hold is None else hold
        session = await until(self._parts.store, self._parts.clock, sid, answered, seconds)
        placement = None if session is None else session.find_placement(name)
        if session is None or placement is None:
            raise Refused(problem(409, "Conflict", "The room ended before the agent could be placed."))
        return session, placement


def opening_of(session: Session) -> RoomOpened:
    """What opens the session, were it not there: the store ignores it for one that is."""
    return RoomOpened(session.room, session.sid, session.started_at)


def _room_name(request: web.Request) -> str:
    """The name of a room that may have to be made. Raises Refused."""
    room = request.match_info["room"]
    if not room.isprintable() or len(room.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        detail = f"A room's name has at most {LONGEST_NAME} bytes, of characters that can be shown."
        raise Refused(problem(400, "Bad Request", detail, parameter="room"))
    return room


def _source(request: web.Request) -> Source:
    scopes = request[ACCESS].scopes
    if Scope.OPERATE in scopes:
        return Source.OPERATOR
    return Source.WORKER if Scope.WORKER in scopes else Source.TOKEN


def _relieved(session: Session, asked: SwitchRequest) -> str:
    """Whose place is taken. Raises Refused when that is nobody, or cannot be told."""
    there = [p.agent_name for p in session.placements if not p.over and p.agent_name != asked.agent_name]
    if asked.instead_of is not None:
        if asked.instead_of not in there:
            raise Refused(_no_such_agent(session, asked.instead_of))
        return asked.instead_of
    if len(there) != 1:
        detail = "Say instead_of: this session has " + (", ".join(map(spelled, there)) or "no other agent") + "."
        raise Refused(_conflict(detail))
    return there[0]


def _shown(session: Session, placement: Placement) -> dict[str, Any]:
    dispatched = [attempt.dispatch_id for attempt in placement.attempts if attempt.dispatch_id]
    return {
        "room": session.room,
        "sid": session.sid,
        "agent_name": placement.agent_name,
        "state": placement.state,
        "dispatch_id": dispatched[-1] if dispatched else None,
        "identity": placement.identity,
    }


def _conflict(detail: str) -> web.Response:
    return problem(409, "Conflict", detail)


def _no_such_agent(session: Session, name: str) -> web.Response:
    there = [p.agent_name for p in session.placements if not p.over]
    return problem(404, "Not Found", f'This session has no agent "{spelled(name)}".', agents=there)
