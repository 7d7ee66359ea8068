"""A session as a line of the screen's list: the least that tells whether somebody must look."""

from orchestrator.core.causes import Cause
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Outcome, Session, SessionState
from orchestrator.core.verdict import served_by, verdict
from orchestrator.web.answers import View
from orchestrator.web.session_view import shown_warnings
from orchestrator.web.times import Time


class RowPlacement(View):
    """One agent that the session must have."""

    agent_name: str
    state: PlacementState
    proof: str
    cause: Cause | None
    attempts_total: int
    served_by: str | None
    verified_at: Time | None
    deadline_at: Time
    pulse_at: Time | None
    """The last answer that was written down, which is at least every 30 s."""


class Row(View):
    """One session."""

    room: str
    sid: str
    state: SessionState
    outcome: Outcome | None
    verdict: str
    """As of `updated_at`."""
    started_at: Time
    updated_at: Time
    ended_at: Time | None
    people: int
    warnings: int
    """How many there are."""
    placements: tuple[RowPlacement, ...]


class Summary(View):
    """All sessions in a line."""

    live: int
    by_state: dict[SessionState, int]
    """Of `ended`: those that are shown, of the last ten minutes."""
    incidents_open: int
    paused: tuple[str, ...]
    """Agent names."""
    warnings: tuple[str, ...]
    """Why this replica is not ready, and what else a person should know of it."""
    version: str


def row_of(session: Session) -> Row:
    return Row(
        room=session.room,
        sid=session.sid,
        state=session.state,
        outcome=session.outcome,
        verdict=verdict(session, session.updated_at),
        started_at=session.started_at,
        updated_at=session.updated_at,
        ended_at=session.ended_at,
        people=session.people,
        warnings=len(shown_warnings(session)),
        placements=tuple(_placement(session, placement) for placement in session.placements),
    )


def _placement(session: Session, placement: Placement) -> RowPlacement:
    agent = session.agent_of(placement)
    return RowPlacement(
        agent_name=placement.agent_name,
        state=placement.state,
        proof=placement.proof.label,
        cause=placement.cause,
        attempts_total=placement.attempts_total,
        served_by=served_by(placement),
        verified_at=placement.verified_at,
        deadline_at=placement.deadline_at,
        pulse_at=None if agent is None else agent.answered_at,
    )
