"""The workers that announce themselves."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from orchestrator.core.fleet import Announcement, Fleet, Tally


class Announced(StrEnum):
    KNOWN = "known"
    """Live already, and nothing that those who wait could use is new."""
    ARRIVED = "arrived"
    """It has room, and was not live before, or nobody of its name had room: every replica has been told."""
    TOO_MANY_WORKERS = "too_many_workers"
    """Nothing was stored: so many are live already, of this name or of all."""
    TOO_MANY_NAMES = "too_many_names"
    """Nothing was stored: so many names are remembered already."""


class Workers(Protocol):
    """Which workers have announced themselves, to any replica. Raises StoreUnavailable."""

    async def announce(self, announcement: Announcement) -> Announced:
        """Store what a worker says of itself. It stands for ANNOUNCED_FOR."""
        ...

    async def withdraw(self, worker_id: str) -> None:
        """The worker is gone; nothing to do when it is not known. Its name is remembered."""
        ...

    async def look(self) -> Fleet:
        """All there is to know."""
        ...

    async def tell(self, replica: str, joined: Mapping[str, float], tallies: Mapping[str, Tally]) -> None:
        """What a replica sees of agents, whether their workers announce themselves or not; all by agent name.

        `joined`: when an agent was verified; the newest time counts. `tallies`: of the sessions that it drives; they
        stand for TALLIED seconds, and those of all replicas are added.
        """
        ...
