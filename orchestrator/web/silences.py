"""GET, POST and DELETE /silences: what operators want to hear nothing of for a while."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol, Self

import structlog
from aiohttp import web
from pydantic import AwareDatetime, model_validator
from pydantic_core import PydanticCustomError

from orchestrator.configuration.alerts import MatchEntry
from orchestrator.configuration.credentials import Scope
from orchestrator.core.alerts import AlertType
from orchestrator.core.audit import Action
from orchestrator.core.causes import Cause
from orchestrator.core.silences import LONGEST, AlertMatch, Silence
from orchestrator.runtime.ports import Clock
from orchestrator.web.answers import View, answer
from orchestrator.web.deeds import deed, doer
from orchestrator.web.operation_models import ForAWhile, Reason
from orchestrator.web.operation_ports import Audit
from orchestrator.web.problems import problem
from orchestrator.web.requests import Body, Refused, read_model
from orchestrator.web.routes import BODY_REFUSALS, PROTECTED, UNAVAILABLE, Answer, Parameter, Route, refusal
from orchestrator.web.times import Time

log = structlog.get_logger()

_LONGEST_MATCH: Final = 4_096
"""Characters of all patterns of one silence: each alert is held against all of them."""


class SilenceRequest(Body):
    """Of what nothing is to be heard, until when, and why."""

    match: MatchEntry
    """Globs or names, one or a list, as a sink's `match` has them; each that is written must hold."""
    duration: ForAWhile | None = None
    """Seconds, or as text: `2h`; 30 days at the most."""
    ends_at: AwareDatetime | None = None
    """Instead of `duration`."""
    reason: Reason = ""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        match = self.match.compiled
        if match == AlertMatch():
            raise PydanticCustomError("match", "match says nothing. Write one of type, room, agent and cause")
        if match.type and AlertType.WATCHDOG in match.type:
            raise PydanticCustomError("match", "a watchdog is never silenced: its absence is what wakes somebody")
        if len(str(match)) > _LONGEST_MATCH:
            raise PydanticCustomError("match", "match is longer than {most} characters", {"most": _LONGEST_MATCH})
        if (self.duration is None) is (self.ends_at is None):
            raise PydanticCustomError("end", "it must say when it ends, once: by duration or by ends_at")
        return self

    def end(self, now: float) -> float:
        """Raises Refused for one that is past, or too far away."""
        ends_at = now + self.duration if self.duration is not None else self.ends_at.timestamp() if self.ends_at else now
        if not now < ends_at <= now + LONGEST:
            raise Refused(problem(400, "Bad Request", "ends_at must lie in the future, and at most 30 days ahead."))
        return ends_at


class MatchView(View):
    """null: no matter."""

    type: tuple[AlertType, ...] | None
    room: tuple[str, ...] | None
    agent: tuple[str, ...] | None
    cause: tuple[Cause, ...] | None


class SilenceView(View):
    id: str
    match: MatchView
    starts_at: Time
    ends_at: Time
    reason: str
    by: str
    """Who made it."""
    state: Literal["active", "ended"]


class SilenceList(View):
    """The newest first; those that ended within the last day are shown, too."""

    silences: tuple[SilenceView, ...]


class StoredSilences(Protocol):
    """Every method raises StoreUnavailable."""

    async def add(self, silence: Silence) -> bool:
        """Whether there was room for it."""
        ...

    async def change(self, silence: Silence) -> None: ...

    async def look(self, now: float) -> tuple[Silence, ...]: ...


class Held(Protocol):
    async def release(self) -> None:
        """Look again at every alert that a silence keeps from anybody. Raises StoreUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class SilenceParts:
    silences: StoredSilences
    held: Held
    audit: Audit
    clock: Clock
    new_id: Callable[[], str]
    count: Callable[[str], None]
    """What was done: silence or unsilence."""


class SilenceDoor:
    """The handlers. Each raises Refused."""

    def __init__(self, parts: SilenceParts) -> None:
        self._parts = parts

    async def get(self, _request: web.Request) -> web.Response:
        now = self._parts.clock.now()
        return answer(SilenceList(silences=tuple(_view(silence, now) for silence in await self._parts.silences.look(now))))

    async def post(self, request: web.Request) -> web.Response:
        asked = await read_model(request, SilenceRequest)
        now = self._parts.clock.now()
        silence = Silence(self._parts.new_id(), asked.match.compiled, now, asked.end(now), asked.reason, doer(request))
        await self._parts.audit.add(deed(request, Action.SILENCE, asked.reason, target=f"{silence.id}: {silence.match}"))
        if not await self._parts.silences.add(silence):
            raise Refused(problem(409, "Conflict", "There are too many silences. End some, or write one for all of them."))
        self._parts.count("silence")
        log.info("operation", operation="silence", silence=silence.id)
        return answer(_view(silence, now), status=201)

    async def delete(self, request: web.Request) -> web.Response:
        now, asked = self._parts.clock.now(), request.match_info["id"]
        silence = next((silence for silence in await self._parts.silences.look(now) if silence.id == asked), None)
        if silence is None:
            raise Refused(problem(404, "Not Found", "There is no such silence, or it ended more than a day ago."))
        ended = replace(silence, ends_at=min(silence.ends_at, now))
        await self._parts.audit.add(deed(request, Action.UNSILENCE, target=f"{silence.id}: {silence.match}"))
        await self._parts.silences.change(ended)
        await self._parts.held.release()
        self._parts.count("unsilence")
        log.info("operation", operation="unsilence", silence=silence.id)
        return answer(_view(ended, now))


def _view(silence: Silence, now: float) -> SilenceView:
    match = silence.match
    return SilenceView(
        id=silence.id,
        match=MatchView(type=match.type, room=match.room, agent=match.agent, cause=match.cause),
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        reason=silence.reason,
        by=silence.by,
        state="active" if silence.active(now) else "ended",
    )


def silence_routes(parts: SilenceParts) -> tuple[Route, ...]:
    """List silences, make one, end one."""
    door = SilenceDoor(parts)
    return (
        Route(
            "GET",
            "/silences",
            door.get,
            scope=Scope.READ,
            name="listSilences",
            summary="What nobody is told of for a while.",
            answers={200: Answer("All of them.", SilenceList), 503: UNAVAILABLE, **PROTECTED},
        ),
        Route(
            "POST",
            "/silences",
            door.post,
            scope=Scope.OPERATE,
            name="createSilence",
            summary="Tell nobody of what begins while this silence lasts; what still stands when it ends is told then.",
            answers={
                201: Answer("It holds from now on.", SilenceView),
                409: refusal("There are too many."),
                503: UNAVAILABLE,
                **BODY_REFUSALS,
                **PROTECTED,
            },
            accepts=SilenceRequest,
        ),
        Route(
            "DELETE",
            "/silences/{id}",
            door.delete,
            scope=Scope.OPERATE,
            name="endSilence",
            summary="End a silence now: what it kept back and still stands is told.",
            answers={
                200: Answer("It has ended.", SilenceView),
                404: refusal("There is no such silence."),
                503: UNAVAILABLE,
                **PROTECTED,
            },
            parameters=(Parameter("id", "path", "A silence's id."),),
        ),
    )
