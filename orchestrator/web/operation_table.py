"""The routes of operators."""

from typing import Final

from orchestrator.configuration.credentials import Scope
from orchestrator.core.causes import Cause
from orchestrator.core.session import SessionState
from orchestrator.web import mass_redispatch
from orchestrator.web.audit import AuditDoor
from orchestrator.web.mass_redispatch import MassRedispatch
from orchestrator.web.operation_models import (
    AuditList,
    ReasonRequest,
    RedispatchRequest,
    ResolvedSession,
    ResolveRequest,
    TakenSession,
    TakenSessions,
)
from orchestrator.web.operation_ports import OperationParts
from orchestrator.web.operations import Operations
from orchestrator.web.routes import (
    BODY_REFUSALS,
    CURSOR,
    PROTECTED,
    REPEATABLE,
    ROOM,
    UNAVAILABLE,
    Answer,
    Parameter,
    Route,
    limit_parameter,
    refusal,
)

_NO_SESSION: Final = refusal("There is no live session of this room, or it has no such agent.")

_MANY: Final = (
    Parameter(
        "state",
        "query",
        "Only sessions in this state.",
        {"enum": [s.value for s in SessionState if s is not SessionState.ENDED]},
    ),
    Parameter("agent", "query", "Only this agent."),
    Parameter("cause", "query", "Only agents with this cause.", {"enum": [cause.value for cause in Cause]}),
    Parameter("age", "query", "Only sessions that started at least so long ago: `90s`, `5m`, `1.5h`."),
    Parameter("since", "query", "Only sessions that started since then: a time of RFC 3339, or a duration ago (`15m`)."),
    Parameter("verified", "query", "`true`: agents that serve are replaced, too.", {"enum": ["true", "false"]}),
    CURSOR,
    limit_parameter("Sessions that are taken at most.", most=mass_redispatch.MOST, usual=mass_redispatch.MOST),
)


def operation_routes(parts: OperationParts) -> tuple[Route, ...]:
    """A table: what is done to one session, to many at once, and who did it."""
    operations = Operations(parts)
    return (
        Route(
            "POST",
            "/sessions/{room}/redispatch",
            operations.redispatch,
            scope=Scope.OPERATE,
            name="redispatch",
            summary="Begin a new round of attempts now; an agent that serves stays until the one that replaces it is verified.",
            answers={
                202: Answer("Its owner does it now.", TakenSession),
                404: _NO_SESSION,
                409: refusal("Nothing can be begun anew; `detail` says why."),
                503: UNAVAILABLE,
                **BODY_REFUSALS,
                **PROTECTED,
            },
            parameters=(ROOM, REPEATABLE),
            accepts=RedispatchRequest,
        ),
        Route(
            "POST",
            "/sessions/{room}/cancel",
            operations.cancel,
            scope=Scope.OPERATE,
            name="cancelSession",
            summary="Have no agent in a session any more, until somebody asks for one.",
            answers={
                202: Answer("Its owner does it now.", TakenSession),
                404: _NO_SESSION,
                503: UNAVAILABLE,
                **BODY_REFUSALS,
                **PROTECTED,
            },
            parameters=(ROOM, REPEATABLE),
            accepts=ReasonRequest,
        ),
        Route(
            "POST",
            "/sessions/{room}/resolve",
            operations.resolve,
            scope=Scope.OPERATE,
            name="resolveIncidents",
            summary="See to the incidents of a session oneself: they are resolved, and attempts go on.",
            answers={
                202: Answer("Its owner does it now.", ResolvedSession),
                404: _NO_SESSION,
                409: refusal("No incident is open."),
                503: UNAVAILABLE,
                **BODY_REFUSALS,
                **PROTECTED,
            },
            parameters=(ROOM, REPEATABLE),
            accepts=ResolveRequest,
        ),
        Route(
            "POST",
            "/redispatch",
            MassRedispatch(parts).post,
            scope=Scope.OPERATE,
            name="redispatchMany",
            summary="Begin a new round of attempts in every session that the filter finds.",
            answers={
                202: Answer("Their owners do it now.", TakenSessions),
                503: UNAVAILABLE,
                **BODY_REFUSALS,
                **PROTECTED,
                400: refusal("A filter is not known or has no such value, or the body is not of this form."),
            },
            parameters=_MANY,
            accepts=ReasonRequest,
        ),
        Route(
            "GET",
            "/audit",
            AuditDoor(parts.audit).get,
            scope=Scope.OPERATE,
            name="listAudit",
            summary="Who did what, newest first.",
            answers={
                200: Answer("One page of it.", AuditList),
                400: refusal("A parameter is not known or has no such value."),
                503: UNAVAILABLE,
                **PROTECTED,
            },
            parameters=(
                CURSOR,
                limit_parameter("Lines on one page."),
            ),
        ),
    )
