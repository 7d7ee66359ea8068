"""POST /webhooks/livekit: read, verify, parse, store, and only then 200.

LiveKit repeats after a 5xx and never after a 4xx, and it serves one room's events one after the other without a
timeout. So a 4xx is only ever the sender's fault, our own fault is a 503, and every answer comes within seconds.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

import structlog
from aiohttp import hdrs, web

from orchestrator.core.facts import Fact, RoomOpened
from orchestrator.livekit.signature import LEEWAY, LIFETIME, Forged, sign, verify
from orchestrator.livekit.webhook import Event, Ignored, parse
from orchestrator.livekit.wire import Malformed
from orchestrator.runtime.ports import Appended, Clock, RollcallError, StoreUnavailable
from orchestrator.web.bodies import BodyBroken, BodyStalled, BodyTooLarge, read_body
from orchestrator.web.problems import problem
from orchestrator.web.timelimit import TimeLimit

log = structlog.get_logger()

PATH: Final = "/webhooks/livekit"

REPLAYED: Final = "replayed"
"""The reason that stands at a webhook which somebody sent to the door once more."""

_MEDIA_TYPES: Final = frozenset({"application/webhook+json", "application/json"})


class Outcome(StrEnum):
    """What became of a request: the label of its metric, and a closed list."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    FORGED = "forged"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    STALLED = "stalled"
    UNAVAILABLE = "unavailable"


class Seen(NamedTuple):
    """What came to the door, and what became of it. A tuple, because one is made of every webhook."""

    at: float
    """Unix seconds of the store's clock."""
    outcome: Outcome
    size: int
    """Of the body in bytes, as far as that is known."""
    reason: str | None = None
    key: str | None = None
    """The API key that signed it, where the signature is good."""
    body: bytes | None = None
    """None: it was refused."""
    webhook: Event | Ignored | None = None
    """What the body says; None: it was refused."""


class Unavailable(RollcallError):
    """It could not be stored. `response` asks for it to be sent again."""

    def __init__(self, response: web.Response) -> None:
        super().__init__("a webhook could not be stored")
        self.response = response


@dataclass(frozen=True, slots=True)
class WebhookLimits:
    body_bytes: int = 256 * 1024
    body_seconds: float = 5.0
    """For the whole body: a sender that trickles holds a socket no longer than one that is silent."""
    token_lifetime: float = LIFETIME
    token_leeway: float = LEEWAY
    store_seconds: float = 5.0
    """A receiver that hangs blocks that room's events at LiveKit; a 503 makes it come again."""
    retry_after: int = 4
    """Seconds. LiveKit comes again four times and waits this long each time, instead of 1, 2, 4 and 8 s: it should
    reach as far, and not much farther, because it drops events that have waited 30 s behind this one."""


class Intake(Protocol):
    async def receive(self, opening: RoomOpened, facts: Sequence[Fact], *, event_id: str | None) -> Appended:
        """Store the facts of one event. Raises StoreUnavailable."""
        ...


class _Refused(RollcallError):
    """A request that is the sender's fault. The reason is for our log: a forger learns nothing from the answer."""

    def __init__(
        self, outcome: Outcome, reason: str | None = None, *, size: int = 0, key: str | None = None, hang_up: bool = False
    ) -> None:
        super().__init__(outcome.value)
        self.size = size
        self.key = key
        self.outcome = outcome
        self.reason = reason
        self.hang_up = hang_up


class _Admitted(NamedTuple):
    """A webhook whose signature is good."""

    body: bytes
    key: str
    webhook: Event | Ignored


class WebhookDoor:
    """The handler of PATH. `keys` maps API keys to secrets; `observe` is told what became of every request."""

    def __init__(
        self,
        keys: Mapping[str, str],
        intake: Intake,
        clock: Clock,
        limits: WebhookLimits,
        observe: Callable[[Seen], None],
    ) -> None:
        self._keys = keys
        self._intake = intake
        self._clock = clock
        self._limits = limits
        self._storing = TimeLimit(limits.store_seconds)
        self._observe = observe

    async def post(self, request: web.Request) -> web.StreamResponse:
        try:
            admitted = await self._read(request)
        except _Refused as refused:
            answer = self._refuse(refused)
            return await _hang_up(request, answer) if refused.hang_up else answer
        try:
            await self._take(admitted)
        except Unavailable as unavailable:
            return unavailable.response
        return web.Response()

    async def replay(self, body: bytes) -> Outcome:
        """What becomes of this body when it comes once more, signed by us with the first key. Raises Unavailable."""
        key, secret = next(iter(self._keys.items()))
        token = sign(body, key, secret, self._clock.now(), lifetime=self._limits.token_lifetime)
        try:
            admitted = self._admit(body, token)
        except _Refused as refused:
            return refused.outcome
        return await self._take(admitted, reason=REPLAYED)

    async def _read(self, request: web.Request) -> _Admitted:
        if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
            raise _Refused(Outcome.UNSUPPORTED, "content_encoding", hang_up=True)
        if request.content_type not in _MEDIA_TYPES:
            raise _Refused(Outcome.UNSUPPORTED, "media_type")
        try:
            body = await read_body(request, at_most=self._limits.body_bytes, within=self._limits.body_seconds)
        except BodyTooLarge as error:
            raise _Refused(Outcome.TOO_LARGE, size=request.content_length or 0) from error
        except BodyStalled as error:
            raise _Refused(Outcome.STALLED, hang_up=True) from error
        except BodyBroken as error:
            raise _Refused(Outcome.MALFORMED, "body_broken") from error
        return self._admit(body, _authorization(request))

    def _admit(self, body: bytes, authorization: str | None) -> _Admitted:
        limits, now = self._limits, self._clock.now()
        try:
            key = verify(body, authorization, self._keys, now, lifetime=limits.token_lifetime, leeway=limits.token_leeway)
        except Forged as error:
            raise _Refused(Outcome.FORGED, error.reason.value, size=len(body)) from error
        try:
            return _Admitted(body, key, parse(body))
        except Malformed as error:
            raise _Refused(Outcome.MALFORMED, str(error), size=len(body), key=key) from error

    async def _take(self, admitted: _Admitted, reason: str | None = None) -> Outcome:
        """Store it, where it tells us something. Raises Unavailable."""
        body, key, webhook = admitted
        if isinstance(webhook, Ignored):
            log.debug("webhook_ignored", kind=webhook.kind)
            outcome = Outcome.IGNORED
        else:
            try:
                outcome = await self._store(webhook)
            except Unavailable:
                self._observe(Seen(self._clock.now(), Outcome.UNAVAILABLE, len(body), reason, key, body, webhook))
                raise
        self._observe(Seen(self._clock.now(), outcome, len(body), reason, key, body, webhook))
        return outcome

    async def _store(self, event: Event) -> Outcome:
        """Raises Unavailable."""
        opening = event.opening
        try:
            with self._storing.wait():
                appended = await self._intake.receive(opening, event.facts, event_id=event.event_id)
        except (StoreUnavailable, TimeoutError) as error:
            reason = type(error).__name__
            log.warning("webhook_not_stored", kind=event.kind, room=opening.room, sid=opening.sid, reason=reason)
            retry_after = {"Retry-After": str(self._limits.retry_after)}
            response = problem(503, "Service Unavailable", "It could not be stored. Send it again.", headers=retry_after)
            raise Unavailable(response) from error
        outcome = _OUTCOMES[appended]
        log.debug("webhook_received", kind=event.kind, room=opening.room, sid=opening.sid, outcome=outcome.value)
        return outcome

    def _refuse(self, refused: _Refused) -> web.Response:
        self._observe(Seen(self._clock.now(), refused.outcome, refused.size, refused.reason, refused.key))
        log.warning("webhook_refused", outcome=refused.outcome.value, reason=refused.reason)
        answer = _REFUSALS[refused.outcome]
        return problem(answer.status, answer.title, answer.detail, headers=answer.headers)


@dataclass(frozen=True, slots=True)
class _Refusal:
    status: int
    title: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


_REFUSALS: Final = {
    Outcome.FORGED: _Refusal(
        401,
        "Unauthorized",
        "A valid LiveKit webhook signature is required.",
        {"WWW-Authenticate": "Bearer"},
    ),
    Outcome.MALFORMED: _Refusal(400, "Bad Request", "The body is no LiveKit webhook."),
    Outcome.TOO_LARGE: _Refusal(413, "Content Too Large", "The body is larger than a webhook may be."),
    Outcome.UNSUPPORTED: _Refusal(
        415, "Unsupported Media Type", "Send application/webhook+json or application/json, without a Content-Encoding."
    ),
    Outcome.STALLED: _Refusal(408, "Request Timeout", "The body did not arrive in time."),
}

_OUTCOMES: Final = {
    Appended.STORED: Outcome.STORED,
    Appended.DUPLICATE: Outcome.DUPLICATE,
    Appended.IGNORED: Outcome.IGNORED,
}


def _authorization(request: web.Request) -> str | None:
    """The header, if there is exactly one: of two, somebody else may have read the other."""
    values = request.headers.getall(hdrs.AUTHORIZATION, ())
    return values[0] if len(values) == 1 else None


async def _hang_up(request: web.Request, answer: web.Response) -> web.Response:
    """Answer and close the connection, where aiohttp would go on reading, and inflating, the rest for 10 s."""
    with suppress(ConnectionError):
        await answer.prepare(request)
        await answer.write_eof()
    request.protocol.force_close()
    return answer
