"""All routes of the service."""

from typing import Final

from orchestrator.configuration.credentials import Scope
from orchestrator.core.causes import Cause
from orchestrator.core.session import SessionState
from orchestrator.web import webhooks
from orchestrator.web.health import Liveness, Readiness, ReadinessView, get_livez
from orchestrator.web.routes import (
    CURSOR,
    PROTECTED,
    ROOM,
    UNAVAILABLE,
    Answer,
    Handler,
    Parameter,
    Route,
    limit_parameter,
    refusal,
)
from orchestrator.web.runbook import get_runbook
from orchestrator.web.session_view import SessionList, SessionView
from orchestrator.web.sessions import Sessions

_LIST_PARAMETERS: Final = (
    Parameter("state", "query", "Only sessions in this state.", {"enum": [state.value for state in SessionState]}),
    Parameter("agent", "query", "Only sessions that should have this agent."),
    Parameter("cause", "query", "Only sessions with this cause.", {"enum": [cause.value for cause in Cause]}),
    Parameter("age", "query", "Only sessions that started at least so long ago: `90s`, `5m`, `1.5h`."),
    CURSOR,
    limit_parameter("Sessions on one page."),
)

_WEBHOOK_BODY: Final = {
    "description": "LiveKit's WebhookEvent as protobuf JSON, with its signature in the Authorization header.",
    "required": True,
    "content": {"application/webhook+json": {"schema": {"type": "object"}}},
}

_WEBHOOK_ANSWERS: Final = {
    200: Answer("Stored, stored before, or of a kind that is not needed.", media_type=None),
    400: refusal("The body is no LiveKit webhook."),
    401: refusal("The signature is missing or wrong."),
    408: refusal("The body did not arrive in time."),
    413: refusal("The body is larger than a webhook may be."),
    415: refusal("The body is of another media type, or encoded."),
    503: refusal("It could not be stored; send it again after Retry-After seconds."),
}


def routes_of(webhook: Handler, sessions: Sessions, readiness: Readiness, metrics: Handler) -> tuple[Route, ...]:
    """The table, but for the OpenAPI document that is made of it.

    The metrics are open, because Prometheus scrapes pods without a token: they hold names of agents, never of rooms.
    """
    return (
        Route(
            "POST",
            webhooks.PATH,
            webhook,
            scope=None,
            name="receiveWebhook",
            summary="Where LiveKit sends its webhooks. Their signature is the authorization.",
            answers=_WEBHOOK_ANSWERS,
            body=_WEBHOOK_BODY,
        ),
        Route(
            "GET",
            "/sessions",
            sessions.get_many,
            scope=Scope.READ,
            name="listSessions",
            summary="Sessions, newest first.",
            answers={
                200: Answer("One page of sessions.", SessionList),
                400: refusal("A filter is not known or has no such value."),
                503: UNAVAILABLE,
                **PROTECTED,
            },
            parameters=_LIST_PARAMETERS,
        ),
        Route(
            "GET",
            "/sessions/{room}",
            sessions.get_one,
            scope=Scope.READ,
            name="getSession",
            summary="Who should be in a room, whether they are, and if not, why.",
            answers={
                200: Answer("The session with this sid, or the newest one of the room of this name.", SessionView),
                404: refusal("There is none; `near` lists names that look like it."),
                503: UNAVAILABLE,
                **PROTECTED,
            },
            parameters=(ROOM,),
        ),
        Route(
            "GET",
            "/livez",
            get_livez,
            scope=None,
            name="getLiveness",
            summary="Whether the process answers.",
            answers={200: Answer("It does.", Liveness)},
        ),
        Route(
            "GET",
            "/readyz",
            readiness.get,
            scope=None,
            name="getReadiness",
            summary="Whether this replica can do its work, and if not, why.",
            answers={200: Answer("It can.", ReadinessView), 503: Answer("It cannot.", ReadinessView)},
        ),
        Route(
            "GET",
            "/metrics",
            metrics,
            scope=None,
            name="getMetrics",
            summary="Metrics for Prometheus.",
            answers={200: Answer("In the format that the Accept header asks for.", media_type="text/plain")},
        ),
        Route(
            "GET",
            "/runbook",
            get_runbook,
            scope=None,
            name="getRunbook",
            summary="What each cause means, and what to do.",
            answers={200: Answer("A page with one section per cause.", media_type="text/html")},
        ),
    )
