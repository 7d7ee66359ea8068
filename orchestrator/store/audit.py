"""The audit log on Redis: a stream, whose ids are times, so that they order and page it."""

import re
from typing import Final

import msgspec

from orchestrator.core.audit import AuditEntry, Deed
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script

KEPT: Final = 10_000
"""Lines: weeks of a busy team."""

_TTL: Final = 90 * 86_400
"""Seconds after the last line."""

_ID: Final = re.compile(r"(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})")


class AuditLog:
    """Over all replicas. Raises StoreUnavailable."""

    def __init__(self, connection: Connection, keys: Keys, *, kept: int = KEPT) -> None:
        self._connection = connection
        self._keys = keys
        self._kept = kept
        self._add = Script.load("audit_add")

    async def add(self, deed: Deed) -> None:
        """Write one line; of too many the oldest goes."""
        await self._add.run(self._connection, [self._keys.audit], [_TTL, self._kept, msgspec.json.encode(deed)])

    async def page(self, *, cursor: str | None, limit: int) -> tuple[tuple[AuditEntry, ...], str | None]:
        """Lines after the cursor, newest first, and the next page's cursor. Raises ValueError for one that no page gave."""
        if cursor is not None and (not _ID.fullmatch(cursor) or cursor == "0-0"):
            raise ValueError(f"no cursor: {cursor[:40]!r}")
        newest = "+" if cursor is None else f"({cursor}"
        found = await self._connection.call("XREVRANGE", self._keys.audit, newest, "-", "COUNT", limit)
        entries = tuple(_entry(name, fields) for name, fields in found)
        return entries, entries[-1].id if len(entries) == limit else None


def _entry(name: bytes, fields: dict[bytes, bytes]) -> AuditEntry:
    entry_id = name.decode()
    return AuditEntry(entry_id, int(entry_id.partition("-")[0]) / 1000, msgspec.json.decode(fields[b"deed"], type=Deed))
