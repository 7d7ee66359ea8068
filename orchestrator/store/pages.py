"""Lists of sessions, newest first, page by page."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol

import structlog

from orchestrator.core.causes import Cause
from orchestrator.core.placement import Placement
from orchestrator.core.scratch import hidden
from orchestrator.core.session import Session, SessionState
from orchestrator.runtime.ports import Page, StoreCorrupt
from orchestrator.store.index import Index, Position

log = structlog.get_logger()

_BATCH: Final = 50

_SCANNED: Final = 1000
"""Records that one page reads at most: where few match it may be shorter than its limit, and still have a cursor."""


class Read(Protocol):
    """How a session is read by its sid: None when it is gone; raises StoreCorrupt."""

    async def __call__(self, sid: str, /) -> Session | None: ...


@dataclass(frozen=True, slots=True)
class Filter:
    """What a session must be to be listed; None: no matter."""

    state: SessionState | None
    agent_name: str | None
    cause: Cause | None

    def matches(self, session: Session) -> bool:
        if hidden(session):
            return False
        if self.state is not None and session.state is not self.state:
            return False  # the index by state may lag behind the record
        if self.agent_name is None and self.cause is None:
            return True
        return any(self._matches(placement) for placement in session.placements)

    def _matches(self, placement: Placement) -> bool:
        named = self.agent_name is None or self.agent_name in {placement.agent_name, *placement.names}
        return named and (self.cause is None or placement.cause is self.cause)


class Pages:
    """Walks an index and reads what it names, in bounded batches."""

    def __init__(self, index: Index, read: Read) -> None:
        self._index = index
        self._read = read

    async def page(self, wanted: Filter, *, until: float | None, cursor: str | None, limit: int) -> Page:
        """Sessions that started at `until` or before. Raises ValueError for a cursor that no page gave."""
        found: list[Session] = []
        position: Position | None = None
        scanned = 0
        async for position, session in self._walk(wanted.state, until, Position.parse(cursor) if cursor else None):
            scanned += 1
            if session is not None and wanted.matches(session):
                found.append(session)
            if len(found) == limit or scanned == _SCANNED:
                return Page(tuple(found), str(position))
        return Page(tuple(found), None)

    async def _walk(
        self, state: SessionState | None, until: float | None, after: Position | None
    ) -> AsyncIterator[tuple[Position, Session | None]]:
        while positions := await self._index.newest(state, until=until, after=after, count=_BATCH):
            sessions = await asyncio.gather(*(self._read_or_skip(position.sid) for position in positions))
            for position, session in zip(positions, sessions, strict=True):
                yield position, session
            after = positions[-1]

    async def _read_or_skip(self, sid: str) -> Session | None:
        try:
            session = await self._read(sid)
        except StoreCorrupt as error:
            log.warning("session_unreadable", sid=sid, error=str(error))  # one bad record must not hide all others
            return None
        if session is None:
            await self._index.remove([sid])
        return session
