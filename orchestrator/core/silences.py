"""Which alerts are meant: what a sink is to hear of, and what an operator wants to hear nothing of for a while.

A silence keeps an alert from being told for the first time. Nobody loses it: it is told when the silence is over, if it
still stands then; and who was told of it before hears of its end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Protocol

from orchestrator.core.alerts import AlertType
from orchestrator.core.causes import Cause
from orchestrator.core.patterns import glob

LONGEST: Final = 30 * 86_400
"""Seconds for which a silence may last. Whoever wants longer changes what the sink is told (`match`)."""

_GLOBS: Final = 4_096
"""Compiled patterns that are remembered."""


class Told(Protocol):
    """What of an alert it can be told by."""

    @property
    def type(self) -> str: ...

    @property
    def agent_name(self) -> str | None: ...

    @property
    def room(self) -> str | None: ...

    @property
    def cause(self) -> Cause | None: ...

    @property
    def route(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class AlertMatch:
    """Each that is written must hold, by one of its values. The rest are globs; an alert without such a name matches none."""

    type: tuple[AlertType, ...] | None = None
    agent: tuple[str, ...] | None = None
    room: tuple[str, ...] | None = None
    cause: tuple[Cause, ...] | None = None
    route: tuple[str, ...] | None = None

    def matches(self, alert: Told) -> bool:
        return (
            (self.type is None or alert.type in self.type)
            and (self.cause is None or alert.cause in self.cause)
            and (self.agent is None or _any(self.agent, alert.agent_name))
            and (self.room is None or _any(self.room, alert.room))
            and (self.route is None or _any(self.route, alert.route))
        )

    def __str__(self) -> str:
        written = (("type", self.type), ("room", self.room), ("agent", self.agent), ("cause", self.cause))
        return " ".join(f"{name}={','.join(values)}" for name, values in written if values is not None)


@dataclass(frozen=True, slots=True)
class Silence:
    """Times are Unix seconds of the store's clock."""

    id: str
    match: AlertMatch
    starts_at: float
    ends_at: float
    reason: str = ""
    by: str = ""
    """Who asked for it."""

    def active(self, now: float) -> bool:
        return now < self.ends_at


def silencing(silences: Iterable[Silence], alert: Told, now: float) -> Silence | None:
    """Of the silences that keep this alert from being told the one that lasts longest. A Watchdog is never silenced."""
    if alert.type == AlertType.WATCHDOG:
        return None
    found = (silence for silence in silences if silence.active(now) and silence.match.matches(alert))
    return max(found, key=lambda silence: silence.ends_at, default=None)


_glob = lru_cache(_GLOBS)(glob)


def _any(globs: tuple[str, ...], name: str | None) -> bool:
    return name is not None and any(_glob(text).match(name) is not None for text in globs)
