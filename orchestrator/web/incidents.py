"""GET /incidents: what is wrong now, with rooms and with the service."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from orchestrator.configuration.credentials import Scope
from orchestrator.core import causes
from orchestrator.core.alerts import AlertType, Severity
from orchestrator.core.causes import Cause
from orchestrator.core.silences import Silence, silencing
from orchestrator.runtime.ports import Alert, Clock
from orchestrator.web.answers import View, answer
from orchestrator.web.filters import following, read_paging
from orchestrator.web.routes import CURSOR, PROTECTED, UNAVAILABLE, Answer, Route, limit_parameter, refusal
from orchestrator.web.times import Time


class IncidentView(View):
    """One that fires. What it does not have is null: one of the service has no room."""

    incident: str
    type: AlertType
    severity: Severity
    agent_name: str | None
    cause: Cause | None
    room: str | None
    sid: str | None
    since: Time
    summary: str
    fix: str | None
    link: str | None
    silenced_by: str | None
    """The silence for which nobody is told of it, if they have not been told before."""


class IncidentGroupView(View):
    """Rooms that lack the same agent for the same cause: sinks that group make one page of them."""

    type: AlertType
    agent_name: str
    cause: Cause | None
    rooms: int
    since: Time
    """Of the oldest."""
    summary: str


class IncidentList(View):
    """One page of them, newest first, and all groups, the largest first."""

    incidents: tuple[IncidentView, ...]
    groups: tuple[IncidentGroupView, ...]
    cursor: str | None
    """Where to go on; null: there are no more."""


class Group(Protocol):
    @property
    def type(self) -> str: ...

    @property
    def agent_name(self) -> str: ...

    @property
    def cause(self) -> Cause | None: ...

    @property
    def rooms(self) -> int: ...

    @property
    def since(self) -> float: ...


class Incidents(Protocol):
    """Every method raises StoreUnavailable."""

    async def page(self, *, cursor: str | None, limit: int) -> tuple[Sequence[Alert], str | None]:
        """Raises ValueError for a cursor that it has not given out."""
        ...

    async def groups(self) -> Sequence[Group]: ...


class SilenceReader(Protocol):
    async def look(self, now: float) -> Sequence[Silence]:
        """Raises StoreUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class IncidentParts:
    incidents: Incidents
    silences: SilenceReader
    severity: Callable[[Alert], Severity]
    clock: Clock


class IncidentDoor:
    """The handler. Raises BadFilter."""

    def __init__(self, parts: IncidentParts) -> None:
        self._parts = parts

    async def get(self, request: web.Request) -> web.Response:
        """One page of them, each with the silence that means it, and all groups."""
        now = self._parts.clock.now()
        cursor, limit = read_paging(request.query)
        with following(cursor):
            alerts, further = await self._parts.incidents.page(cursor=cursor, limit=limit)
        silences = await self._parts.silences.look(now)
        return answer(
            IncidentList(
                # In a thread: hundreds of alerts against many patterns would hold up every webhook meanwhile.
                incidents=await asyncio.to_thread(self._views, alerts, silences, now),
                groups=tuple(_group(group) for group in await self._parts.incidents.groups()),
                cursor=further,
            )
        )

    def _views(self, alerts: Sequence[Alert], silences: Sequence[Silence], now: float) -> tuple[IncidentView, ...]:
        return tuple(self._view(alert, silencing(silences, alert, now)) for alert in alerts)

    def _view(self, alert: Alert, silence: Silence | None) -> IncidentView:
        return IncidentView(
            incident=alert.incident,
            type=AlertType(alert.type),
            severity=self._parts.severity(alert),
            agent_name=alert.agent_name,
            cause=alert.cause,
            room=alert.room,
            sid=alert.sid,
            since=alert.at,
            summary=alert.summary,
            fix=alert.fix,
            link=alert.link,
            silenced_by=None if silence is None else silence.id,
        )


def _group(group: Group) -> IncidentGroupView:
    return IncidentGroupView(
        type=AlertType(group.type),
        agent_name=group.agent_name,
        cause=group.cause,
        rooms=group.rooms,
        since=group.since,
        summary=causes.many_rooms(group.cause, group.agent_name, group.rooms),
    )


def incident_routes(parts: IncidentParts) -> tuple[Route, ...]:
    """List what is wrong now."""
    return (
        Route(
            "GET",
            "/incidents",
            IncidentDoor(parts).get,
            scope=Scope.READ,
            name="listIncidents",
            summary="What is wrong now: each open incident, and how many rooms share agent and cause.",
            answers={
                200: Answer("One page of them.", IncidentList),
                400: refusal("A parameter is not known or has no such value."),
                503: UNAVAILABLE,
                **PROTECTED,
            },
            parameters=(CURSOR, limit_parameter("Incidents on one page.")),
        ),
    )
