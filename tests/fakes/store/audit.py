"""The audit log of the model: a list, and ids that order as those of a stream."""

import re
from typing import Final

from orchestrator.core.audit import AuditEntry, Deed
from orchestrator.store.audit import KEPT
from tests.fakes.store.server import Line

_ID: Final = re.compile(r"(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})")


class MemoryAudit:
    def __init__(self, line: Line, *, kept: int = KEPT) -> None:
        self._run = line.run
        self._now = line.server.now
        self._kept = kept
        self._count = 0
        self._entries: list[AuditEntry] = []

    async def add(self, deed: Deed) -> None:
        await self._run(lambda: self._add(deed))

    async def page(self, *, cursor: str | None, limit: int) -> tuple[tuple[AuditEntry, ...], str | None]:
        return await self._run(lambda: self._page(cursor, limit))

    def _add(self, deed: Deed) -> None:
        self._count += 1
        at = round(self._now() * 1000)
        self._entries.append(AuditEntry(f"{at}-{self._count}", at / 1000, deed))
        del self._entries[: -self._kept]

    def _page(self, cursor: str | None, limit: int) -> tuple[tuple[AuditEntry, ...], str | None]:
        before = None if cursor is None else _position(cursor)
        newest = [e for e in reversed(self._entries) if before is None or _position(e.id) < before][:limit]
        return tuple(newest), newest[-1].id if len(newest) == limit else None


def _position(entry_id: str) -> tuple[int, int]:
    found = _ID.fullmatch(entry_id)
    if found is None or entry_id == "0-0":
        raise ValueError(f"no cursor: {entry_id[:40]!r}")
    return int(found[1]), int(found[2])
