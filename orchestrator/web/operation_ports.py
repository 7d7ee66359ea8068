"""What the routes of operators need of the rest. Every method raises StoreUnavailable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.audit import AuditEntry, Deed
from orchestrator.core.facts import Fact, RoomOpened
from orchestrator.runtime.ports import Appended, Clock
from orchestrator.web.sessions import SessionReader


class Wishes(Protocol):
    async def wish(self, opening: RoomOpened, facts: Sequence[Fact], *, key: str | None) -> Appended:
        """Store what is asked for; once, however often it comes with the same key."""
        ...


class Breakers(Protocol):
    async def welcome(self, agent_name: str) -> None:
        """Close the breaker of this name."""
        ...


class Audit(Protocol):
    async def add(self, deed: Deed) -> None: ...

    async def page(self, *, cursor: str | None, limit: int) -> tuple[tuple[AuditEntry, ...], str | None]:
        """Raises ValueError for a cursor that it has not given out."""
        ...


@dataclass(frozen=True, slots=True)
class OperationParts:
    store: SessionReader
    wishes: Wishes
    breakers: Breakers
    audit: Audit
    clock: Clock
