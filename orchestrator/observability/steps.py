"""The finished steps of a session, from its record alone: which of them there are, and when each began and ended.

Which replica looks, and how often one was restarted, makes no difference: the same record gives the same steps.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from orchestrator.core import causes
from orchestrator.core.naming import spelled
from orchestrator.core.placement import Attempt, Placement
from orchestrator.core.session import Outcome, Session

Path = tuple[str, ...]
"""Where a step stands in its session. Its span's id is made of it."""

SESSION: Final[Path] = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened in the course of a step."""

    name: str
    at: float
    told: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Step:
    """Times are Unix seconds of the store's clock."""

    path: Path
    name: str
    begun_at: float
    ended_at: float
    told: Mapping[str, str | int | bool] = field(default_factory=dict)
    error: str | None = None
    """Why it failed, in a sentence."""
    moments: tuple[Moment, ...] = ()

    @property
    def within(self) -> Path | None:
        """The step that it is a part of."""
        return _within(self.path)


def attempt_path(placement: str, number: int) -> Path:
    return (placement, str(number))


def steps_of(session: Session) -> Iterator[Step]:
    """Every step that is over; the session itself comes last, when it has ended."""
    for placement in session.placements:
        for attempt in placement.attempts:
            yield from _steps_of_attempt(session, placement, attempt)
    if session.ended_at is not None and session.routed:  # what ended before its routes were asked has no outcome yet
        yield _whole(session, session.ended_at)


def _within(path: Path) -> Path | None:
    if path == SESSION:
        return None
    return SESSION if len(path) == len(attempt_path("", 0)) else path[:-1]


def _whole(session: Session, ended_at: float) -> Step:
    outcome = session.outcome or Outcome.ABANDONED
    moments = tuple(
        Moment("unverified", incident.opened_at, {"rollcall.agent": p.agent_name, "rollcall.cause": incident.cause.value})
        for p in session.placements
        for incident in p.incidents
    )
    return Step(
        SESSION,
        "session",
        min(session.started_at, session.opened_at),  # LiveKit's clock may be ahead of the store's
        ended_at,
        {"rollcall.outcome": outcome.value},
        "a room without its agent" if outcome is Outcome.UNVERIFIED else None,
        moments,
    )


def _steps_of_attempt(session: Session, placement: Placement, attempt: Attempt) -> Iterator[Step]:
    path = attempt_path(placement.agent_name, attempt.number)
    begun_at, accepted_at, joined_at = attempt.requested_at, attempt.accepted_at, attempt.joined_at
    if accepted_at is not None and attempt.ours:
        yield _step(path, "dispatch", begun_at, accepted_at)
    job_at = _job_seen_at(session, attempt)
    # Servers that tell of no jobs list them late, and are looked at later still: then the agent is what shows its job.
    if job_at is not None and (joined_at is None or job_at <= joined_at):
        yield _step(path, "job", accepted_at or begun_at, job_at)
    if joined_at is not None:
        yield _step(path, "joined", begun_at, joined_at)
        if attempt.answered_at is not None:
            yield _step(path, "first_pulse", joined_at, attempt.answered_at)
        if attempt.ended_at is not None:
            yield _step(path, "serving", joined_at, attempt.ended_at, _failure(attempt))
    over_at = joined_at if joined_at is not None else attempt.ended_at
    if over_at is not None:
        name = f"attempt {spelled(attempt.agent_name)}"
        error = _failure(attempt) if joined_at is None else None
        yield Step(path, name, begun_at, over_at, _told_of(placement, attempt), error)


def _step(path: Path, name: str, begun_at: float, ended_at: float, error: str | None = None) -> Step:
    return Step((*path, name), name, begun_at, max(begun_at, ended_at), error=error)


def _told_of(placement: Placement, attempt: Attempt) -> dict[str, str | int | bool]:
    told: dict[str, str | int | bool | None] = {
        "rollcall.agent": attempt.agent_name,
        "rollcall.placement": placement.agent_name,
        "rollcall.attempt": attempt.number,
        "rollcall.adopted": attempt.adopted,
        "rollcall.dispatch_id": attempt.dispatch_id,
        "rollcall.job_id": attempt.job_id,
        "rollcall.identity": attempt.identity,
        "rollcall.cause": attempt.cause.value if attempt.cause is not None else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _failure(attempt: Attempt) -> str | None:
    return causes.sentence(attempt.cause, attempt.agent_name) if attempt.cause is not None else None


def _job_seen_at(session: Session, attempt: Attempt) -> float | None:
    """When LiveKit first showed the attempt's job: the timeline has it."""
    if attempt.dispatch_id is None:
        return None
    seen = (e.at for e in session.timeline if e.dispatch_id == attempt.dispatch_id and e.event.startswith("job_"))
    return next(seen, None)
