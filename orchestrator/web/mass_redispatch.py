"""POST /redispatch: a new round of attempts in many sessions at once, by the filters of their list."""

import asyncio
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import structlog
from aiohttp import web
from multidict import MultiMapping
from pydantic_core import PydanticCustomError

from orchestrator.configuration.values import duration
from orchestrator.core.audit import Action
from orchestrator.core.facts import RoundWanted, Source
from orchestrator.core.operations import may_begin
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Session, SessionState
from orchestrator.web.answers import answer
from orchestrator.web.commands import opening_of
from orchestrator.web.deeds import deed
from orchestrator.web.filters import NOT_OURS, PARAMETERS, BadFilter, Filters, filters_of, following, given_once
from orchestrator.web.operation_models import ReasonRequest, TakenSession, TakenSessions
from orchestrator.web.operation_ports import OperationParts
from orchestrator.web.operations import close_breakers, taken_session
from orchestrator.web.requests import read_model

log = structlog.get_logger()

MOST: Final = 1_000
"""Sessions that one request takes. Their dispatches wait for slots as any others."""

_AT_ONCE: Final = 50
_PAGE: Final = 100
_PAGES: Final = 20
"""Pages that one request reads at most; it may then find fewer than its limit, and still answer a cursor."""

_JUST_BEGUN: Final = 5.0
"""Seconds: a round that an operator began so lately is not begun anew; whoever goes on by the cursor meets it again."""

_OWN: Final = ("since", "verified", "cursor", "limit")

_LACKING: Final = (SessionState.UNVERIFIED, SessionState.DISPATCHING)
"""In which sessions somebody is waited for, where the filter does not say it."""


@dataclass(frozen=True, slots=True)
class _Asked:
    filters: Filters
    states: tuple[SessionState, ...]
    cursor: str | None
    since: float | None
    verified: bool
    limit: int


class MassRedispatch:
    """The handler. Raises Refused and BadFilter."""

    def __init__(self, parts: OperationParts) -> None:
        self._parts = parts

    async def post(self, request: web.Request) -> web.Response:
        """Find who is meant, write it down, and only then begin: a line without its deed can be explained."""
        body = await read_model(request, ReasonRequest)
        asked = _read(request.query, self._parts.clock.now())
        with following(asked.cursor):
            found, cursor = await self._matching(asked)
        now = self._parts.clock.now()
        chosen = {s.sid: chosen for s in found if (chosen := _chosen(s, asked, now))}
        done = deed(
            request,
            Action.REDISPATCH_MANY,
            body.reason,
            agent_name=asked.filters.agent_name,
            target=request.query_string or None,
            taken=sum(map(len, chosen.values())),
        )
        await self._parts.audit.add(done)
        log.info("operation", operation=done.action.value, matched=len(found), taken=len(chosen))
        await close_breakers(self._parts, (p for placements in chosen.values() for p in placements))
        taken: list[TakenSession] = []
        to_do = [s for s in found if s.sid in chosen]
        for start in range(0, len(to_do), _AT_ONCE):
            some = to_do[start : start + _AT_ONCE]
            taken += await asyncio.gather(*(self._begin(s, chosen[s.sid], body.reason) for s in some))
        return answer(
            TakenSessions(
                matched=len(found),
                taken=len(taken),
                skipped=len(found) - len(taken),
                sessions=tuple(taken),
                cursor=cursor,
            ),
            202,
        )

    async def _begin(self, session: Session, placements: list[Placement], reason: str) -> TakenSession:
        wish = uuid.uuid4().hex
        facts = [RoundWanted(p.agent_name, wish, Source.OPERATOR, reason) for p in placements]
        await self._parts.wishes.wish(opening_of(session), facts, key=None)
        return taken_session(session, placements)

    async def _matching(self, asked: _Asked) -> tuple[list[Session], str | None]:
        """The sessions that match, and where to go on. Raises ValueError for a cursor that no page gave."""
        found: list[Session] = []
        states, cursor = list(asked.states), asked.cursor
        for _ in range(_PAGES):
            if not states:
                return found, None
            page = await self._parts.store.page(
                state=states[0],
                agent_name=asked.filters.agent_name,
                cause=asked.filters.cause,
                older_than=asked.filters.older_than,
                cursor=cursor or None,
                limit=min(_PAGE, asked.limit - len(found)),
            )
            recent = [s for s in page.sessions if asked.since is None or s.started_at >= asked.since]
            found += recent
            cursor = page.cursor
            if cursor is None or len(recent) < len(page.sessions):  # the newest come first
                states.pop(0)
                cursor = None
            if len(found) == asked.limit:
                break
        return found, f"{states[0].value}:{cursor or ''}" if states else None


def _chosen(session: Session, asked: _Asked, now: float) -> list[Placement]:
    """Those of the session that the filter means, and that a new round would do good."""
    return [
        p
        for p in session.placements
        if asked.filters.agent_name in (None, p.agent_name, *p.names)
        and asked.filters.cause in (None, p.cause)
        and (asked.verified or p.state is not PlacementState.VERIFIED)
        and not (p.asked and p.wanting and now - p.wanted_at < _JUST_BEGUN)
        and may_begin(session, p, named=False)
    ]


def _read(query: MultiMapping[str], now: float) -> _Asked:
    """Raises BadFilter."""
    given = given_once(query, PARAMETERS + _OWN)
    own = {name: value for name in _OWN if (value := given.pop(name, ""))}
    verified = own.get("verified", "false")
    if verified not in ("true", "false"):
        raise BadFilter("verified", "There is no such value.", ("true", "false"))
    filters = filters_of(given)
    if filters.state is SessionState.ENDED:
        raise BadFilter("state", "In sessions that have ended nothing is dispatched.")
    usual = (*_LACKING, SessionState.VERIFIED) if verified == "true" else _LACKING
    states, cursor = _from_cursor(own.get("cursor"), usual if filters.state is None else (filters.state,))
    return _Asked(
        filters,
        states,
        cursor,
        None if "since" not in own else _since(own["since"], now),
        verified == "true",
        _limit(own.get("limit")),
    )


def _from_cursor(cursor: str | None, states: tuple[SessionState, ...]) -> tuple[tuple[SessionState, ...], str | None]:
    if cursor is None:
        return states, None
    state, _, position = cursor.partition(":")
    left = [s.value for s in states]
    if state not in left or not position.isascii():
        raise BadFilter("cursor", NOT_OURS)
    return states[left.index(state) :], position


def _since(text: str, now: float) -> float:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        return now - duration(text)
    except PydanticCustomError:
        detail = "It is neither a time (2026-11-21T08:19:00Z) nor a duration ago (15m)."
        raise BadFilter("since", detail) from None


def _limit(value: str | None) -> int:
    if value is None:
        return MOST
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(MOST)) and 1 <= int(value) <= MOST):
        raise BadFilter("limit", f"It must be a whole number from 1 to {MOST}.")
    return int(value)
