"""Changing frozen records: replacing one placement, one attempt, one agent; writing the timeline within its bounds."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Source
from orchestrator.core.naming import spelled
from orchestrator.core.placement import KEPT_ATTEMPTS, Attempt, Incident, Placement
from orchestrator.core.session import (
    KEPT_GONE_AGENTS,
    KEPT_RETIRED,
    KEPT_TIMELINE,
    KEPT_WARNINGS,
    Agent,
    Session,
    TimelineEntry,
)

T = TypeVar("T")


def note(
    session: Session,
    at: float,
    event: str,
    source: Source,
    *,
    agent_name: str | None = None,
    attempt: int | None = None,
    dispatch_id: str | None = None,
    identity: str | None = None,
    cause: Cause | None = None,
    detail: str | None = None,
) -> Session:
    """Write one line of the timeline. Of a long one the first and the last lines are kept."""
    entry = TimelineEntry(at, event, source, agent_name, attempt, dispatch_id, identity, cause, detail)
    return replace(
        session,
        timeline=_append_bounded(session.timeline, entry, KEPT_TIMELINE),
        timeline_total=session.timeline_total + 1,
    )


def with_placement(session: Session, placement: Placement) -> Session:
    return replace(
        session,
        placements=tuple(placement if p.agent_name == placement.agent_name else p for p in session.placements),
    )


def with_attempt(placement: Placement, attempt: Attempt) -> Placement:
    return replace(placement, attempts=tuple(attempt if a.number == attempt.number else a for a in placement.attempts))


def add_attempt(placement: Placement, attempt: Attempt) -> Placement:
    return replace(
        placement,
        attempts=_append_bounded(placement.attempts, attempt, KEPT_ATTEMPTS),
        attempts_total=placement.attempts_total + 1,
    )


def without_attempt(placement: Placement, attempt: Attempt) -> Placement:
    return replace(
        placement,
        attempts=tuple(a for a in placement.attempts if a.number != attempt.number),
        attempts_total=placement.attempts_total - 1,
    )


def with_agent(session: Session, agent: Agent) -> Session:
    """Put an agent in, by its participant sid. Those present are all kept; of those gone, the newest."""
    others = [a for a in session.agents if a.participant_sid != agent.participant_sid]
    gone = [a for a in others if not a.present][-KEPT_GONE_AGENTS:]
    kept = {a.participant_sid for a in gone}
    return replace(session, agents=(*(a for a in others if a.present or a.participant_sid in kept), agent))


def retire(session: Session, identities: Iterable[str | None]) -> Session:
    """Put identities on the retired list; whoever serves a placement is never put there."""
    serving = {p.identity for p in session.placements if p.identity is not None}
    new = [i for i in identities if i and i not in session.retired and i not in serving]
    return replace(session, retired=(*session.retired, *new)[-KEPT_RETIRED:]) if new else session


def pardon(session: Session, identity: str) -> Session:
    return replace(session, retired=tuple(i for i in session.retired if i != identity))


def resolved(incidents: tuple[Incident, ...], now: float) -> tuple[Incident, ...]:
    return tuple(i if i.resolved_at is not None else replace(i, resolved_at=now) for i in incidents)


def warn(session: Session, warning: str) -> Session:
    """Tell people, once. Beyond so many nobody reads them, and agents may say what they like."""
    return replace(session, warnings=(*session.warnings, warning)) if is_new_warning(session, warning) else session


def is_new_warning(session: Session, warning: str) -> bool:
    return warning not in session.warnings and len(session.warnings) < KEPT_WARNINGS


def agent_says(agent_name: str | None, warning: str) -> str:
    """An agent's own warning, as people read it on the session."""
    return f"{spelled(agent_name or '')} says: {warning}"


def _append_bounded(items: tuple[T, ...], item: T, kept: int) -> tuple[T, ...]:
    if len(items) < 2 * kept:
        return (*items, item)
    return (*items[:kept], *items[kept + 1 :], item)
