"""ReceivedWebhooks: those that came last, newest first, bounded; refused ones apart."""

from __future__ import annotations

import pytest

from orchestrator.core.received import Received
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.received import ReceivedWebhooks

STORED = Received(
    1_000.5, "stored", 300, "room_started", "support-17", "RM_1", "EV_1", key="APIkey", body={"event": "room_started"}
)
FORGED = Received(1_001.5, "forged", 20, reason="signature")


@pytest.fixture
def received(connection: Connection, keys: Keys) -> ReceivedWebhooks:
    return ReceivedWebhooks(connection, keys, kept=1000)


@pytest.fixture
def few(connection: Connection, keys: Keys) -> ReceivedWebhooks:
    """It keeps ten, and two that were refused."""
    return ReceivedWebhooks(connection, keys, kept=10)


def numbered(number: int, outcome: str = "stored") -> Received:
    return Received(float(number), outcome, number, room=f"room-{number % 2}")


async def sizes(received: ReceivedWebhooks, *, outcome: str | None = None, room: str | None = None) -> list[int]:
    """Page by page."""
    seen: list[int] = []
    cursor = None
    while True:
        page, cursor = await received.page(outcome=outcome, room=room, cursor=cursor, limit=3)
        assert len(page) <= 3
        seen += [one.received.bytes for one in page]
        if cursor is None:
            return seen


async def test_what_came_is_read_as_it_was_written_and_found_by_its_id(received: ReceivedWebhooks) -> None:
    await received.add([STORED], [FORGED])
    page, cursor = await received.page(outcome=None, room=None, cursor=None, limit=10)
    assert {one.received for one in page if one.received.body is None} == {FORGED}
    assert [one.received for one in page if one.received.body is not None] == [STORED]
    assert cursor is None
    for one in page:
        assert await received.find(one.id) == one


async def test_pages_go_from_the_newest_to_the_oldest_over_both_kinds_and_nothing_comes_twice(
    received: ReceivedWebhooks,
) -> None:
    for number in range(4):
        await received.add([numbered(10 * number + n) for n in range(2)], [numbered(10 * number + 5, "forged")])
    seen = await sizes(received)
    assert sorted(seen) == [0, 1, 5, 10, 11, 15, 20, 21, 25, 30, 31, 35]
    accepted = [number for number in seen if number % 10 != 5]
    assert accepted == sorted(accepted, reverse=True)


async def test_they_are_found_by_what_became_of_them_and_by_room(received: ReceivedWebhooks) -> None:
    await received.add([numbered(n) for n in range(6)], [numbered(n, "forged") for n in range(6, 9)])
    assert await sizes(received, outcome="forged") == [8, 7, 6]
    assert await sizes(received, room="room-1", outcome="stored") == [5, 3, 1]
    assert await sizes(received, outcome="stalled") == []


async def test_of_too_many_the_oldest_go_and_refused_ones_displace_none_that_counted(few: ReceivedWebhooks) -> None:
    await few.add([numbered(n) for n in range(12)], [])
    for _ in range(3):
        await few.add([], [numbered(n, "forged") for n in range(100, 150)])
    assert await sizes(few, outcome="stored") == list(range(11, 1, -1))
    assert await sizes(few, outcome="forged") == [149, 148]


@pytest.mark.parametrize("cursor", ["", "soon", "1-1", "x1-1", "a0-0", "a1-", "a" + "9" * 30 + "-0"])
async def test_a_cursor_that_no_page_gave_is_refused_and_is_nobodys_id(received: ReceivedWebhooks, cursor: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 the port promises no more
        await received.page(outcome=None, room=None, cursor=cursor, limit=2)
    assert await received.find(cursor) is None


async def test_nothing_to_add_is_nothing_done(received: ReceivedWebhooks) -> None:
    await received.add([], [])
    assert await sizes(received) == []
