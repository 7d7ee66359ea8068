"""Sessions.take and commit: one owner at a time, fenced by the epoch, and no fact lost between inbox and record."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from orchestrator.core.session import SCHEMA_VERSION
from orchestrator.runtime.ports import Committed, StoreCorrupt
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.leases import ReplicaLeases
from orchestrator.store.sessions import Sessions
from tests.integration.store.stories import FINISHED, SID, STARTED, A, B, folded, joined, load, opening, routed, tell


async def test_the_owner_loads_what_waits_and_what_it_committed(store: Sessions) -> None:
    await tell(store, STARTED)
    loaded = await load(store)
    assert (loaded.session, loaded.owner) == (None, A)
    assert [d.fact for d in loaded.inbox] == [opening(), STARTED]
    session = folded(loaded, routed("mary"))
    assert await store.commit(session, epoch=loaded.epoch, trim=2) is Committed.COMMITTED
    again = await load(store)
    assert (again.session, again.inbox) == (session, ())


async def test_there_is_nothing_to_take_of_an_unknown_session(store: Sessions, leases: ReplicaLeases) -> None:
    assert await store.take(SID, A, from_owner=None) is None
    assert await store.take(SID, A, from_owner=B) is None
    assert await leases.sessions_of(A) == ()


async def test_a_session_of_another_replica_is_not_taken_unless_it_is_taken_over(
    store: Sessions, other: Sessions, leases: ReplicaLeases
) -> None:
    await tell(store, STARTED)
    assert await other.take(SID, B, from_owner=None) is None
    assert await other.take(SID, B, from_owner="somebody else") is None
    assert await leases.sessions_of(B) == ()
    loaded = await load(other, replica=B, from_owner=A)
    assert loaded.owner == B
    assert await leases.sessions_of(A) == ()
    assert await leases.sessions_of(B) == (SID,)


async def test_a_takeover_whose_reply_was_lost_can_be_repeated(store: Sessions) -> None:
    await tell(store, STARTED)
    await load(store, replica=B, from_owner=A)
    assert (await load(store, replica=B, from_owner=A)).owner == B


async def test_of_two_replicas_that_take_over_at_once_one_gets_the_session(store: Sessions, other: Sessions) -> None:
    await tell(store, STARTED, replica="dead")
    takers = [(store, A), (other, B)] * 10
    loaded = await asyncio.gather(*(taker.take(SID, replica, from_owner="dead") for taker, replica in takers))
    assert len({one.owner for one in loaded if one is not None}) == 1


async def test_epochs_only_grow_and_begin_at_the_stores_time(store: Sessions) -> None:
    """Milliseconds lift them above whatever a rolled-back append-only file may have lost."""
    await tell(store, STARTED)
    epochs = [(await load(store)).epoch for _ in range(5)]
    assert epochs == sorted(set(epochs))
    assert epochs[0] >= (await store.now() - 60) * 1000


async def test_who_was_superseded_commits_nothing(store: Sessions, other: Sessions) -> None:
    await tell(store, STARTED)
    stale = await load(store)
    fresh = await load(other, replica=B, from_owner=A)
    assert await store.commit(folded(stale), epoch=stale.epoch, trim=2) is Committed.SUPERSEDED
    again = await load(other, replica=B)
    assert (again.session, again.inbox) == (None, fresh.inbox)


async def test_a_buried_or_unknown_session_cannot_be_committed(store: Sessions) -> None:
    await tell(store, STARTED)
    loaded = await load(store)
    await store.bury(SID)
    assert await store.commit(folded(loaded), epoch=loaded.epoch, trim=2) is Committed.SUPERSEDED
    assert await store.read(SID) is None


async def test_a_fact_that_comes_between_inbox_and_commit_stays_in_the_inbox(store: Sessions, other: Sessions) -> None:
    await tell(store, STARTED)
    loaded = await load(store)
    await tell(other, joined("PA_1"), replica=B)
    await store.commit(folded(loaded), epoch=loaded.epoch, trim=len(loaded.inbox))
    (late,) = await store.inbox(SID)
    assert late.fact == replace(joined("PA_1"), people=1)


async def test_no_fact_is_lost_or_doubled_while_an_owner_folds_and_others_append(store: Sessions, other: Sessions) -> None:
    await tell(store, STARTED)
    loaded = await load(store)
    session = folded(loaded)
    await store.commit(session, epoch=loaded.epoch, trim=len(loaded.inbox))
    seen: list[int] = []

    async def append_all() -> None:
        for number in range(40):
            await tell(other, joined(f"PA_{number}"), replica=B)

    async def fold_all() -> None:
        while len(seen) < 40:
            inbox = await store.inbox(SID)
            seen.extend(getattr(delivered.fact, "people", 0) for delivered in inbox)
            await store.commit(session, epoch=loaded.epoch, trim=len(inbox))

    await asyncio.gather(append_all(), fold_all())
    assert seen == list(range(1, 41))


async def test_a_live_record_stays_well_below_four_kilobytes(store: Sessions, connection: Connection, keys: Keys) -> None:
    await tell(store, STARTED, joined("PA_1"))
    loaded = await load(store)
    await store.commit(folded(loaded, routed("mary")), epoch=loaded.epoch, trim=3)
    assert await connection.call("HSTRLEN", keys.session(SID), "record") < 1024


@pytest.mark.parametrize(
    "record", [b"", b"no json", b'{"version": %d, "session": {}}' % SCHEMA_VERSION, b'{"version": 99, "session": {}}']
)
async def test_a_record_that_cannot_be_read_is_said_to_be_corrupt(
    store: Sessions, connection: Connection, keys: Keys, record: bytes
) -> None:
    await tell(store, STARTED)
    await connection.call("HSET", keys.session(SID), "record", record)
    with pytest.raises(StoreCorrupt):
        await store.take(SID, A, from_owner=None)
    with pytest.raises(StoreCorrupt):
        await store.read(SID)


async def test_an_ended_session_can_still_be_taken_by_its_owner(store: Sessions) -> None:
    await tell(store, FINISHED)
    loaded = await load(store)
    assert await store.commit(folded(loaded), epoch=loaded.epoch, trim=2) is Committed.COMMITTED
    ended = (await load(store)).session
    assert ended is not None
    assert ended.ended
