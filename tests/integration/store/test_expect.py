"""Sessions.expect: what is known of a room before it has a sid is stored with the session that then begins."""

from __future__ import annotations

from orchestrator.core.facts import AgentWanted, CandidateSpec, Fact, PlacementSpec, RoomOpened, Source
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.sessions import EXPECTED_TTL, Sessions
from tests.integration.store.stories import SID, STARTED, A, B, load, opening, tell


def wanted(name: str, metadata: str = "{}") -> AgentWanted:
    return AgentWanted(PlacementSpec((CandidateSpec(name, metadata),)), Source.TOKEN)


async def facts_of(store: Sessions, sid: str = SID) -> list[Fact]:
    return [delivered.fact for delivered in await store.inbox(sid)]


async def test_the_session_of_a_room_begins_with_what_was_expected_of_its_name(store: Sessions) -> None:
    mary, tom = wanted("mary", '{"text": "two\\nlines \\u00e9"}'), wanted("tom")
    await store.expect("support-17", [mary, tom])
    reply = await store.append(opening(), [STARTED], event_id="EV_1", replica=A)
    assert reply.owner == A
    assert reply.claimed is None, "there is more to it than this event"
    assert [delivered.fact for delivered in (await load(store)).inbox] == [opening(), STARTED, mary, tom]


async def test_other_rooms_expect_nothing(store: Sessions) -> None:
    await store.expect("support-17", [wanted("mary")])
    other = RoomOpened(room="support-18", sid="RM_18", started_at=100.0)
    reply = await store.append(other, [STARTED], event_id="EV_1", replica=A)
    assert reply.claimed is not None
    assert await facts_of(store, "RM_18") == [other, STARTED]


async def test_a_session_that_was_there_before_is_left_alone(store: Sessions) -> None:
    await tell(store, STARTED)
    await store.expect("support-17", [wanted("mary")])
    await tell(store, STARTED, event_id="EV_2", replica=B)
    assert await facts_of(store) == [opening(), STARTED, STARTED]


async def test_what_is_expected_later_counts(store: Sessions) -> None:
    await store.expect("support-17", [wanted("mary")])
    await store.expect("support-17", [wanted("tom")])
    await tell(store, STARTED)
    assert await facts_of(store) == [opening(), STARTED, wanted("tom")]


async def test_nothing_is_expected_for_long(store: Sessions, connection: Connection, keys: Keys) -> None:
    await store.expect("support-17", [wanted("mary")])
    assert 0 < await connection.call("TTL", keys.expected("support-17")) <= EXPECTED_TTL
