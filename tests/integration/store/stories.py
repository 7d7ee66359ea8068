"""Facts and sessions for the tests of the store."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.causes import Cause
from orchestrator.core.facts import (
    CandidateSpec,
    Fact,
    PersonJoined,
    PersonLeft,
    PlacementSpec,
    RoomFinished,
    RoomOpened,
    RoomStarted,
    Routed,
)
from orchestrator.core.session import Session
from orchestrator.core.transitions import fold
from orchestrator.runtime.ports import Alert, Appended, Loaded, SessionStore

A, B = "replica-a", "replica-b"
SID = "RM_17"
STARTED = RoomStarted(created_at=100.0)
FINISHED = RoomFinished(created_at=900.0)


def opening(sid: str = SID, room: str = "support-17", started_at: float = 100.0) -> RoomOpened:
    return RoomOpened(room=room, sid=sid, started_at=started_at)


def joined(participant: str) -> PersonJoined:
    return PersonJoined(participant_sid=participant, identity="caller", created_at=101.0)


def left(participant: str) -> PersonLeft:
    return PersonLeft(participant_sid=participant, identity="caller", created_at=102.0)


def routed(*agent_names: str) -> Routed:
    return Routed(tuple(PlacementSpec((CandidateSpec(name),)) for name in agent_names), route="the only one")


async def tell(store: SessionStore, *facts: Fact, sid: str = SID, event_id: str | None = None, replica: str = A) -> Appended:
    """Append facts of the usual room."""
    return (await store.append(opening(sid), facts, event_id=event_id, replica=replica)).outcome


async def load(store: SessionStore, sid: str = SID, replica: str = A, *, from_owner: str | None = None) -> Loaded:
    """Take a session that must be there to take."""
    loaded = await store.take(sid, replica, from_owner=from_owner)
    assert loaded is not None
    return loaded


def folded(loaded: Loaded, *facts: Fact, now: float = 200.0) -> Session:
    """The record that an owner makes of what it loaded, and of facts of its own."""
    session = loaded.session
    for delivered in loaded.inbox:
        session = fold(session, delivered.fact, delivered.at)
    for fact in facts:
        session = fold(session, fact, now)
    assert session is not None
    return session


async def drive(store: SessionStore, first: RoomOpened, *facts: Fact, replica: str = A) -> Session:
    """Open a session and commit it with these facts folded in, as its owner does."""
    await store.append(first, (), event_id=None, replica=replica)
    loaded = await load(store, first.sid, replica)
    session = folded(loaded, *facts)
    await store.commit(session, epoch=loaded.epoch, trim=len(loaded.inbox))
    return session


def counts(facts: Sequence[Fact]) -> list[int]:
    """The numbers of people that the store put into facts about people."""
    return [fact.people for fact in facts if isinstance(fact, PersonJoined | PersonLeft)]


def only_untaken_to_the_pager(sink: str, alert: Alert) -> bool:
    """What the sinks of an outbox want that is choosy."""
    return sink != "pager" or alert.cause is Cause.NOT_TAKEN
