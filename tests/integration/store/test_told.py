"""What people and workers tell of sessions: transcripts, and requests that may come twice."""

from __future__ import annotations

import pytest

from orchestrator.core.transcript import Role, Said
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.repeats import RepeatedRequests
from orchestrator.store.sessions import Sessions
from orchestrator.store.transcripts import KEPT, Transcripts
from tests.integration.store.stories import A
from tests.unit.core.stories import SID, opened


def said(number: int, at: float | None = None) -> Said:
    return Said(f"item-{number}", "mary", Role.USER, f"number {number}", float(number) if at is None else at)


@pytest.fixture
async def transcripts(connection: Connection, keys: Keys, store: Sessions) -> Transcripts:
    await store.append(opened(), [], event_id="EV_1", replica=A)
    return Transcripts(connection, keys, memory=100.0)


async def test_items_are_kept_once_and_read_in_the_order_in_which_they_were_said(transcripts: Transcripts) -> None:
    assert await transcripts.add(SID, [said(2), said(3)])
    assert await transcripts.add(SID, [said(1), said(3, at=0.0)])
    assert await transcripts.read(SID) == (said(1), said(2), said(3))


async def test_what_was_said_at_one_moment_is_read_in_the_order_in_which_it_came(transcripts: Transcripts) -> None:
    items = [said(number, at=7.0) for number in range(12)]
    await transcripts.add(SID, items)
    assert await transcripts.read(SID) == tuple(items)


async def test_of_a_session_that_is_not_known_nothing_is_kept(transcripts: Transcripts) -> None:
    assert not await transcripts.add("RM_other", [said(1)])
    assert await transcripts.read("RM_other") == ()


async def test_a_transcript_is_bounded_and_expires(transcripts: Transcripts, connection: Connection, keys: Keys) -> None:
    for begin in range(0, KEPT + 100, 100):
        await transcripts.add(SID, [said(number) for number in range(begin, begin + 100)])
    assert len(await transcripts.read(SID)) == KEPT
    assert 0 < await connection.call("TTL", keys.transcript(SID)) <= 100


async def test_a_request_is_new_once(connection: Connection, keys: Keys) -> None:
    repeats = RepeatedRequests(connection, keys)
    assert [await repeats.is_new(key) for key in ("a", "a", "b")] == [True, False, True]
    assert 0 < await connection.call("TTL", keys.request("a")) <= 86_400
