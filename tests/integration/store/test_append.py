"""Sessions.append: what LiveKit was told 200 for is stored, once, in order, and its owner knows."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from orchestrator.core.facts import Fact, PersonJoined, RoomOpened
from orchestrator.runtime.ports import Appended, AppendReply, Committed
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.leases import ReplicaLeases
from orchestrator.store.sessions import Sessions
from tests.integration.store.stories import (
    FINISHED,
    SID,
    STARTED,
    A,
    B,
    counts,
    drive,
    folded,
    joined,
    left,
    load,
    opening,
    tell,
)


async def facts_of(store: Sessions) -> list[Fact]:
    return [delivered.fact for delivered in await store.inbox(SID)]


async def test_the_first_event_opens_the_session_and_claims_it_for_the_replica_that_received_it(store: Sessions) -> None:
    reply = await store.append(opening(), [STARTED], event_id="EV_1", replica=A)
    assert (reply.outcome, reply.owner) == (Appended.STORED, A)
    assert await facts_of(store) == [opening(), STARTED]


async def test_who_opened_a_session_has_all_of_it_and_need_not_load_it(store: Sessions) -> None:
    reply = await store.append(opening(), [STARTED, joined("PA_1")], event_id="EV_1", replica=A)
    assert reply.claimed is not None
    assert reply.claimed.inbox == await store.inbox(SID)
    session = folded(reply.claimed)
    assert await store.commit(session, epoch=reply.claimed.epoch, trim=3) is Committed.COMMITTED
    assert await store.inbox(SID) == ()


async def test_who_claims_a_session_that_was_there_before_must_load_it(store: Sessions) -> None:
    await tell(store, STARTED)
    assert (await store.append(opening(), [FINISHED], event_id="EV_2", replica=A)).claimed is None
    assert (await store.append(opening(), [FINISHED], event_id="EV_2", replica=A)).claimed is None


async def test_an_event_without_facts_opens_the_session_too(store: Sessions) -> None:
    assert await tell(store) is Appended.STORED
    assert await facts_of(store) == [opening()]


async def test_facts_are_kept_in_the_order_in_which_they_came_with_the_stores_time(store: Sessions) -> None:
    before = await store.now()
    for number in range(3):
        await tell(store, joined(f"PA_{number}"))
    after = await store.now()
    delivered = await store.inbox(SID)
    assert [d.fact.participant_sid for d in delivered if isinstance(d.fact, PersonJoined)] == ["PA_0", "PA_1", "PA_2"]
    times = [d.at for d in delivered]
    assert times == sorted(times)
    assert before - 0.001 <= times[0] <= times[-1] <= after  # stored to the millisecond


async def test_the_opening_is_stored_once_also_after_the_inbox_was_folded_away(store: Sessions) -> None:
    await drive(store, opening(), STARTED)
    await tell(store, STARTED)
    assert await facts_of(store) == [STARTED]


async def test_the_same_event_is_stored_once_whichever_replicas_it_reaches(store: Sessions, other: Sessions) -> None:
    assert await tell(store, STARTED, event_id="EV_1") is Appended.STORED
    assert await tell(store, STARTED, event_id="EV_1") is Appended.DUPLICATE
    assert await tell(other, STARTED, event_id="EV_1", replica=B) is Appended.DUPLICATE
    assert await facts_of(store) == [opening(), STARTED]


async def test_the_same_event_id_in_another_room_is_another_event(store: Sessions) -> None:
    await tell(store, STARTED, event_id="EV_1")
    assert await tell(store, STARTED, sid="RM_18", event_id="EV_1") is Appended.STORED


async def test_facts_without_an_event_id_are_stored_each_time(store: Sessions) -> None:
    await tell(store, STARTED)
    await tell(store, STARTED)
    assert await facts_of(store) == [opening(), STARTED, STARTED]


async def test_a_session_of_another_replica_stays_with_it(store: Sessions, other: Sessions, leases: ReplicaLeases) -> None:
    await tell(store, STARTED)
    reply = await other.append(opening(), [FINISHED], event_id=None, replica=B)
    assert reply == AppendReply(Appended.STORED, A)
    assert await leases.sessions_of(A) == (SID,)
    assert await leases.sessions_of(B) == ()


async def test_fifty_events_at_once_are_all_stored_and_have_one_owner(store: Sessions, other: Sessions) -> None:
    async def send(number: int) -> AppendReply:
        receiver, replica = ((store, A), (other, B))[number % 2]
        return await receiver.append(opening(), [joined(f"PA_{number}")], event_id=f"EV_{number}", replica=replica)

    replies = await asyncio.gather(*(send(number) for number in range(50)))
    assert {reply.outcome for reply in replies} == {Appended.STORED}
    assert len({reply.owner for reply in replies}) == 1
    facts = await facts_of(store)
    assert facts[0] == opening()
    assert counts(facts) == list(range(1, 51))


async def test_fifty_repetitions_at_once_are_stored_once(store: Sessions) -> None:
    outcomes = await asyncio.gather(*(tell(store, STARTED, event_id="EV_1") for _ in range(50)))
    assert sorted(outcomes) == [Appended.DUPLICATE] * 49 + [Appended.STORED]
    assert await facts_of(store) == [opening(), STARTED]


async def test_an_event_after_an_ended_session_was_released_is_claimed_by_whoever_receives_it(
    store: Sessions, other: Sessions, leases: ReplicaLeases
) -> None:
    await drive(store, opening(), FINISHED)
    await leases.forget(A, SID)
    reply = await other.append(opening(), [joined("PA_1")], event_id="EV_late", replica=B)
    assert reply == AppendReply(Appended.STORED, B)
    assert await leases.sessions_of(A) == ()
    assert await leases.sessions_of(B) == (SID,)


async def test_a_replica_that_released_a_session_enters_it_again_when_it_claims_it_again(
    store: Sessions, leases: ReplicaLeases
) -> None:
    await drive(store, opening(), FINISHED)
    await leases.forget(A, SID)
    reply = await store.append(opening(), [joined("PA_1")], event_id="EV_late", replica=A)
    assert reply.owner == A
    assert await leases.sessions_of(A) == (SID,)


async def test_a_buried_session_is_ignored_until_the_end(store: Sessions, other: Sessions, leases: ReplicaLeases) -> None:
    await tell(store, STARTED)
    await store.bury(SID)
    assert await tell(store, FINISHED) is Appended.IGNORED
    assert await tell(other, FINISHED, replica=B) is Appended.IGNORED
    assert await store.read(SID) is None
    assert await store.find(SID) is None
    assert await store.find("support-17") is None
    assert await leases.sessions_of(A) == await leases.sessions_of(B) == ()


async def test_a_session_can_be_buried_before_anything_was_heard_of_it(store: Sessions) -> None:
    await store.bury(SID)
    assert await tell(store, STARTED) is Appended.IGNORED


PEOPLE_IN_EVERY_ORDER = list(itertools.permutations([joined("PA_1"), left("PA_1"), joined("PA_2")]))


@pytest.mark.parametrize("facts", PEOPLE_IN_EVERY_ORDER)
async def test_people_are_counted_the_same_in_every_order(store: Sessions, facts: Sequence[Fact]) -> None:
    for fact in facts:
        await tell(store, fact)
    assert counts(await facts_of(store))[-1] == 1


async def test_a_left_before_its_joined_leaves_nothing_behind(store: Sessions, connection: Connection, keys: Keys) -> None:
    await tell(store, left("PA_1"), joined("PA_1"))
    assert counts(await facts_of(store)) == [0, 0]
    assert await connection.call("EXISTS", keys.people(SID), keys.early(SID)) == 0


async def test_someone_who_comes_back_under_a_new_sid_is_counted_by_sid(store: Sessions) -> None:
    """LiveKit may tell of the old connection's end after the new one's begin."""
    await tell(store, joined("PA_old"))
    await tell(store, joined("PA_new"))
    await tell(store, left("PA_old"))
    assert counts(await facts_of(store)) == [1, 2, 1]


async def test_endless_early_leavers_do_not_fill_the_store(store: Sessions, connection: Connection, keys: Keys) -> None:
    await tell(store, *(left(f"PA_{number}") for number in range(300)))
    assert await connection.call("SCARD", keys.early(SID)) == 200


async def test_an_ended_session_is_kept_for_a_day_and_a_live_one_for_a_week(
    store: Sessions, connection: Connection, keys: Keys
) -> None:
    await drive(store, opening(), STARTED)
    assert await connection.call("TTL", keys.session(SID)) > 6 * 86_400
    await drive(store, RoomOpened(room="short", sid="RM_short", started_at=1.0), FINISHED)
    await tell(store, joined("PA_1"), sid="RM_short")
    for key in (keys.session("RM_short"), keys.inbox("RM_short"), keys.people("RM_short")):
        assert 0 < await connection.call("TTL", key) <= 86_400


async def test_a_late_event_of_an_expired_session_opens_it_again(store: Sessions, connection: Connection) -> None:
    await tell(store, STARTED)
    await connection.call("FLUSHALL")
    assert await tell(store, FINISHED) is Appended.STORED
    assert [d.fact for d in (await load(store)).inbox] == [opening(), FINISHED]
