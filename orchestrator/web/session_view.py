"""A session as people see it: the JSON of GET /sessions, in models from which its schema is made, too.

The values of metadata are not in it: they are for the worker alone.
"""

from typing import Annotated

from pydantic import Field

from orchestrator.core import causes
from orchestrator.core.causes import Cause
from orchestrator.core.facts import Awaited, Source
from orchestrator.core.outlook import next_step
from orchestrator.core.placement import Attempt, Placement, PlacementState
from orchestrator.core.session import Outcome, Session, SessionState, TimelineEntry
from orchestrator.core.verdict import served_by, verdict
from orchestrator.web.answers import View
from orchestrator.web.links import Links
from orchestrator.web.times import Time

_left_out_when_absent = Field(None, exclude_if=lambda value: value is None)


class AttemptView(View):
    """One CreateDispatch, or one dispatch of somebody else that was adopted, and what came of it."""

    number: int
    """Counted from 1 within its placement, never used again."""
    agent_name: str
    dispatch_id: str | None
    job_id: str | None
    identity: str | None
    adopted: bool
    """The dispatch was made by a token, by CreateRoom or by hand."""
    proof: Annotated[str, Field(pattern="^(requested|accepted|joined|answering|ready)$")]
    cause: Cause | None
    requested_at: Time
    accepted_at: Time | None
    joined_at: Time | None
    ended_at: Time | None


class PulseView(View):
    """The last time that the agent answered a question."""

    at: Time
    age_s: float
    """How long ago that was; not every answer is written down, but one at least every 30 s."""
    rtt_ms: float | None


class PlacementView(View):
    """One agent that the session must have."""

    agent_name: str
    state: PlacementState
    proof: Annotated[str, Field(pattern="^(none|requested|accepted|joined|answering|ready)$")]
    """How sure it is that the agent is there. `accepted` proves nothing to a user."""
    cause: Cause | None
    """Why the agent is not there, or was lost last."""
    fix: str | None
    """What most likely helps against the cause."""
    identity: str | None
    """The participant that serves."""
    served_by: str | None
    """The fallback agent that serves in its place."""
    verified_at: Time | None
    time_to_agent_ms: int | None
    """From when the agent was first wanted until it joined."""
    deadline_at: Time
    """Until when attempts are made before a person is told."""
    awaited: Awaited | None
    """What its next attempt waits for."""
    pulse: PulseView | None
    attempts_total: int
    attempts: tuple[AttemptView, ...]
    """The first and the last 20."""


class TimelineView(View):
    at: Time
    event: str
    source: Source
    agent_name: str | None = _left_out_when_absent
    attempt: int | None = _left_out_when_absent
    dispatch_id: str | None = _left_out_when_absent
    identity: str | None = _left_out_when_absent
    cause: Cause | None = _left_out_when_absent
    detail: str | None = _left_out_when_absent


class LinksView(View):
    self_: Annotated[str, Field(serialization_alias="self")]
    screen: str
    """Where a person sees it."""
    runbook: str | None
    """What to do about the cause that is shown."""


class SessionView(View):
    """One life of one room: who should be in it, whether they are, and if not, why."""

    room: str
    sid: str
    state: SessionState
    outcome: Outcome | None
    """How an ended session ended."""
    verdict: str
    """Who is missing and why, or when it came."""
    started_at: Time
    """When LiveKit made the room, by LiveKit's clock."""
    updated_at: Time
    ended_at: Time | None
    people: int
    next: str | None
    """What will happen by itself; null when nothing is pending."""
    placements: tuple[PlacementView, ...]
    warnings: tuple[str, ...]
    timeline: tuple[TimelineView, ...]
    """The first and the last 100 events, by time."""
    links: LinksView


class SessionList(View):
    """Sessions, newest first."""

    sessions: tuple[SessionView, ...]
    cursor: str | None
    """What to ask for the next page with; null on the last one."""


def session_view(session: Session, now: float, links: Links) -> SessionView:
    """The session as it is shown; `now` is the store's time."""
    shown_cause = next((p.cause for p in session.placements if p.cause is not None), None)
    return SessionView(
        room=session.room,
        sid=session.sid,
        state=session.state,
        outcome=session.outcome,
        verdict=verdict(session, now),
        started_at=session.started_at,
        updated_at=session.updated_at,
        ended_at=session.ended_at,
        people=session.people,
        next=next_step(session, now),
        placements=tuple(_placement(session, p, now) for p in session.placements),
        warnings=shown_warnings(session),
        timeline=tuple(_entry(e) for e in sorted(session.timeline, key=lambda e: e.at)),
        links=LinksView(
            self_=links.session(session),
            screen=links.screen(session),
            runbook=links.runbook(shown_cause) if shown_cause else None,
        ),
    )


def _placement(session: Session, placement: Placement, now: float) -> PlacementView:
    tried = placement.attempts[-1].agent_name if placement.attempts else placement.agent_name
    return PlacementView(
        agent_name=placement.agent_name,
        state=placement.state,
        proof=placement.proof.label,
        cause=placement.cause,
        fix=causes.fix(placement.cause, tried) if placement.cause else None,
        identity=placement.identity,
        served_by=served_by(placement),
        verified_at=placement.verified_at,
        time_to_agent_ms=placement.time_to_agent_ms,
        deadline_at=placement.deadline_at,
        awaited=placement.awaited,
        pulse=_pulse(session, placement, now),
        attempts_total=placement.attempts_total,
        attempts=tuple(_attempt(a) for a in placement.attempts),
    )


def _pulse(session: Session, placement: Placement, now: float) -> PulseView | None:
    agent = session.agent_of(placement)
    if agent is None or agent.answered_at is None:
        return None
    age = max(now - agent.answered_at, 0.0)
    return PulseView(at=agent.answered_at, age_s=round(age, 1), rtt_ms=agent.rtt_ms)


def _attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(
        number=attempt.number,
        agent_name=attempt.agent_name,
        dispatch_id=attempt.dispatch_id,
        job_id=attempt.job_id,
        identity=attempt.identity,
        adopted=attempt.adopted,
        proof=attempt.proof.label,
        cause=attempt.cause,
        requested_at=attempt.requested_at,
        accepted_at=attempt.accepted_at,
        joined_at=attempt.joined_at,
        ended_at=attempt.ended_at,
    )


def _entry(entry: TimelineEntry) -> TimelineView:
    return TimelineView(
        at=entry.at,
        event=entry.event,
        source=entry.source,
        agent_name=entry.agent_name,
        attempt=entry.attempt,
        dispatch_id=entry.dispatch_id,
        identity=entry.identity,
        cause=entry.cause,
        detail=entry.detail,
    )


def shown_warnings(session: Session) -> tuple[str, ...]:
    substitutes = ((p.agent_name, substitute) for p in session.placements if (substitute := served_by(p)))
    return (*session.warnings, *(f"{substitute} serves in place of {wanted}." for wanted, substitute in substitutes))
