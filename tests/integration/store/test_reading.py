"""Sessions.read, find, near_names and page: what people ask, answered from record, inbox and indexes."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.core.causes import Cause
from orchestrator.core.facts import CandidateSpec, Fact, FallbackChosen, GaveUp, PlacementSpec, Routed
from orchestrator.core.session import Session, SessionState
from orchestrator.runtime.ports import Page, StoreUnavailable
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.sessions import Sessions
from tests.integration.store.stories import FINISHED, SID, STARTED, drive, folded, joined, load, opening, routed, tell


async def page(
    store: Sessions,
    *,
    state: SessionState | None = None,
    agent_name: str | None = None,
    cause: Cause | None = None,
    older_than: float | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    return await store.page(state=state, agent_name=agent_name, cause=cause, older_than=older_than, cursor=cursor, limit=limit)


async def rooms(store: Sessions, **wanted: object) -> list[str]:
    return [session.room for session in (await page(store, **wanted)).sessions]  # type: ignore[arg-type]


async def committed(store: Sessions, room: str, started_at: float, *facts: Fact) -> Session:
    return await drive(store, opening(sid=f"RM_{room}", room=room, started_at=started_at), *facts)


async def test_a_session_is_read_with_its_inbox_folded_in(store: Sessions) -> None:
    await drive(store, opening(), STARTED, routed("mary"))
    await tell(store, joined("PA_1"))
    session = await store.read(SID)
    assert session is not None
    assert (session.room, session.people, len(session.placements)) == ("support-17", 1, 1)
    assert await store.inbox(SID) != ()


async def test_a_session_can_be_read_before_its_first_commit(store: Sessions) -> None:
    await tell(store, STARTED)
    session = await store.read(SID)
    assert session is not None
    assert (session.sid, session.starts) == (SID, 1)


async def test_a_scratch_room_is_found_by_its_name_and_listed_nowhere(store: Sessions) -> None:
    await committed(store, "rollcall-scratch-1", 1_000.0, STARTED)
    await committed(store, "support-17", 1_001.0, STARTED)
    assert await rooms(store) == ["support-17"]
    await committed(store, "rollcall-scratch-2", 1_002.0, STARTED, routed("mary"))  # sent there by somebody who asked for it
    assert await rooms(store) == ["rollcall-scratch-2", "support-17"]
    assert await store.find("rollcall-scratch-1") == "RM_rollcall-scratch-1"


async def test_an_unknown_session_is_not_there(store: Sessions) -> None:
    assert await store.read("RM_unknown") is None
    assert await store.find("RM_unknown") is None


async def test_a_session_is_found_by_its_sid_and_by_its_rooms_name(store: Sessions) -> None:
    await tell(store, STARTED)
    assert await store.find(SID) == SID
    assert await store.find("support-17") == SID


async def test_a_rooms_name_means_its_newest_session_whatever_order_they_were_heard_of(store: Sessions) -> None:
    for sid, started_at in (("RM_2", 200.0), ("RM_3", 300.0), ("RM_1", 100.0)):
        await store.append(opening(sid=sid, started_at=started_at), (), event_id=None, replica="a")
    assert await store.find("support-17") == "RM_3"


async def test_a_name_whose_newest_session_was_buried_means_the_one_before(store: Sessions) -> None:
    for sid, started_at in (("RM_1", 100.0), ("RM_2", 200.0)):
        await store.append(opening(sid=sid, started_at=started_at), (), event_id=None, replica="a")
    await store.bury("RM_2")
    assert await store.find("support-17") == "RM_1"


async def test_of_a_name_that_is_used_again_and_again_the_newest_are_kept(
    store: Sessions, connection: Connection, keys: Keys
) -> None:
    for number in range(60):
        await store.append(opening(sid=f"RM_{number}", started_at=float(number)), (), event_id=None, replica="a")
    assert await connection.call("ZCARD", keys.name("support-17")) == 50
    assert await store.find("support-17") == "RM_59"


@pytest.mark.parametrize("room", ["a/b", "{x}", "}", "ünï ✓", "\udcff", "", "a" * 5000, "*"])
async def test_any_text_can_be_asked_for(store: Sessions, room: str) -> None:
    assert await store.find(room) is None
    assert await store.near_names(room) == ()


async def test_names_that_look_alike_are_offered_best_first_while_their_sessions_exist(store: Sessions) -> None:
    for room in ("support-17", "support-18", "support-117", "billing"):
        await committed(store, room, 100.0)
    await store.bury("RM_support-18")
    assert await store.near_names("suport-17") == ("support-17", "support-117")


async def test_sessions_are_listed_newest_first(store: Sessions) -> None:
    for room, started_at in (("b", 200.0), ("c", 300.0), ("a", 100.0)):
        await committed(store, room, started_at)
    assert await rooms(store) == ["c", "b", "a"]


async def test_pages_follow_each_other_without_gap_or_repetition_also_where_rooms_started_together(store: Sessions) -> None:
    for number in range(30):
        await committed(store, f"room-{number:02}", 100.0 if number < 25 else 200.0)
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        found = await page(store, limit=4, cursor=cursor)
        seen += [session.room for session in found.sessions]
        cursor = found.cursor
        if cursor is None:
            break
    assert sorted(seen) == [f"room-{number:02}" for number in range(30)]
    assert set(seen[:5]) == {f"room-{number}" for number in range(25, 30)}


async def test_sessions_that_come_meanwhile_do_not_disturb_the_next_page(store: Sessions) -> None:
    for number in range(4):
        await committed(store, f"room-{number}", 100.0 + number)
    first = await page(store, limit=2)
    await committed(store, "newer", 500.0)
    assert await rooms(store, cursor=first.cursor) == ["room-1", "room-0"]


@pytest.mark.parametrize("cursor", ["nonsense", ":", "x:RM_1", "nan:RM_1", "\udcff:1"])
async def test_a_cursor_that_is_none_is_refused(store: Sessions, cursor: str) -> None:
    with pytest.raises(ValueError, match=r"cursor|float"):
        await page(store, cursor=cursor)


async def test_sessions_are_listed_by_their_present_state(store: Sessions) -> None:
    await committed(store, "waiting", 100.0, routed("mary"))
    await committed(store, "nobody", 200.0, routed())
    await committed(store, "over", 300.0, routed("mary"), FINISHED)
    await committed(store, "given-up", 400.0, routed("mary"), GaveUp("mary", Cause.NOT_TAKEN))
    assert await rooms(store, state=SessionState.DISPATCHING) == ["waiting"]
    assert await rooms(store, state=SessionState.UNROUTED) == ["nobody"]
    assert await rooms(store, state=SessionState.ENDED) == ["over"]
    assert await rooms(store, state=SessionState.UNVERIFIED) == ["given-up"]
    assert await rooms(store, state=SessionState.VERIFIED) == []


async def test_a_session_that_changes_its_state_changes_its_list(store: Sessions, other: Sessions) -> None:
    await committed(store, "x", 100.0, routed("mary"))
    for one, replica, from_owner, facts in (
        (store, "replica-a", None, [GaveUp("mary", Cause.NOT_TAKEN)]),
        (other, "replica-b", "replica-a", [FINISHED]),
    ):
        loaded = await load(one, "RM_x", replica, from_owner=from_owner)
        await one.commit(folded(loaded, *facts), epoch=loaded.epoch, trim=0)
    assert await rooms(store, state=SessionState.ENDED) == ["x"]
    for state in (SessionState.DISPATCHING, SessionState.UNVERIFIED):
        assert await rooms(store, state=state) == []


async def test_a_session_that_is_back_with_its_first_owner_is_indexed_anew(store: Sessions, other: Sessions) -> None:
    """What the first owner remembers to have written, the second one has overwritten."""
    await committed(store, "x", 100.0, routed("mary"))
    loaded = await load(other, "RM_x", "replica-b", from_owner="replica-a")
    gave_up = folded(loaded, GaveUp("mary", Cause.NOT_TAKEN))
    await other.commit(gave_up, epoch=loaded.epoch, trim=0)
    back = await load(store, "RM_x", from_owner="replica-b")
    assert loaded.session is not None
    await store.commit(loaded.session, epoch=back.epoch, trim=0)
    assert await rooms(store, state=SessionState.DISPATCHING) == ["x"]
    assert await rooms(store, state=SessionState.UNVERIFIED) == []


async def test_another_replicas_first_event_of_a_session_does_not_disturb_its_index(store: Sessions, other: Sessions) -> None:
    await committed(store, "x", 100.0, routed("mary"), GaveUp("mary", Cause.NOT_TAKEN))
    await other.append(opening("RM_x", "x"), [joined("PA_1")], event_id=None, replica="replica-b")
    assert await rooms(store, state=SessionState.UNVERIFIED) == ["x"]


async def test_sessions_are_listed_by_agent_and_cause_of_the_same_placement(store: Sessions) -> None:
    await committed(store, "a", 100.0, routed("mary", "tom"), GaveUp("mary", Cause.NOT_TAKEN))
    await committed(store, "b", 200.0, routed("tom"), GaveUp("tom", Cause.NEVER_JOINED))
    assert await rooms(store, agent_name="mary") == ["a"]
    assert await rooms(store, agent_name="tom") == ["b", "a"]
    assert await rooms(store, cause=Cause.NOT_TAKEN) == ["a"]
    assert await rooms(store, agent_name="tom", cause=Cause.NOT_TAKEN) == []
    assert await rooms(store, agent_name="nobody") == []


async def test_sessions_are_listed_by_age(store: Sessions) -> None:
    now = await store.now()
    await committed(store, "old", now - 120)
    await committed(store, "young", now - 10)
    assert await rooms(store, older_than=60.0) == ["old"]
    assert await rooms(store, older_than=0.0) == ["young", "old"]


async def test_what_is_gone_is_not_listed_and_leaves_the_indexes(store: Sessions, connection: Connection, keys: Keys) -> None:
    await committed(store, "there", 100.0)
    await committed(store, "gone", 200.0)
    await connection.call("DEL", keys.session("RM_gone"), keys.inbox("RM_gone"))
    assert await rooms(store) == ["there"]
    assert await connection.call("ZCARD", keys.sessions) == 1


async def test_what_expired_unseen_is_swept_out_by_those_that_come(store: Sessions, connection: Connection, keys: Keys) -> None:
    for number in range(3):
        await committed(store, f"expired-{number}", 100.0)
        await connection.call("ZADD", keys.due, "XX", 1, f"RM_expired-{number}")
    await committed(store, "new", 200.0)
    assert await connection.call("ZRANGE", keys.sessions, 0, -1) == [b"RM_new"]


async def test_one_unreadable_record_does_not_hide_the_others(store: Sessions, connection: Connection, keys: Keys) -> None:
    await committed(store, "good", 100.0)
    await committed(store, "bad", 200.0)
    await connection.call("HSET", keys.session("RM_bad"), "record", b"{")
    assert await rooms(store) == ["good"]


async def test_a_page_among_thousands_reads_no_more_than_it_must_and_goes_on_later(store: Sessions) -> None:
    await asyncio.gather(
        *(
            store.append(opening(f"RM_{number}", f"room-{number}", float(number)), (), event_id=None, replica="a")
            for number in range(1001)
        )
    )
    first = await page(store, agent_name="mary")
    assert (first.sessions, first.cursor is None) == ((), False)
    assert await page(store, agent_name="mary", cursor=first.cursor) == Page((), None)


async def test_a_fallback_that_is_asked_instead_is_found_too(store: Sessions) -> None:
    spec = PlacementSpec((CandidateSpec("mary"), CandidateSpec("tom")))
    await committed(store, "x", 100.0, Routed((spec,), "r"), FallbackChosen("mary", 1, Cause.NOT_TAKEN))
    assert await rooms(store, agent_name="tom") == ["x"]


async def test_the_store_says_what_time_it_is(store: Sessions) -> None:
    first = await store.now()
    assert 0 <= await store.now() - first < 5


@pytest.mark.parametrize(
    ("spoil", "heal"),
    [
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
    ],
)
async def test_a_store_that_would_not_store_is_not_ready(
    store: Sessions, connection: Connection, spoil: tuple[str, ...], heal: tuple[str, ...]
) -> None:
    """A server that is read-only or full still answers PING."""
    await store.ping()
    await connection.call(*spoil)
    try:
        with pytest.raises(StoreUnavailable):
            await store.ping()
        with pytest.raises(StoreUnavailable):
            await tell(store, STARTED)
    finally:
        await connection.call(*heal)
    await store.ping()
    await tell(store, STARTED)
    assert [d.fact for d in await store.inbox(SID)] == [opening(), STARTED]
