"""Sessions as a table: one line each, the worst placement first."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from rich.table import Table
from rich.text import Text

from orchestrator.client.answers import Placement, Session
from orchestrator.client.printing import STYLES, fit, table
from orchestrator.client.text import NOTHING, age, agent, room

_WORST_FIRST: Final = ("unverified", "lost", "dispatching", "waiting", "verified", "ended", "cancelled")


def session_table(sessions: Iterable[Session], now: datetime, width: int) -> Table:
    made = table("ROOM", "STATE", "AGENTS", "TRIES", "AGE", "PEOPLE", "PROOF", "CAUSE")
    for session in sessions:
        placements = worst_first(session)
        made.add_row(
            room(session.room),
            Text(session.state, STYLES.get(session.state, "")),
            ", ".join(agent(p.agent_name) for p in placements) or NOTHING,
            str(sum(p.attempts_total for p in placements)),
            age(session.started_at, now),
            str(session.people),
            _proof(placements),
            next((p.cause for p in placements if p.cause), NOTHING),
        )
    return fit(made, width, "ROOM", "AGENTS", "CAUSE")


def worst_first(session: Session) -> list[Placement]:
    return sorted(session.placements, key=lambda p: _WORST_FIRST.index(p.state) if p.state in _WORST_FIRST else -1)


def _proof(placements: list[Placement]) -> str:
    """How sure it is of the worst one."""
    return placements[0].proof if placements else NOTHING
