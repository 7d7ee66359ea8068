"""Sessions.held and people: what the reconciler compares with LiveKit's listings."""

from __future__ import annotations

import asyncio

from orchestrator.core.session import SessionState
from orchestrator.runtime.ports import Held
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.sessions import Sessions
from tests.e2e.harness.wait import wait_until
from tests.integration.store.stories import (
    FINISHED,
    SID,
    STARTED,
    A,
    B,
    drive,
    folded,
    joined,
    left,
    load,
    opening,
    routed,
    tell,
)


async def held(store: Sessions) -> dict[str, Held]:
    return {one.sid: one async for portion in store.held() for one in portion}


async def the_one(store: Sessions) -> Held:
    (one,) = (await held(store)).values()
    return one


async def later(store: Sessions, than: float) -> None:
    """Times are stored to the millisecond: wait for the next one."""

    async def has_come() -> bool:
        return await store.now() >= than + 0.002

    await wait_until(has_come, description="the store's clock has moved on", every=0)


async def test_an_empty_store_holds_nothing(store: Sessions) -> None:
    assert await held(store) == {}


async def test_a_session_is_held_from_its_first_fact_on(store: Sessions) -> None:
    before = await store.now()
    await tell(store, STARTED, joined("PA_1"), event_id="EV_1")
    one = await the_one(store)
    assert (one.sid, one.state, one.owner, one.people) == (SID, SessionState.DISPATCHING, A, 1)
    assert before - 0.001 <= one.opened_at <= await store.now()
    assert one.opened_at == one.heard_at == one.touched_at


async def test_what_no_webhook_told_was_never_heard_of(store: Sessions) -> None:
    await tell(store, STARTED)
    assert (await the_one(store)).heard_at is None


async def test_a_webhook_moves_what_was_heard_and_touched_and_not_what_was_opened(store: Sessions) -> None:
    await tell(store, STARTED, event_id="EV_1")
    first = await the_one(store)
    await later(store, first.opened_at)
    await tell(store, joined("PA_1"), event_id="EV_2")
    second = await the_one(store)
    assert second.opened_at == first.opened_at
    assert second.heard_at == second.touched_at > first.touched_at


async def test_a_repeated_webhook_moves_nothing(store: Sessions) -> None:
    await tell(store, STARTED, event_id="EV_1")
    first = await the_one(store)
    await later(store, first.opened_at)
    await tell(store, STARTED, event_id="EV_1")
    assert await the_one(store) == first


async def test_a_listings_fact_and_a_commit_touch_a_session_and_are_not_heard(store: Sessions) -> None:
    await tell(store, STARTED, event_id="EV_1")
    first = await the_one(store)
    await later(store, first.touched_at)
    await tell(store, joined("PA_1"))
    second = await the_one(store)
    assert (second.heard_at, second.touched_at > first.touched_at) == (first.heard_at, True)
    await later(store, second.touched_at)
    loaded = await load(store)
    await store.commit(folded(loaded), epoch=loaded.epoch, trim=len(loaded.inbox))
    third = await the_one(store)
    assert (third.heard_at, third.touched_at > second.touched_at) == (first.heard_at, True)


async def test_the_state_is_the_records_and_the_owner_the_present_one(store: Sessions) -> None:
    await drive(store, opening(), STARTED, routed())
    await load(store, replica=B, from_owner=A)
    one = await the_one(store)
    assert (one.state, one.owner) == (SessionState.UNROUTED, B)


async def test_an_ended_session_is_not_held(store: Sessions) -> None:
    await drive(store, opening(), STARTED)
    await drive(store, opening(sid="RM_18", room="support-18"), FINISHED)
    assert set(await held(store)) == {SID}


async def test_a_buried_session_is_not_held(store: Sessions) -> None:
    await tell(store, STARTED)
    await store.bury(SID)
    assert await held(store) == {}


async def test_people_are_counted_and_named_by_their_participant_sids(store: Sessions) -> None:
    assert await store.people(SID) == frozenset()
    await tell(store, joined("PA_1"), joined("PA_2"), joined("PA_3"))
    await tell(store, left("PA_2"))
    assert await store.people(SID) == {"PA_1", "PA_3"}
    assert (await the_one(store)).people == 2


async def test_a_thousand_sessions_come_in_portions_and_none_is_missing(store: Sessions) -> None:
    sids = {f"RM_{number}" for number in range(1000)}
    await asyncio.gather(*(tell(store, STARTED, sid=sid) for sid in sids))
    portions = [portion async for portion in store.held()]
    assert {one.sid for portion in portions for one in portion} == sids
    assert max(len(portion) for portion in portions) <= 500


async def test_a_session_that_changes_its_state_meanwhile_is_not_missed(store: Sessions) -> None:
    sids = {f"RM_{number}" for number in range(600)}
    await asyncio.gather(*(tell(store, STARTED, sid=sid) for sid in sids))
    seen: set[str] = set()
    async for portion in store.held():
        seen |= {one.sid for one in portion}
        for sid in sorted(sids - seen)[:20]:
            loaded = await load(store, sid)
            await store.commit(folded(loaded, routed()), epoch=loaded.epoch, trim=len(loaded.inbox))
    assert seen == sids


async def test_what_the_index_names_and_the_store_lacks_is_swept_out(
    store: Sessions, connection: Connection, keys: Keys
) -> None:
    await tell(store, STARTED)
    await connection.call("DEL", keys.session(SID), keys.inbox(SID))
    assert await held(store) == {}
    assert await connection.call("ZCARD", keys.sessions) == 0


async def test_a_session_of_an_older_version_was_touched_long_ago(store: Sessions, connection: Connection, keys: Keys) -> None:
    await tell(store, STARTED, event_id="EV_1")
    await connection.call("HDEL", keys.session(SID), "opened_at", "touched_at", "heard_at", "people", "state")
    assert await the_one(store) == Held(SID, SessionState.DISPATCHING, A, 0, 0.0, None, 0.0)
