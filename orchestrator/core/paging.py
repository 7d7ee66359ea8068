"""When the alerts of many rooms are one page: what is told of a group of them, and when.

A group is what shares type, cause and agent. Its page begins a few seconds after the first incident, with all that there
are by then; a single one is told as it is. While the page is open, what comes is told now and then, as a new count. The
page ends when nothing of it is open any more. A silenced incident is in no page before its silence is over.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orchestrator.core.causes import Cause

MOST_LISTED: Final = 1_000
"""Incidents that one message names; it counts all."""

RECONSIDER: Final = 60.0
"""Seconds at the most for which a silence is believed unseen: who ends one may die before all that it held is due again."""

UNTOLD_LOOK: Final = 2.0
"""Seconds between two looks whether the sink has accepted what the page said last: nothing is said before."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """How a sink groups. In seconds."""

    wait: float
    """From the first incident to its page."""
    interval: float
    """At the least between two counts of a page."""


@dataclass(frozen=True, slots=True)
class GroupName:
    """What the incidents of a group share."""

    type: str
    cause: Cause | None
    agent_name: str

    def __str__(self) -> str:
        return f"{self.type}:{self.cause or ''}:{self.agent_name}"

    @classmethod
    def parse(cls, name: str) -> "GroupName":
        kind, cause, agent_name = name.split(":", 2)
        return cls(kind, Cause(cause) if cause in set(Cause) else None, agent_name)


@dataclass(frozen=True, slots=True)
class Page:
    """What was told last of a group that is open at a sink."""

    lead: str
    """The incident with which it began, under which it is told."""
    since: float
    told_at: float
    last: str
    """The id of the message."""
    listed: tuple[str, ...]
    """The incidents that it named."""
    number: int = 1
    """How many messages there were."""
    total: int = 1
    """Incidents that were told, those included that are over."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """An open incident of which the sink has not been told."""

    since: float
    room: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """A group at one sink."""

    page: Page | None
    fresh: Mapping[str, Fresh]
    told: tuple[str, ...]
    """Incidents that were told and are open, the oldest first; no more than are listed."""
    told_count: int
    waits: bool
    """Whether the sink has not yet accepted what the page said last."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Say nothing, and look again then; None: when something happens."""

    until: float | None


@dataclass(frozen=True, slots=True)
class Tell:
    """Say that these incidents are open, too; the oldest first."""

    incidents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class End:
    """Say that nothing of the page is open any more."""


Step = Wait | Tell | End


def decide(gathered: Gathered, silenced: Mapping[str, float], grouping: Grouping, now: float) -> Step:
    """What is to be said of a group. `silenced`: of its fresh incidents those that are, and until when."""
    page, fresh = gathered.page, gathered.fresh
    loud = tuple(sorted(fresh.keys() - silenced.keys(), key=lambda incident: (fresh[incident].since, incident)))
    if page is None:
        return Tell(loud) if loud else Wait(reconsidered(silenced, now))
    if not loud and gathered.told_count:
        return Wait(reconsidered(silenced, now))
    if loud and now < page.told_at + grouping.interval:
        return Wait(page.told_at + grouping.interval)
    if gathered.waits:
        return Wait(now + UNTOLD_LOOK)
    return Tell(loud) if loud else End()


def reconsidered(silenced: Mapping[str, float], now: float) -> float | None:
    """When to look again at what silences keep back; None: there is nothing."""
    return min(*silenced.values(), now + RECONSIDER) if silenced else None
