"""Sessions on Redis: the runtime's SessionStore, whose docstrings are the contract."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Fact, PersonJoined, PersonLeft, RoomOpened
from orchestrator.core.session import Session, SessionState
from orchestrator.core.transitions import fold
from orchestrator.runtime.ports import Appended, AppendReply, Committed, Delivered, Held, Loaded, Page
from orchestrator.store.codec import decode_delivered, decode_fact, decode_session, encode_fact, encode_session
from orchestrator.store.connection import Argument, Connection
from orchestrator.store.held import held_sessions
from orchestrator.store.incarnation import Incarnation
from orchestrator.store.index import Index
from orchestrator.store.keys import Keys
from orchestrator.store.pages import Filter, Pages
from orchestrator.store.recent import Recent
from orchestrator.store.roster import Roster
from orchestrator.store.scripts import Outcome, Script

_REMEMBERED: Final = 10_000
"""Sessions of which this process remembers that somebody owns them, and the epoch under which it drives them."""

_PROBE_TTL: Final = 10

EXPECTED_TTL: Final = 10
"""Seconds for which facts wait for a session of their room's name: its webhook comes within one."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long things are kept, in seconds."""

    live: int = 7 * 86_400
    """A session, from the last that happened to it: longer than rooms live."""
    ended: int = 86_400
    """An ended one: the next morning somebody still asks what became of it."""
    event: int = 86_400
    """An event id: LiveKit repeats for 15 s, a proxy or a person a day later."""


class Sessions:
    """Any number of processes share one Redis."""

    def __init__(self, connection: Connection, keys: Keys, retention: Retention) -> None:
        self._connection = connection
        self._keys = keys
        self._retention = retention
        self._roster = Roster(connection, keys)
        self._index = Index(connection, keys, retention.live)
        self._pages = Pages(self._index, self.read)
        self._owned = Recent[str, bool](_REMEMBERED)
        self._epochs = Recent[str, int](_REMEMBERED)
        self._incarnation = Incarnation(connection, self._forget)
        self._append = Script.load("append")
        self._take = Script.load("take")
        self._commit = Script.load("commit")
        self._read = Script.load("read")
        self._bury = Script.load("bury")

    # --- what drives a session ---

    async def append(self, opening: RoomOpened, facts: Sequence[Fact], *, event_id: str | None, replica: str) -> AppendReply:
        """Store facts, and claim a session that nobody drives. Raises StoreUnavailable."""
        sid = opening.sid
        if self._owned.get(sid):
            outcome, reply = await self._append_facts(opening, facts, event_id, replica, claim=False)
            if outcome is not Outcome.UNCLAIMED:
                return reply
        # Both leave in one pipeline, the script first: the indexes are written after it, without a trip of their own.
        (outcome, reply), _, expected = await asyncio.gather(
            self._append_facts(opening, facts, event_id, replica, claim=True),
            self._index.introduce(opening),
            self._connection.call("GET", self._keys.expected(opening.room)),
        )
        if reply.claimed and expected:
            # Before anybody is woken: whoever drives the session reads them with all the rest.
            await self._append_facts(opening, _facts(expected), None, replica, claim=False)
            self._epochs.put(sid, reply.claimed.epoch)
            reply = replace(reply, claimed=None)
        if outcome is Outcome.IGNORED:
            await self._index.remove([sid])
        if reply.owner != replica:
            await self._roster.leave(replica, sid)
        if reply.owner:
            self._owned.put(sid, value=True)
        if reply.claimed:
            self._epochs.put(sid, reply.claimed.epoch)
        return reply

    async def expect(self, room: str, facts: Sequence[Fact]) -> None:
        lines = b"\n".join(encode_fact(fact) for fact in facts)
        await self._connection.call("SET", self._keys.expected(room), lines, "EX", EXPECTED_TTL)

    async def take(self, sid: str, replica: str, *, from_owner: str | None) -> Loaded | None:
        """Own a session under a higher epoch; None when another one than `from_owner` owns it. Raises StoreUnavailable."""
        known = self._epochs.get(sid) or 0
        reply = await self._take.run(
            self._connection,
            (self._keys.session(sid), self._keys.inbox(sid)),
            (replica, from_owner or "", known),
            after=self._roster.entry(replica, sid),
        )
        if reply is None:
            await self._roster.leave(replica, sid)
            return None
        if from_owner and from_owner != replica:
            await self._roster.leave(from_owner, sid)
        epoch, stored_epoch, record, inbox = reply
        self._epochs.put(sid, int(epoch))
        if int(stored_epoch) < known:
            await self._incarnation.went_backwards(sid, held=known, stored=int(stored_epoch))
        return Loaded(_session(record), _delivered(inbox), replica, int(epoch))

    async def inbox(self, sid: str) -> tuple[Delivered, ...]:
        return _delivered(await self._connection.call("LRANGE", self._keys.inbox(sid), 0, -1))

    async def commit(self, session: Session, *, epoch: int, trim: int) -> Committed:
        keep = self._retention.ended if session.ended else self._retention.live
        answered, stored_epoch = await self._commit.run(
            self._connection,
            (*self._session_keys(session.sid), self._keys.buried(session.sid)),
            (epoch, encode_session(session), trim, keep, session.state, self._keys.changes_channel, session.sid),
        )
        outcome = Outcome(answered.decode())
        if outcome is Outcome.ROLLED_BACK:
            await self._incarnation.went_backwards(session.sid, held=epoch, stored=int(stored_epoch))
        if outcome is not Outcome.COMMITTED:
            return Committed.SUPERSEDED
        await self._index.update(session, epoch=epoch, keep=keep)
        return Committed.COMMITTED

    async def bury(self, sid: str) -> None:
        owner = await self._bury.run(
            self._connection,
            (*self._session_keys(sid), self._keys.buried(sid)),
            (self._retention.ended, self._keys.changes_channel, sid),
        )
        if owner:
            await self._roster.leave(owner.decode(), sid)
        await self._index.remove([sid])

    # --- what the reconciler compares ---

    def held(self) -> AsyncIterator[tuple[Held, ...]]:
        return held_sessions(self._connection, self._keys, self._index)

    async def recent(self, ended_within: float) -> tuple[str, ...]:
        return await self._index.recent(await self.now(), ended_within, self._retention.ended)

    async def people(self, sid: str) -> frozenset[str]:
        return frozenset(person.decode() for person in await self._connection.call("SMEMBERS", self._keys.people(sid)))

    async def incarnation(self) -> str:
        return await self._incarnation.read()

    # --- what people ask ---

    async def read(self, sid: str) -> Session | None:
        reply = await self._read.run(self._connection, (self._keys.session(sid), self._keys.inbox(sid)), ())
        if reply is None:
            return None
        record, inbox = reply
        session = _session(record)
        for delivered in _delivered(inbox):
            session = fold(session, delivered.fact, delivered.at)
        return session

    async def find(self, room_or_sid: str) -> str | None:
        known, of_name = await asyncio.gather(self._exists(room_or_sid), self._index.sids_of(room_or_sid))
        if known:
            return room_or_sid
        for sid in of_name:
            if await self._exists(sid):
                return sid
        return None

    async def near_names(self, room: str) -> tuple[str, ...]:
        names = await self._index.near_names(room)
        found = await asyncio.gather(*(self.find(name) for name in names))
        return tuple(name for name, sid in zip(names, found, strict=True) if sid is not None)

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
        """Raises ValueError for a cursor that no page gave."""
        until = None if older_than is None else await self.now() - older_than
        return await self._pages.page(Filter(state, agent_name, cause), until=until, cursor=cursor, limit=limit)

    async def now(self) -> float:
        seconds, microseconds = await self._connection.call("TIME")
        return int(seconds) + int(microseconds) / 1_000_000

    async def ping(self) -> None:
        # A write: a server that is read-only, full or cannot save answers PING all the same.
        await self._connection.call("SET", self._keys.probe, "1", "EX", _PROBE_TTL)

    # --- how ---

    async def _append_facts(
        self, opening: RoomOpened, facts: Sequence[Fact], event_id: str | None, replica: str, *, claim: bool
    ) -> tuple[Outcome, AppendReply]:
        sid = opening.sid
        keys = [*self._session_keys(sid), self._keys.buried(sid)]
        if event_id is not None:
            keys.append(self._keys.seen(sid, event_id))
        args: list[Argument] = [
            replica,
            int(claim),
            sid,
            self._keys.wake_channel(""),
            self._retention.live,
            self._retention.event,
            encode_fact(opening),
        ]
        for fact in facts:
            args += (*_effect(fact), encode_fact(fact))
        entry = self._roster.entry(replica, sid) if claim else ()
        answered, owner, epoch, inbox = await self._append.run(self._connection, keys, args, after=entry)
        outcome, owner = Outcome(answered.decode()), owner.decode()
        claimed = Loaded(None, _delivered(inbox), owner, int(epoch)) if inbox else None
        appended = Appended.IGNORED if outcome is Outcome.UNCLAIMED else Appended(outcome)
        return outcome, AppendReply(appended, owner, claimed)

    def _forget(self) -> None:
        """What the store has lost must be written again: the next fact of each session enters it in the indexes anew."""
        self._owned.clear()
        self._index.forget()

    async def _exists(self, sid: str) -> bool:
        return bool(await self._connection.call("EXISTS", self._keys.session(sid)))

    def _session_keys(self, sid: str) -> tuple[str, str, str, str]:
        return self._keys.session(sid), self._keys.inbox(sid), self._keys.people(sid), self._keys.early(sid)


def _effect(fact: Fact) -> tuple[str, str]:
    """What a fact does to the set of people: in or out, and whose sid; nothing for one that is not about a person."""
    match fact:
        case PersonJoined(participant_sid=participant):
            return "+", participant
        case PersonLeft(participant_sid=participant):
            return "-", participant
        case _:
            return "", ""


def _facts(lines: bytes) -> list[Fact]:
    return [decode_fact(line) for line in lines.split(b"\n")]


def _session(record: bytes | None) -> Session | None:
    return None if record is None else decode_session(record)


def _delivered(inbox: Sequence[bytes]) -> tuple[Delivered, ...]:
    return tuple(decode_delivered(entry) for entry in inbox)
