"""The workers that announce themselves."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from orchestrator.core.fleet import Announcement, Fleet


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

    async def look(self, joined: Mapping[str, float]) -> Fleet:
        """All there is to know. `joined`, to be remembered first: by agent name when an agent of it was verified."""
        ...
