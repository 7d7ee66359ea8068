"""What happened to a session, for logs and metrics: from the difference that a fact made to its record.

Every new line of the timeline is an event in the log, under the same name; the metrics follow the placements.
"""

from collections.abc import Callable
from typing import Any, Final

import structlog

from orchestrator.core import causes
from orchestrator.core import facts as f
from orchestrator.core.causes import Cause
from orchestrator.core.facts import Source
from orchestrator.core.placement import Attempt, Placement, PlacementState
from orchestrator.core.session import Session, TimelineEntry
from orchestrator.observability.metrics import OTHER, Metrics
from orchestrator.observability.promise import judged
from orchestrator.runtime.ports import Delivered

log = structlog.get_logger()

_LEVELS: Final = {
    "unverified": "error",
    "attempt_ended": "warning",
    "lost": "warning",
    "fallback": "warning",
    "agent_silent": "warning",
    "room_lives_on": "warning",
    "agent_aborted": "warning",
    "participant_joined": "debug",
    "participant_left": "debug",
}


Exemplar = Callable[[Session], dict[str, str] | None]
"""The labels that name a session's trace; None without one. Only the OpenMetrics format shows them."""


class Observation:
    """The runtime's Observer."""

    def __init__(self, metrics: Metrics, exemplar: Exemplar = lambda _: None) -> None:
        """`exemplar` ties the samples of a session to its trace."""
        self._metrics = metrics
        self._exemplar = exemplar

    def folded(self, before: Session | None, after: Session, delivered: Delivered) -> None:
        """Tell what this fact changed; a fact that changed nothing is only counted."""
        self._metrics.facts.labels(type(delivered.fact).__name__).inc()
        self._count_lag(delivered)
        self._count_command(delivered.fact)
        if isinstance(delivered.fact, f.PulseAnswered):
            self._count_pulse(after, delivered.fact)
        if isinstance(delivered.fact, f.AgentRetired):
            self._count_duplicate(before, after, delivered.fact.identity)
        if before is None or (before.ended and not after.ended):  # only listings had said that it was over
            self._metrics.sessions_opened.inc()
        for entry in _new_lines(before, after):
            _tell(after, entry, delivered.at)
        for placement in after.placements:
            earlier = _earlier(before, placement)
            if placement is not earlier:
                self._count(after, earlier, placement)
                _tell_resolved(after, earlier, placement)
            self._count_promise(before, after, earlier, placement)
        # What ended before its routes were asked has its outcome only when they have answered.
        if after.ended and after.routed and not (before and before.ended and before.routed):
            self._metrics.sessions_ended.labels(after.outcome).inc()

    def _count_lag(self, delivered: Delivered) -> None:
        created_at = getattr(delivered.fact, "created_at", None)
        if created_at is not None and getattr(delivered.fact, "source", Source.WEBHOOK) is Source.WEBHOOK:
            self._metrics.webhook_lag.observe(max(delivered.at - created_at - 1.0, 0.0))

    def _count_command(self, fact: f.Fact) -> None:
        match fact:
            case f.AgentWanted():
                command = "want" if fact.instead_of is None else "switch"
            case f.AgentDismissed():
                command = "dismiss"
            case f.RoundWanted():
                command = "redispatch"
            case f.SessionCancelled():
                command = "cancel"
            case f.IncidentTaken():
                command = "resolve"
            case _:
                return
        self._metrics.commands.labels(command, fact.source.value).inc()

    def _count_pulse(self, session: Session, fact: f.PulseAnswered) -> None:
        agent = session.present_agent(fact.identity)
        if agent is not None:
            label = OTHER if agent.agent_name is None else self._metrics.agent(agent.agent_name)
            self._metrics.pulse_round_trip.labels(label).observe(fact.rtt_ms / 1000, self._exemplar(session))

    def _count_duplicate(self, before: Session | None, after: Session, identity: str) -> None:
        if before is None or identity not in before.retired:
            agent = after.present_agent(identity)
            name = None if agent is None else agent.agent_name
            self._metrics.duplicates.labels(OTHER if name is None else self._metrics.agent(name)).inc()

    def _count_promise(self, before: Session | None, after: Session, earlier: Placement | None, placement: Placement) -> None:
        if placement is earlier and before is not None and before.had_people is after.had_people and not after.ended:
            return  # nothing that it is judged by has changed
        outcome = judged(after, placement)
        if outcome is not None and (before is None or earlier is None or judged(before, earlier) is None):
            self._metrics.promises.labels(self._metrics.agent(placement.agent_name), outcome).inc(1, self._exemplar(after))

    def _count(self, session: Session, earlier: Placement | None, placement: Placement) -> None:
        agent = self._metrics.agent(placement.agent_name)
        served = earlier.identity if earlier and earlier.state is PlacementState.VERIFIED else None
        for attempt in placement.attempts:
            before = earlier.attempt(attempt.number) if earlier else None
            if attempt is not before:
                self._count_attempt(session, placement, before, attempt, served)
        if served is not None and placement.identity != served:
            self._metrics.agents_lost.labels(agent, placement.cause or Cause.UNKNOWN).inc(1, self._exemplar(session))
        milliseconds = placement.time_to_agent_ms
        if milliseconds is not None and (earlier is None or earlier.time_to_agent_ms is None):
            self._metrics.time_to_agent.labels(agent).observe(milliseconds / 1000, self._exemplar(session))
        if placement.state is PlacementState.UNVERIFIED and (earlier is None or earlier.state is not placement.state):
            self._metrics.unverified.labels(agent, placement.cause or Cause.UNKNOWN).inc(1, self._exemplar(session))

    def _count_attempt(
        self, session: Session, placement: Placement, before: Attempt | None, attempt: Attempt, served: str | None
    ) -> None:
        """When it is verified, and when it ends without; one that was given up and whose agent comes after all is both."""
        agent = self._metrics.agent(attempt.agent_name)
        verified = placement.state is PlacementState.VERIFIED and attempt.identity == placement.identity
        if verified and served != attempt.identity:
            self._metrics.attempts.labels(agent, "verified").inc(1, self._exemplar(session))
        elif not attempt.open and (before is None or before.open) and (served is None or served != attempt.identity):
            outcome = "superseded" if attempt.cause is None else attempt.cause.value
            self._metrics.attempts.labels(agent, outcome).inc(1, self._exemplar(session))


def _new_lines(before: Session | None, after: Session) -> tuple[TimelineEntry, ...]:
    new = after.timeline_total - (before.timeline_total if before else 0)
    return after.timeline[-new:] if new else ()


def _earlier(before: Session | None, placement: Placement) -> Placement | None:
    placements = before.placements if before else ()
    return next((p for p in placements if p.agent_name == placement.agent_name), None)


def _tell(session: Session, entry: TimelineEntry, stored_at: float) -> None:
    told: dict[str, Any] = {
        "room": session.room,
        "sid": session.sid,
        "agent": entry.agent_name,
        "attempt": entry.attempt,
        "dispatch_id": entry.dispatch_id,
        "identity": entry.identity,
        "cause": entry.cause,
        "detail": entry.detail,
        "source": entry.source.value,
        "stored_at": round(stored_at, 3),
        **_more(session, entry),
    }
    emit = getattr(log, _LEVELS.get(entry.event, "info"))
    emit(entry.event, **{name: value for name, value in told.items() if value is not None})


def _more(session: Session, entry: TimelineEntry) -> dict[str, Any]:
    placement = next((p for p in session.placements if p.agent_name == entry.agent_name), None)
    if placement is None:
        return {}
    match entry.event:
        case "verified":
            return {"time_to_agent_ms": placement.time_to_agent_ms}
        case "unverified" if entry.cause is not None:
            return {
                "attempts_total": placement.attempts_total,
                "summary": causes.sentence(entry.cause, placement.agent_name),
                "fix": causes.fix(entry.cause, placement.agent_name),
            }
        case _:
            return {}


def _tell_resolved(session: Session, earlier: Placement | None, placement: Placement) -> None:
    open_before = {i.incident for i in earlier.incidents if i.resolved_at is None} if earlier else set()
    for incident in placement.incidents:
        if incident.resolved_at is not None and incident.incident in open_before:
            log.info(
                "resolved",
                room=session.room,
                sid=session.sid,
                agent=placement.agent_name,
                cause=incident.cause,
                lasted_s=round(incident.resolved_at - incident.opened_at, 3),
            )
