"""/inbox: the webhooks that came last, and what became of them; and one of them once more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

import msgspec
from aiohttp import web
from pydantic import WithJsonSchema

from orchestrator.configuration.credentials import Scope
from orchestrator.core.audit import Action
from orchestrator.core.received import Remembered
from orchestrator.web.answers import View, answer
from orchestrator.web.deeds import deed
from orchestrator.web.filters import PAGING, following, given_once, one_of, paging_of
from orchestrator.web.operation_models import ReasonRequest
from orchestrator.web.operation_ports import Audit
from orchestrator.web.problems import problem
from orchestrator.web.requests import Refused, read_model
from orchestrator.web.routes import (
    BODY_REFUSALS,
    CURSOR,
    PROTECTED,
    UNAVAILABLE,
    Answer,
    Parameter,
    Route,
    limit_parameter,
    refusal,
)
from orchestrator.web.times import Time
from orchestrator.web.webhooks import Outcome, Unavailable

PATH: Final = "/inbox"

_TAKEN: Final = (Outcome.STORED, Outcome.DUPLICATE, Outcome.IGNORED)

_OWN: Final = ("outcome", "room")


class WebhookView(View):
    """One request to the door for webhooks."""

    id: str
    at: Time
    event: str | None
    room: str | None
    sid: str | None
    event_id: str | None
    outcome: str
    """As in the metric `rollcall_webhooks_total`."""
    reason: str | None
    """Why it was refused; `replayed`: somebody sent it to the door once more."""
    key: str | None
    """The API key that signed it; null where no signature was found good."""
    bytes: int


class WebhookWithBody(WebhookView):
    """One request to the door for webhooks, and what it said."""

    body: dict[str, Any] | None
    """Without secrets, and with … for the values of metadata and attributes. null: refused, or too large to be kept."""


class WebhookList(View):
    """The ones that came last, newest first."""

    webhooks: tuple[WebhookView, ...]
    cursor: str | None
    """Where to go on; null: there are no more."""


class ReplayView(View):
    """What became of a webhook that came once more."""

    outcome: Annotated[Outcome, WithJsonSchema({"enum": list(_TAKEN)})]
    """`duplicate`: it was stored before, so nothing was done."""


class ReceivedReader(Protocol):
    """Every method raises StoreUnavailable."""

    async def page(
        self, *, outcome: str | None, room: str | None, cursor: str | None, limit: int
    ) -> tuple[Sequence[Remembered], str | None]:
        """Raises ValueError for a cursor that it has not given out."""
        ...

    async def find(self, webhook_id: str) -> Remembered | None: ...


class Replay(Protocol):
    async def replay(self, body: bytes) -> Outcome:
        """What becomes of it when it comes to the door once more. Raises Unavailable when it cannot be stored."""
        ...


class SessionFinder(Protocol):
    async def find(self, room_or_sid: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class InboxParts:
    received: ReceivedReader
    door: Replay
    sessions: SessionFinder
    audit: Audit
    hides_room_metadata: Callable[[dict[str, Any]], bool]


class InboxDoor:
    """The handlers. Each raises Refused, BadFilter and StoreUnavailable."""

    def __init__(self, parts: InboxParts) -> None:
        self._parts = parts

    async def get_many(self, request: web.Request) -> web.Response:
        given = given_once(request.query, (*_OWN, *PAGING))
        outcome, room = one_of(Outcome, "outcome", given.get("outcome")), given.get("room") or None
        cursor, limit = paging_of(given)
        with following(cursor):
            found, further = await self._parts.received.page(outcome=outcome, room=room, cursor=cursor, limit=limit)
        return answer(WebhookList(webhooks=tuple(WebhookView(**_shown(one)) for one in found), cursor=further))

    async def get_one(self, request: web.Request) -> web.Response:
        found = await self._asked_for(request)
        return answer(WebhookWithBody(**_shown(found), body=found.received.body))

    async def replay(self, request: web.Request) -> web.Response:
        """Only what would lead to the same: a body that was kept, and no session that its room's metadata would route."""
        asked = await read_model(request, ReasonRequest)
        found = await self._asked_for(request)
        received = found.received
        if received.body is None:
            raise Refused(_conflict("Its body was not kept: it was refused, or too large."))
        if self._parts.hides_room_metadata(received.body) and not await self._parts.sessions.find(received.sid or ""):
            detail = "Its session is not known, and the room's metadata, by which routes choose agents, was not kept."
            raise Refused(_conflict(f"{detail} The reconciler finds the room, if it lives."))
        done = deed(request, Action.REPLAY, asked.reason, room=received.room, sid=received.sid, target=found.id)
        await self._parts.audit.add(done)
        try:
            outcome = await self._parts.door.replay(msgspec.json.encode(received.body))
        except Unavailable as error:
            raise Refused(error.response) from error
        if outcome not in _TAKEN:
            raise Refused(_conflict(f"The door does not take it any more: {outcome}."))
        return answer(ReplayView(outcome=outcome))

    async def _asked_for(self, request: web.Request) -> Remembered:
        found = await self._parts.received.find(request.match_info["id"])
        if found is None:
            raise Refused(problem(404, "Not Found", "There is no such webhook, or not any more."))
        return found


def inbox_routes(parts: InboxParts) -> tuple[Route, ...]:
    """A table: the webhooks, one of them, one of them once more."""
    door = InboxDoor(parts)
    webhook_id = Parameter("id", "path", "The `id` of a webhook in the list.")
    missing = refusal("There is no such webhook, or not any more.")
    return (
        Route(
            "GET",
            PATH,
            door.get_many,
            scope=Scope.READ,
            name="listWebhooks",
            summary="The webhooks that came last, and what became of each, newest first.",
            answers={
                200: Answer("One page of them.", WebhookList),
                400: refusal("A parameter is not known or has no such value."),
                503: UNAVAILABLE,
                **PROTECTED,
            },
            parameters=(
                Parameter("outcome", "query", "Only those of which this became.", {"enum": [o.value for o in Outcome]}),
                Parameter("room", "query", "Only those about the room of this name."),
                CURSOR,
                limit_parameter("Webhooks on one page."),
            ),
        ),
        Route(
            "GET",
            f"{PATH}/{{id}}",
            door.get_one,
            scope=Scope.READ,
            name="getWebhook",
            summary="One webhook, with what it said.",
            answers={200: Answer("The webhook.", WebhookWithBody), 404: missing, 503: UNAVAILABLE, **PROTECTED},
            parameters=(webhook_id,),
        ),
        Route(
            "POST",
            f"{PATH}/{{id}}/replay",
            door.replay,
            scope=Scope.OPERATE,
            name="replayWebhook",
            summary="Send a webhook to the door once more, signed by us; what was stored before is not stored again.",
            answers={
                200: Answer("The door has taken it.", ReplayView),
                404: missing,
                409: refusal("What is needed of it was not kept, or the door takes it no more."),
                503: UNAVAILABLE,
                **BODY_REFUSALS,
                **PROTECTED,
            },
            parameters=(webhook_id,),
            accepts=ReasonRequest,
        ),
    )


def _shown(one: Remembered) -> dict[str, Any]:
    received = one.received
    return {
        "id": one.id,
        "at": received.at,
        "event": received.event,
        "room": received.room,
        "sid": received.sid,
        "event_id": received.event_id,
        "outcome": received.outcome,
        "reason": received.reason,
        "key": received.key,
        "bytes": received.bytes,
    }


def _conflict(detail: str) -> web.Response:
    return problem(409, "Conflict", detail)
