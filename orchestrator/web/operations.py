"""What an operator does to one session: redispatch, cancel, resolve. Each is stored as a fact; the session's owner does it."""

import uuid
from collections.abc import Iterable, Sequence

import structlog
from aiohttp import web

from orchestrator.core.audit import Action, Deed
from orchestrator.core.facts import Fact, IncidentTaken, RoundWanted, SessionCancelled, Source
from orchestrator.core.naming import spelled
from orchestrator.core.operations import may_begin
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Session
from orchestrator.runtime.ports import Appended
from orchestrator.web.answers import answer
from orchestrator.web.commands import opening_of
from orchestrator.web.deeds import deed
from orchestrator.web.operation_models import (
    ReasonRequest,
    RedispatchRequest,
    ResolvedSession,
    ResolveRequest,
    TakenIncident,
    TakenPlacement,
    TakenSession,
)
from orchestrator.web.operation_ports import OperationParts
from orchestrator.web.problems import problem
from orchestrator.web.requests import Refused, idempotency_key, read_model
from orchestrator.web.sessions import session_asked_for

log = structlog.get_logger()


class Operations:
    """The handlers. Each raises Refused."""

    def __init__(self, parts: OperationParts) -> None:
        self._parts = parts

    async def redispatch(self, request: web.Request) -> web.Response:
        """A new round of attempts, now."""
        asked = await read_model(request, RedispatchRequest)
        key, session = idempotency_key(request), await session_asked_for(self._parts.store, request, live=True)
        chosen = _chosen(session, asked.agent_name)
        named = asked.agent_name is not None
        begun = [p for p in chosen if may_begin(session, p, named=named)]
        fact = RoundWanted(asked.agent_name, _wish(key), Source.OPERATOR, asked.reason)
        done = _deed(request, Action.REDISPATCH, asked.reason, session, asked.agent_name, len(begun))
        await close_breakers(self._parts, begun)
        repeated = await self._told(session, fact, key, done, nothing=not begun)
        if not begun and not repeated:
            raise Refused(problem(409, "Conflict", _why_not(session, chosen)))
        return answer(taken_session(session, [] if repeated else begun, repeated=repeated), 202)

    async def cancel(self, request: web.Request) -> web.Response:
        """Nobody is wanted in this session any more."""
        asked = await read_model(request, ReasonRequest)
        key, session = idempotency_key(request), await session_asked_for(self._parts.store, request, live=True)
        there = [p for p in session.placements if not p.over]
        done = _deed(request, Action.CANCEL, asked.reason, session, None, len(there))
        repeated = await self._told(session, SessionCancelled(Source.OPERATOR, asked.reason), key, done)
        return answer(taken_session(session, [] if repeated else there, repeated=repeated), 202)

    async def resolve(self, request: web.Request) -> web.Response:
        """A person sees to what an agent was given up for."""
        asked = await read_model(request, ResolveRequest)
        key, session = idempotency_key(request), await session_asked_for(self._parts.store, request, live=True)
        taken = tuple(
            TakenIncident(agent_name=p.agent_name, incident=p.open_incident.incident)
            for p in _chosen(session, asked.agent_name)
            if p.open_incident is not None
        )
        fact = IncidentTaken(asked.agent_name, Source.OPERATOR, asked.note)
        done = _deed(request, Action.RESOLVE, asked.note, session, asked.agent_name, len(taken))
        repeated = await self._told(session, fact, key, done, nothing=not taken)
        if not taken and not repeated:
            raise Refused(problem(409, "Conflict", "No incident is open in this session."))
        shown = () if repeated else taken
        return answer(ResolvedSession(room=session.room, sid=session.sid, taken=shown, repeated=repeated), 202)

    async def _told(self, session: Session, fact: Fact, key: str | None, done: Deed, *, nothing: bool = False) -> bool:
        """Write it into the log, then ask the session's owner for it; whether that was asked before with the same key.

        Where there is nothing to be done it is asked with a key only: it may have been done by the request that this one
        repeats.
        """
        if nothing and key is None:
            return False
        await self._parts.audit.add(done)
        log.info("operation", operation=done.action.value, room=session.room, sid=session.sid, agent=done.agent_name)
        return await self._parts.wishes.wish(opening_of(session), [fact], key=key) is Appended.DUPLICATE


def _deed(request: web.Request, action: Action, reason: str, session: Session, agent_name: str | None, taken: int) -> Deed:
    return deed(request, action, reason, room=session.room, sid=session.sid, agent_name=agent_name, taken=taken)


def taken_session(session: Session, placements: Iterable[Placement], *, repeated: bool = False) -> TakenSession:
    taken = tuple(TakenPlacement(agent_name=p.agent_name, was=p.state) for p in placements)
    return TakenSession(room=session.room, sid=session.sid, taken=taken, repeated=repeated)


async def close_breakers(parts: OperationParts, placements: Iterable[Placement]) -> None:
    """An operator who asks again expects the agents to come: nobody waits for a probe any more, but all for their slots."""
    for agent_name in sorted({p.candidates[0].agent_name for p in placements}):
        await parts.breakers.welcome(agent_name)


def _wish(key: str | None) -> str:
    return uuid.uuid4().hex if key is None else f"key:{key}"


def _chosen(session: Session, agent_name: str | None) -> Sequence[Placement]:
    if agent_name is None:
        return session.placements
    placement = session.find_placement(agent_name)
    if placement is None:
        there = [p.agent_name for p in session.placements]
        raise Refused(problem(404, "Not Found", f'This session has no agent "{spelled(agent_name)}".', agents=there))
    return (placement,)


def _why_not(session: Session, chosen: Sequence[Placement]) -> str:
    if not chosen:
        return "No route wants an agent in this session."
    if all(p.over for p in chosen):
        return "Its agents are not wanted any more: say which one is to come again, or whose place as a fallback is free."
    if any(p.state is PlacementState.VERIFIED and p.leaves_at is not None for p in chosen):
        return "Another agent has taken its place; it is leaving."
    return "Nobody is in the room." if session.empty else "There is nothing to be begun anew."
