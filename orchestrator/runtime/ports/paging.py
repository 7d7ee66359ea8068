"""What sinks that group were told, and were not: the port of the pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.paging import Gathered, Page
from orchestrator.runtime.ports.surroundings import Alert


@dataclass(frozen=True, slots=True)
class GroupLook:
    """A group at a sink, as it was at one moment."""

    sink: str
    group: str
    version: str
    gathered: Gathered


@dataclass(frozen=True, slots=True)
class GroupMessage:
    """What is said of a group."""

    page: Page | None
    """None: it is over."""
    message: str
    """Its id."""
    alert: Alert | None = None
    """None: an alert of this id is kept already."""
    first: Sequence[str] = ()
    """The incidents that are told for the first time."""


class GroupPages(Protocol):
    """Over all replicas. Raises StoreUnavailable."""

    async def due(self, sink: str, now: float) -> Sequence[str]:
        """The groups of a sink that are to be looked at."""
        ...

    async def look(self, sink: str, group: str) -> GroupLook:
        """Raises StoreCorrupt for a page that a newer replica wrote."""
        ...

    async def commit(self, looked: GroupLook, said: GroupMessage | None, *, look_at: float | None, held: int) -> bool:
        """Queue what is said, and look at the group again then (None: when something happens).

        `held`: how many of its incidents silences keep back. False: something has changed since it was looked at, and
        nothing was done; the group is due still.
        """
        ...
