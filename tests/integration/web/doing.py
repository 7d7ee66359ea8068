"""The routes on which something is done to sessions, on the model of the store: what is appended is what is read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from orchestrator.configuration.entries import AgentEntry
from orchestrator.configuration.requests import requested_placement
from orchestrator.configuration.token import TokenEntry
from orchestrator.core.facts import Fact, RoomOpened, Routed
from orchestrator.core.policy import Policy
from orchestrator.core.session import Session
from orchestrator.core.transcript import Said
from orchestrator.runtime.intake import Intake
from orchestrator.runtime.ports import LiveKitError
from orchestrator.web.admission import Admission
from orchestrator.web.attempts import Attempts
from orchestrator.web.auth import Bearers
from orchestrator.web.callers import Callers
from orchestrator.web.command_ports import CommandParts
from orchestrator.web.commands import Commands
from orchestrator.web.cors import Cors
from orchestrator.web.operation_ports import OperationParts
from orchestrator.web.operation_table import operation_routes
from orchestrator.web.ratelimit import RateLimit
from orchestrator.web.server import build_app
from orchestrator.web.session_table import session_routes
from orchestrator.web.token_rules import Rules
from orchestrator.web.transcripts import TranscriptDoor
from tests.fakes.store import Line, MemoryAudit, MemoryStore, Server
from tests.integration.web.door import NOW, TOKENS, StillClock

LARGEST_METADATA = 1_000
RATE = 0.1
PAGE = "https://app.example"
"""The page that may ask."""

AGENTS = {
    "mary": AgentEntry(metadata={"persona": "mary", "team": "{team}"}, fallback=("ann",)),
    "tom": AgentEntry(metadata={"persona": "tom", "room": "{room}"}),
    "ann": AgentEntry(),
    "": AgentEntry(),
}


class OneRoom:
    """The rooms of LiveKit: each is made when it is asked for, or was there."""

    def __init__(self) -> None:
        self.existed = False
        self.fails: LiveKitError | None = None
        self.webhook: Callable[[RoomOpened], Awaitable[None]] | None = None
        """Comes before the answer to who has the room made."""

    async def opening(self, name: str) -> tuple[RoomOpened, bool]:
        if self.fails is not None:
            raise self.fails
        opening = RoomOpened(name, "RM_made", NOW)
        if self.webhook is not None:
            await self.webhook(opening)
        return opening, self.existed


class Remembered:
    """Keys of requests, in memory."""

    def __init__(self) -> None:
        self._keys: set[str] = set()

    async def is_new(self, key: str) -> bool:
        new = key not in self._keys
        self._keys.add(key)
        return new


class Notes:
    """Transcripts, in memory, as the store keeps them."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._said: dict[str, dict[str, Said]] = {}

    async def add(self, sid: str, items: Sequence[Said]) -> bool:
        if await self._store.read(sid) is None:
            return False
        for item in items:
            self._said.setdefault(sid, {}).setdefault(item.item_id, item)
        return True

    async def read(self, sid: str) -> tuple[Said, ...]:
        return tuple(sorted(self._said.get(sid, {}).values(), key=lambda item: item.at))


class Breakers:
    """Of which agent names the breaker was closed."""

    def __init__(self) -> None:
        self.closed: list[str] = []

    async def welcome(self, agent_name: str) -> None:
        self.closed.append(agent_name)


class Doing:
    """The application, what it appends to, and the LiveKit that it makes rooms in."""

    def __init__(self) -> None:
        clock = StillClock()
        bearers = Bearers(TOKENS, dev=False)
        rules = Rules(TokenEntry(rooms="support-*"), random=lambda: "made-up")
        self.store = MemoryStore(Line(Server(clock)))
        self.audit = MemoryAudit(self.store.line)
        self.breakers = Breakers()
        self.rooms = OneRoom()
        self.routed = Routed((), "routes[0]")
        self.intake = Intake(self.store, "r1", wake=lambda _sid, _loaded: None)
        parts = CommandParts(
            store=self.store,
            route=lambda _room, _metadata: self.routed,
            doorkeeper=Admission(Callers(bearers, None), RateLimit(RATE, clock), rules),
            intake=self.intake,
            rooms=self.rooms,
            repeats=Remembered(),
            placement=partial(requested_placement, AGENTS, Policy(), LARGEST_METADATA),
            audit=self.audit,
            clock=clock,
        )
        transcripts = TranscriptDoor(self.store, Notes(self.store))
        routes = session_routes(Commands(parts), Attempts(self.store), transcripts, Cors([PAGE], dev=False))
        operations = operation_routes(OperationParts(self.store, self.intake, self.breakers, self.audit, clock))
        self.app = build_app((*routes, *operations), bearers=bearers, version="1.2.3")

    async def tell(self, opening: RoomOpened, *facts: Fact) -> None:
        """What LiveKit, or the owner, has told of a session."""
        await self.intake.receive(opening, facts, event_id=None)

    async def session(self, sid: str) -> Session:
        session = await self.store.read(sid)
        assert session is not None
        return session
