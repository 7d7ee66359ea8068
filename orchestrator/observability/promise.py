"""What Rollcall is measured by: people in a room have their agent within five seconds.

Judged once per placement, from its record alone, so that it is all the same which replica looks, and how often one was
restarted. It is judged when the agent is there or, at the latest, when an attempt has ended too late: nobody counts seconds.
"""

from typing import Final

from orchestrator.core.facts import Source
from orchestrator.core.placement import Placement
from orchestrator.core.session import Session

IN_TIME: Final = 5.0
"""Seconds from when an agent was wanted and somebody was there to miss it."""

KEPT: Final = "in_time"
BROKEN: Final = "late"


def judged(session: Session, placement: Placement) -> str | None:
    """KEPT, BROKEN, or None: not known yet, or there was nobody to miss the agent."""
    if not session.had_people:
        return None
    due = _missed_since(session, placement) + IN_TIME
    if placement.time_to_agent_ms is not None:
        return KEPT if placement.first_wanted_at + placement.time_to_agent_ms / 1000 <= due else BROKEN
    ends = (attempt.ended_at for attempt in placement.attempts if attempt.cause is not None)
    late = any(at is not None and at > due for at in ends)
    return BROKEN if late or any(incident.opened_at > due for incident in placement.incidents) or _ended(session, due) else None


def _missed_since(session: Session, placement: Placement) -> float:
    """The timeline keeps its first lines: who came first is among them, or came long after the agent was wanted."""
    came_at = next((line.at for line in session.timeline if line.event == "participant_joined"), 0.0)
    return max(placement.first_wanted_at, came_at)


def _ended(session: Session, due: float) -> bool:
    """Whether the room ended, by LiveKit's word, after people had waited for too long."""
    return session.ended_at is not None and session.ended_by is Source.WEBHOOK and session.ended_at > due
