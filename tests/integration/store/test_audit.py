"""AuditLog: who did what, newest first, bounded."""

from __future__ import annotations

import pytest

from orchestrator.core.audit import Action, Deed
from orchestrator.store.audit import AuditLog
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys

CANCEL = Deed(Action.CANCEL, "operate", "wrong number", "support-17", "RM_1", taken=2)


@pytest.fixture
def audit(connection: Connection, keys: Keys) -> AuditLog:
    return AuditLog(connection, keys)


@pytest.fixture
def short_audit(connection: Connection, keys: Keys) -> AuditLog:
    """It keeps three lines."""
    return AuditLog(connection, keys, kept=3)


async def reasons(audit: AuditLog) -> list[str]:
    entries, _ = await audit.page(cursor=None, limit=10)
    return [entry.deed.reason for entry in entries]


async def test_what_was_done_is_read_as_it_was_written_with_its_time(audit: AuditLog) -> None:
    await audit.add(CANCEL)
    (entry,), cursor = await audit.page(cursor=None, limit=10)
    assert entry.deed == CANCEL
    assert entry.id.startswith(str(round(entry.at * 1000)))
    assert cursor is None


async def test_pages_go_from_the_newest_to_the_oldest_and_nothing_comes_twice(audit: AuditLog) -> None:
    for number in range(5):
        await audit.add(Deed(Action.REDISPATCH, "operate", str(number)))
    seen, cursor = [], None
    while True:
        entries, cursor = await audit.page(cursor=cursor, limit=2)
        seen += [entry.deed.reason for entry in entries]
        if cursor is None:
            break
    assert seen == ["4", "3", "2", "1", "0"]


async def test_of_too_many_lines_the_oldest_go(short_audit: AuditLog) -> None:
    for number in range(5):
        await short_audit.add(Deed(Action.REDISPATCH, "operate", str(number)))
    assert await reasons(short_audit) == ["4", "3", "2"]


@pytest.mark.parametrize("cursor", ["", "soon", "1-", "0x1-1", "1-1-1"])
async def test_a_cursor_that_no_page_gave_is_refused(audit: AuditLog, cursor: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 the port promises no more
        await audit.page(cursor=cursor, limit=2)


async def test_a_cursor_beyond_what_a_store_can_hold_is_refused_too(audit: AuditLog) -> None:
    for cursor in ("0-0", "9" * 30 + "-0"):
        with pytest.raises(ValueError, match="cursor"):
            await audit.page(cursor=cursor, limit=2)


async def test_the_log_does_not_stay_for_ever(audit: AuditLog, connection: Connection, keys: Keys) -> None:
    await audit.add(CANCEL)
    assert await connection.call("TTL", keys.audit) > 80 * 86_400
