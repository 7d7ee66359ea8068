"""Text as a terminal may have it, and times as people read them."""

from datetime import UTC, datetime
from typing import Final

from orchestrator.core.durations import spoken
from orchestrator.core.naming import spelled

NOTHING: Final = "-"

_MINUTE: Final = 60.0


def printable(text: str) -> str:
    """Names and messages come from outside: none may move the cursor, colour the screen or turn the line around."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def agent(name: str) -> str:
    return spelled(printable(name))


def room(name: str) -> str:
    """LiveKit allows a room whose name is empty."""
    return printable(name) or NOTHING


def clock(at: datetime) -> str:
    """The time of day, to the millisecond: a page says the day once."""
    return at.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]


def moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def gap(before: datetime, after: datetime) -> str:
    """From one step to the next: `+0.004 s`, `+2 min 3 s`. A clock of somebody else may make it negative."""
    seconds = (after - before).total_seconds()
    if abs(seconds) < _MINUTE:
        return f"{seconds:+.3f} s"
    return f"{'-' if seconds < 0 else '+'}{spoken(abs(seconds))}"


def age(at: datetime, now: datetime) -> str:
    """As a column of a table has it, in two units at the most: `45s`, `3m2s`, `2h5m`, `3d4h`."""
    seconds = max(int((now - at).total_seconds()), 0)
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return f"{days}d{hours % 24}h"
    if hours:
        return f"{hours}h{minutes % 60}m"
    return f"{minutes}m{seconds % 60}s" if minutes else f"{seconds}s"


def ago(at: datetime, now: datetime) -> str:
    """In one unit or two: `45.0 s`, `3 min 2 s`."""
    return spoken((now - at).total_seconds())
