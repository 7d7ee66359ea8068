"""The sessions of the model: the runtime's SessionStore, as orchestrator/store/scripts execute it."""

import difflib
import math
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Final

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Fact, PersonJoined, PersonLeft, RoomOpened
from orchestrator.core.session import Session, SessionState
from orchestrator.core.transitions import fold
from orchestrator.runtime.ports import Appended, AppendReply, Committed, Delivered, Held, Loaded, Page
from orchestrator.store.index import Position
from orchestrator.store.pages import Filter
from orchestrator.store.sessions import EXPECTED_TTL
from tests.fakes.store.server import Line, Server, Stored
from tests.fakes.store.tables import Table

_EARLY_KEPT: Final = 200
_SCANNED: Final = 1000
_NEAR: Final = 5
_PORTION: Final = 500


class MemoryStore:
    """What one replica sees of the sessions that all share."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._run = line.run
        self._server: Server = line.server

    @property
    def stored(self) -> Table[str, Stored]:
        return self._server.sessions

    @property
    def down(self) -> bool:
        return self._server.down

    @down.setter
    def down(self, down: bool) -> None:
        self._server.down = down

    # --- what drives a session ---

    async def append(self, opening: RoomOpened, facts: Sequence[Fact], *, event_id: str | None, replica: str) -> AppendReply:
        return await self._run(lambda: self._append(opening, facts, event_id, replica))

    async def expect(self, room: str, facts: Sequence[Fact]) -> None:
        await self._run(lambda: self._server.expected.put(room, (self._server.now() + EXPECTED_TTL, tuple(facts))))

    async def take(self, sid: str, replica: str, *, from_owner: str | None) -> Loaded | None:
        return await self._run(lambda: self._take(sid, replica, from_owner))

    async def inbox(self, sid: str) -> tuple[Delivered, ...]:
        return await self._run(lambda: s.inbox if (s := self.stored.get(sid)) else ())

    async def commit(self, session: Session, *, epoch: int, trim: int) -> Committed:
        return await self._run(lambda: self._commit(session, epoch, trim))

    async def bury(self, sid: str) -> None:
        await self._run(lambda: self._bury(sid))

    # --- what people and the reconciler ask ---

    async def read(self, sid: str) -> Session | None:
        return await self._run(lambda: self._read(sid))

    async def find(self, room_or_sid: str) -> str | None:
        return await self._run(lambda: self._find(room_or_sid))

    async def near_names(self, room: str) -> tuple[str, ...]:
        return await self._run(
            lambda: tuple(difflib.get_close_matches(room, {s.room: None for s in self.stored.values()}, _NEAR))
        )

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
        wanted = Filter(state, agent_name, cause)
        after = Position.parse(cursor) if cursor else None
        return await self._run(lambda: self._page(wanted, older_than, after, limit))

    async def held(self) -> AsyncIterator[tuple[Held, ...]]:
        held = await self._run(
            lambda: [_held(sid, s) for sid, s in self.stored.items() if not (s.record is not None and s.record.ended)]
        )
        for start in range(0, len(held), _PORTION):
            yield tuple(held[start : start + _PORTION])

    async def recent(self, ended_within: float) -> tuple[str, ...]:
        return await self._run(lambda: self._recent(ended_within))

    async def people(self, sid: str) -> frozenset[str]:
        return await self._run(lambda: s.people if (s := self.stored.get(sid)) else frozenset())

    async def now(self) -> float:
        return await self._run(self._server.now)

    async def incarnation(self) -> str:
        return await self._run(lambda: self._server.incarnation)

    async def ping(self) -> None:
        await self._run(lambda: None)

    # --- how ---

    def _append(self, opening: RoomOpened, facts: Sequence[Fact], event_id: str | None, replica: str) -> AppendReply:
        server, sid = self._server, opening.sid
        if sid in server.buried:
            return AppendReply(Appended.IGNORED, "")
        stored = self.stored.get(sid)
        if event_id is not None and (sid, event_id) in server.seen:
            return AppendReply(Appended.DUPLICATE, stored.owner if stored else "")
        now = _milliseconds(server.now()) / 1000
        if stored is None:
            stored = Stored(opening.room, opening.started_at, opened_at=now, touched_at=now)
        claims = stored.owner == ""
        if claims:
            stored = replace(stored, owner=replica, epoch=self._next_epoch(stored))
        if event_id is not None:
            server.seen.put((sid, event_id), True)
            stored = replace(stored, heard_at=now)
        opens = stored.record is None and not stored.inbox
        new = [Delivered(opening, now)] if opens else []
        for fact in facts:
            stored, counted = _count(stored, fact)
            new.append(Delivered(counted, now))
        stored = replace(stored, inbox=(*stored.inbox, *new), touched_at=now)
        until, waiting = server.expected.get(opening.room) or (0.0, ())
        expected = claims and opens and server.now() < until
        if expected:
            stored = replace(stored, inbox=(*stored.inbox, *(Delivered(fact, now) for fact in waiting)))
        self.stored.put(sid, stored)
        if new and stored.owner != replica:
            server.wake(stored.owner, sid)
        claimed = Loaded(None, stored.inbox, replica, stored.epoch) if claims and opens and not expected else None
        return AppendReply(Appended.STORED, stored.owner, claimed)

    def _next_epoch(self, stored: Stored) -> int:
        """Time in ms lifts the epoch above any that a lost tail of the data may have held."""
        return max(stored.epoch + 1, _milliseconds(self._server.now()))

    def _take(self, sid: str, replica: str, from_owner: str | None) -> Loaded | None:
        stored = self.stored.get(sid)
        if stored is None or stored.owner not in {replica, from_owner or ""}:
            return None
        stored = replace(stored, owner=replica, epoch=self._next_epoch(stored))
        self.stored.put(sid, stored)
        return Loaded(stored.record, stored.inbox, replica, stored.epoch)

    def _commit(self, session: Session, epoch: int, trim: int) -> Committed:
        stored = self.stored.get(session.sid)
        if stored is None or stored.epoch != epoch:
            return Committed.SUPERSEDED
        now = _milliseconds(self._server.now()) / 1000
        self.stored.put(session.sid, replace(stored, record=session, inbox=stored.inbox[trim:], touched_at=now))
        self._server.changed(session.sid)
        return Committed.COMMITTED

    def _bury(self, sid: str) -> None:
        self._server.buried.put(sid, True)
        self.stored.drop(sid)
        self._server.changed(sid)

    def _recent(self, ended_within: float) -> tuple[str, ...]:
        newest = sorted(self.stored.items(), key=lambda item: item[1].started_at, reverse=True)
        ended = [(s.touched_at, sid) for sid, s in newest if s.record is not None and s.record.ended]
        since = self._server.now() - ended_within
        return (
            *(sid for sid, s in newest if s.record is None or not s.record.ended),
            *(sid for at, sid in sorted(ended, reverse=True) if at >= since),
        )

    def _read(self, sid: str) -> Session | None:
        stored = self.stored.get(sid)
        if stored is None:
            return None
        session = stored.record
        for delivered in stored.inbox:
            session = fold(session, delivered.fact, delivered.at)
        return session

    def _find(self, room_or_sid: str) -> str | None:
        if room_or_sid in self.stored:
            return room_or_sid
        of_name = [Position(s.started_at, sid) for sid, s in self.stored.items() if s.room == room_or_sid]
        return max(of_name).sid if of_name else None

    def _page(self, wanted: Filter, older_than: float | None, after: Position | None, limit: int) -> Page:
        until = math.inf if older_than is None else self._server.now() - older_than
        positions = sorted((Position(s.started_at, sid) for sid, s in self.stored.items()), reverse=True)
        positions = [p for p in positions if p.started_at <= until and (after is None or p < after)]
        found: list[Session] = []
        for scanned, position in enumerate(positions, 1):
            session = self._read(position.sid)
            if session is not None and wanted.matches(session):
                found.append(session)
            if len(found) == limit or scanned == _SCANNED:
                return Page(tuple(found), str(position))
        return Page(tuple(found), None)


def _milliseconds(now: float) -> int:
    return math.floor(now * 1000)


def _count(stored: Stored, fact: Fact) -> tuple[Stored, Fact]:
    """Move a person in or out of the room, in whichever order it is told, and say how many there are."""
    match fact:
        case PersonJoined(participant_sid=person) if person in stored.early:
            stored = replace(stored, early=stored.early - {person})
        case PersonJoined(participant_sid=person):
            stored = replace(stored, people=stored.people | {person})
        case PersonLeft(participant_sid=person) if person in stored.people:
            stored = replace(stored, people=stored.people - {person})
        case PersonLeft(participant_sid=person):
            if len(stored.early) < _EARLY_KEPT:
                stored = replace(stored, early=stored.early | {person})
        case _:
            return stored, fact
    return stored, replace(fact, people=len(stored.people))


def _held(sid: str, stored: Stored) -> Held:
    state = stored.record.state if stored.record is not None else SessionState.DISPATCHING
    return Held(sid, state, stored.owner, len(stored.people), stored.opened_at, stored.heard_at, stored.touched_at)
