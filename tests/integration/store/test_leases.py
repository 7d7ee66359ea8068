"""ReplicaLeases: which replicas live, and where the sessions of the dead are found."""

from __future__ import annotations

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.leases import ReplicaLeases
from orchestrator.store.sessions import Sessions
from tests.e2e.harness.wait import wait_until
from tests.integration.store.stories import FINISHED, SID, STARTED, A, B, drive, joined, load, opening, tell


async def test_a_replica_whose_lease_lapsed_leaves_its_sessions_to_the_others(store: Sessions, leases: ReplicaLeases) -> None:
    await leases.renew(A, 0.2)
    await tell(store, STARTED)
    assert await leases.orphaned() == ()
    await wait_until(leases.orphaned, description="the lease has lapsed")
    assert await leases.orphaned() == (A,)
    assert await leases.sessions_of(A) == (SID,)


async def test_a_lease_that_is_renewed_lives_and_one_that_is_not_is_not_missed(
    store: Sessions, leases: ReplicaLeases, connection: Connection, keys: Keys
) -> None:
    await tell(store, STARTED)
    await leases.renew(A, 0.1)
    await leases.renew(A, 60.0)
    await leases.renew(B, 0.1)

    async def nobody_misses_it() -> bool:
        await leases.orphaned()
        return not await connection.call("SISMEMBER", keys.replicas, B)

    await wait_until(nobody_misses_it, description="the lease that was not renewed has lapsed")
    assert await leases.orphaned() == ()
    assert await connection.call("SISMEMBER", keys.replicas, A)


async def test_who_lives_is_known_and_who_stopped_does_not(leases: ReplicaLeases) -> None:
    assert await leases.live() == frozenset()
    await leases.renew(A, 60.0)
    await leases.renew(B, 60.0)
    assert await leases.live() == {A, B}
    await leases.drop(A)
    assert await leases.live() == {B}


async def test_a_dead_replica_does_not_count_as_living_although_it_still_has_sessions(
    store: Sessions, leases: ReplicaLeases
) -> None:
    await tell(store, STARTED)
    await leases.renew(B, 60.0)
    assert await leases.live() == {B}


async def test_a_stopped_replicas_sessions_are_free_at_once(store: Sessions, leases: ReplicaLeases) -> None:
    await leases.renew(A, 60.0)
    await tell(store, STARTED)
    await leases.drop(A)
    assert await leases.orphaned() == (A,)


async def test_after_the_takeover_nothing_is_left_of_the_dead(
    store: Sessions, leases: ReplicaLeases, connection: Connection, keys: Keys
) -> None:
    await leases.renew(B, 60.0)
    await tell(store, STARTED)
    await load(store, replica=B, from_owner=A)
    await leases.drop(A)
    assert await leases.orphaned() == ()
    assert await connection.call("SMEMBERS", keys.replicas) == {B.encode()}


async def test_a_replica_that_claims_a_session_between_two_renewals_is_on_the_list(
    store: Sessions, leases: ReplicaLeases
) -> None:
    await leases.drop(A)
    await tell(store, STARTED)
    assert await leases.orphaned() == (A,)


async def test_a_session_that_its_replica_still_drives_is_not_forgotten(store: Sessions, leases: ReplicaLeases) -> None:
    await drive(store, opening(), STARTED)
    await leases.forget(A, SID)
    assert await leases.sessions_of(A) == (SID,)


async def test_an_ended_session_is_not_forgotten_while_facts_wait(store: Sessions, leases: ReplicaLeases) -> None:
    await drive(store, opening(), FINISHED)
    await tell(store, joined("PA_1"))
    await leases.forget(A, SID)
    assert await leases.sessions_of(A) == (SID,)


async def test_an_ended_session_is_forgotten_and_nobodys(store: Sessions, leases: ReplicaLeases) -> None:
    await drive(store, opening(), FINISHED)
    await leases.forget(A, SID)
    assert await leases.sessions_of(A) == ()
    assert (await load(store, replica=B)).owner == B


async def test_a_session_of_somebody_else_is_forgotten(store: Sessions, leases: ReplicaLeases) -> None:
    await tell(store, STARTED)
    await load(store, replica=B, from_owner=A)
    await leases.forget(A, SID)
    assert await leases.sessions_of(A) == ()
    assert await leases.sessions_of(B) == (SID,)
