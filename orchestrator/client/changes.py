"""What has changed from one look at the sessions to the next: one line each."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from rich.text import Text

from orchestrator.client.answers import Session
from orchestrator.client.printing import STYLES
from orchestrator.client.text import agent, clock, printable, room


@dataclass(frozen=True, slots=True)
class Change:
    at: datetime
    room: str
    sid: str
    was: str | None
    """The state before; None for a session that is new."""
    state: str
    verdict: str

    def json(self) -> dict[str, object]:
        return {**asdict(self), "at": self.at.isoformat()}

    def line(self) -> Text:
        state = Text(self.state, STYLES.get(self.state, ""))
        if self.was is not None and self.was != self.state:
            state = Text.assemble((f"{self.was} -> ", "dim"), state)
        return Text.assemble(
            (clock(self.at)[:-4], "dim"), "  ", (room(self.room), "bold"), "  ", state, "  ", printable(self.verdict)
        )


def changes(before: Mapping[str, Session], after: Mapping[str, Session]) -> Iterator[Change]:
    """In the order in which they happened."""
    for session in sorted(after.values(), key=lambda s: s.updated_at):
        known = before.get(session.sid)
        if known is None or _told(known) != _told(session):
            was = None if known is None else known.state
            at = max(session.updated_at, session.started_at)
            yield Change(at, session.room, session.sid, was, session.state, session.verdict)


def _told(session: Session) -> tuple[object, ...]:
    """What a change of is worth a line. Verdicts count seconds, and are no change by themselves."""
    placements = tuple((agent(p.agent_name), p.state, p.cause, p.served_by, p.attempts_total) for p in session.placements)
    return session.state, session.outcome, placements
