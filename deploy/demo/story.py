"""A session's JSON in, the lines that are new in its timeline out; times count from the room's start."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import Any, Final

Json = Mapping[str, Any]


class Tone(Enum):
    """How a line is meant."""

    PLAIN = auto()
    GOOD = auto()
    BAD = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the story."""

    after: float
    """Seconds since LiveKit made the room."""
    event: str
    details: str
    tone: Tone


_NAMES: Final = {"dispatch_accepted": "dispatched", "agent_joined": "joined"}
"""In the words of the README; every other event says its own name."""

_LEFT_OUT: Final = frozenset({"routed", "dispatch_requested"})
"""What a newcomer need not know to follow: the route, and a request that is answered a few milliseconds later."""

_TONES: Final = {
    "verified": Tone.GOOD,
    "unverified": Tone.BAD,
    "attempt_ended": Tone.BAD,
    "agent_aborted": Tone.BAD,
    "lost": Tone.BAD,
}


class Story:
    """Remembers what was told, for the timeline is read again and again."""

    def __init__(self) -> None:
        self._told: set[tuple[object, ...]] = set()

    def new_lines(self, session: Json) -> Iterator[Line]:
        """What the timeline holds that was not told yet, by time."""
        began = datetime.fromisoformat(session["started_at"])
        for entry in session["timeline"]:
            identity = tuple(sorted(entry.items()))
            if identity in self._told:
                continue
            self._told.add(identity)
            event = entry["event"]
            if event not in _LEFT_OUT:
                after = (datetime.fromisoformat(entry["at"]) - began).total_seconds()
                name = _NAMES.get(event, event.replace("_", " "))
                # The service's clock and LiveKit's are read apart: nothing happens before the room.
                yield Line(max(after, 0.0), name, _details(entry, session), _TONES.get(event, Tone.PLAIN))


def _details(entry: Json, session: Json) -> str:
    if entry["event"] == "verified":
        return f"in {_time_to_agent(entry, session)} ms, by LiveKit's own word"
    attempt = entry.get("attempt")
    parts = (
        entry.get("agent_name"),
        f"attempt {attempt}" if attempt is not None else None,
        entry.get("dispatch_id"),
        entry.get("identity"),
        entry.get("cause"),
        entry.get("detail"),
    )
    return ", ".join(part for part in parts if part)


def _time_to_agent(entry: Json, session: Json) -> int | None:
    mine = (one for one in session["placements"] if one["agent_name"] == entry.get("agent_name"))
    return next((one["time_to_agent_ms"] for one in mine), None)
