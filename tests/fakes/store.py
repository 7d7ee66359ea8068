"""The store's contract in memory: sessions, slots, leases and the outbox of one test."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Fact, PersonJoined, PersonLeft, RoomOpened
from orchestrator.core.session import Session, SessionState
from orchestrator.core.transitions import fold
from orchestrator.runtime.ports import (
    Alert,
    Appended,
    AppendReply,
    Clock,
    Committed,
    Delivered,
    Loaded,
    Page,
    SlotEnd,
    SlotReply,
    StoreUnavailable,
)


@dataclass
class _Stored:
    opening: RoomOpened
    owner: str
    epoch: int = 1
    record: Session | None = None
    inbox: list[Delivered] = field(default_factory=list)
    people: dict[str, bool] = field(default_factory=dict)
    events: set[str] = field(default_factory=set)


class MemoryStore:
    """Everything in dictionaries; `down` makes every call fail as an absent Redis does."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.stored: dict[str, _Stored] = {}
        self.buried: set[str] = set()
        self.down = False
        self.wakes: Callable[[str, str], None] = lambda owner, sid: None

    def _reach(self) -> None:
        if self.down:
            raise StoreUnavailable("down")

    async def append(self, opening: RoomOpened, facts: Sequence[Fact], *, event_id: str | None, replica: str) -> AppendReply:
        self._reach()
        if opening.sid in self.buried:
            return AppendReply(Appended.IGNORED, "")
        stored = self.stored.get(opening.sid)
        if stored is None:
            stored = self.stored[opening.sid] = _Stored(opening, replica)
            stored.inbox.append(Delivered(opening, self._clock.now()))
        if event_id is not None and event_id in stored.events:
            return AppendReply(Appended.DUPLICATE, stored.owner)
        if event_id is not None:
            stored.events.add(event_id)
        for fact in facts:
            stored.inbox.append(Delivered(_counted(stored, fact), self._clock.now()))
        self.wakes(stored.owner, opening.sid)
        return AppendReply(Appended.STORED, stored.owner)

    async def take(self, sid: str, replica: str, *, from_owner: str | None) -> Loaded | None:
        self._reach()
        stored = self.stored.get(sid)
        if stored is None or stored.owner != (from_owner or replica):
            return None
        stored.owner, stored.epoch = replica, stored.epoch + 1
        return Loaded(stored.record, tuple(stored.inbox), replica, stored.epoch)

    async def inbox(self, sid: str) -> tuple[Delivered, ...]:
        self._reach()
        return tuple(self.stored[sid].inbox)

    async def commit(self, session: Session, *, epoch: int, trim: int) -> Committed:
        self._reach()
        stored = self.stored[session.sid]
        if stored.epoch != epoch:
            return Committed.SUPERSEDED
        stored.record = session
        del stored.inbox[:trim]
        return Committed.COMMITTED

    async def read(self, sid: str) -> Session | None:
        self._reach()
        stored = self.stored.get(sid)
        if stored is None:
            return None
        session = stored.record
        for delivered in stored.inbox:
            session = fold(session, delivered.fact, delivered.at)
        return session

    async def find(self, room_or_sid: str) -> str | None:
        self._reach()
        if room_or_sid in self.stored:
            return room_or_sid
        of_name = [s.opening for s in self.stored.values() if s.opening.room == room_or_sid]
        return max(of_name, key=lambda o: o.started_at).sid if of_name else None

    async def near_names(self, room: str) -> tuple[str, ...]:
        return ()

    async def page(
        self,
        *,
        state: SessionState | None,
        agent_name: str | None,
        cause: Cause | None,
        older_than: float | None,
        cursor: str | None,
        limit: int,
    ) -> Page:
        sessions = [s for sid in self.stored if (s := await self.read(sid)) and state in (None, s.state)]
        return Page(tuple(sessions[:limit]), None)

    async def bury(self, sid: str) -> None:
        self._reach()
        self.buried.add(sid)
        self.stored.pop(sid, None)

    async def now(self) -> float:
        self._reach()
        return self._clock.now()

    async def ping(self) -> None:
        self._reach()


def _counted(stored: _Stored, fact: Fact) -> Fact:
    if not isinstance(fact, PersonJoined | PersonLeft):
        return fact
    came = isinstance(fact, PersonJoined)
    if stored.people.get(fact.participant_sid) is (not came):
        del stored.people[fact.participant_sid]
    else:
        stored.people[fact.participant_sid] = came
    return replace(fact, people=sum(stored.people.values()))


class MemorySlots:
    """So many slots per agent name, no breaker; remembers how each hold ended."""

    def __init__(self, limit: int = 4) -> None:
        self.limit = limit
        self.held: dict[str, set[str]] = defaultdict(set)
        self.ends: list[tuple[str, SlotEnd]] = []
        self.most = 0
        self.breaker: Cause | None = None

    async def take(self, agent_name: str, holder: str, *, priority: int, since: float, hold: float) -> SlotReply:
        held = self.held[agent_name]
        if self.breaker is None and (holder in held or len(held) < self.limit):
            held.add(holder)
            self.most = max(self.most, len(held))
            return SlotReply(True, self.limit, 0, False, None)
        return SlotReply(False, self.limit, 1, self.breaker is not None, self.breaker)

    async def give_back(self, agent_name: str, holder: str, end: SlotEnd, *, accept_window: float, cause: Cause | None) -> None:
        if holder in self.held[agent_name]:
            self.held[agent_name].discard(holder)
            self.ends.append((agent_name, end))

    async def counts(self) -> dict[str, tuple[int, int, int, bool]]:
        return {}


class MemoryLeases:
    """Leases that never lapse by themselves; `lapsed` names the replicas that died."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.lapsed: set[str] = set()

    async def renew(self, replica: str, ttl: float) -> None:
        await self._store.ping()
        self.lapsed.discard(replica)

    async def drop(self, replica: str) -> None:
        if await self.sessions_of(replica):
            self.lapsed.add(replica)
        else:
            self.lapsed.discard(replica)

    async def orphaned(self) -> tuple[str, ...]:
        await self._store.ping()
        return tuple(self.lapsed)

    async def sessions_of(self, replica: str) -> tuple[str, ...]:
        await self._store.ping()
        return tuple(sid for sid, stored in self._store.stored.items() if stored.owner == replica)

    async def forget(self, replica: str, sid: str) -> None:
        return None


class MemoryAlerts:
    """Keeps what it is given, once per id."""

    def __init__(self) -> None:
        self.queued: dict[str, Alert] = {}

    async def queue(self, alert: Alert) -> None:
        self.queued.setdefault(alert.id, alert)
