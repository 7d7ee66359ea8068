"""What the routes on which an agent is added, taken out or switched need of the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from orchestrator.core.audit import Deed
from orchestrator.core.facts import Fact, RoomOpened, Routed
from orchestrator.runtime.intake import Intake
from orchestrator.runtime.ports import Clock
from orchestrator.web.callers import Caller
from orchestrator.web.placing import Placements
from orchestrator.web.sessions import SessionReader


class Rooms(Protocol):
    async def opening(self, name: str) -> tuple[RoomOpened, bool]:
        """The live room of this name, created if there is none, and whether there was. Raises LiveKitError."""
        ...


class SessionStore(SessionReader, Protocol):
    async def expect(self, room: str, facts: Sequence[Fact]) -> None:
        """Keep these facts for a session of this room that is about to be opened. Raises StoreUnavailable."""
        ...


class Repeats(Protocol):
    async def is_new(self, key: str) -> bool:
        """Raises StoreUnavailable."""
        ...


class Doorkeeper(Protocol):
    """Of callers who are no operators. Both methods raise Refused."""

    async def caller(self, request: web.Request) -> Caller: ...

    def allow_agent(self, caller: Caller, room: str) -> None: ...


class Audit(Protocol):
    async def add(self, deed: Deed) -> None:
        """Raises StoreUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class CommandParts:
    store: SessionStore
    route: Callable[[str, str], Routed]
    doorkeeper: Doorkeeper
    intake: Intake
    rooms: Rooms
    repeats: Repeats
    placement: Placements
    audit: Audit
    clock: Clock
