"""The sessions that the screen lists, each as a line of JSON: read when they change, and compared now and then.

A change is heard the moment that any replica commits it, and read then. Nothing relies on that alone: now and then all
that live are compared with what is shown, by the few words that the reconciler uses, too.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

import structlog

from orchestrator.core.scratch import hidden
from orchestrator.core.session import Session, SessionState
from orchestrator.runtime.ports import Clock, Held, StoreCorrupt, StoreUnavailable
from orchestrator.web.rows import row_of

log = structlog.get_logger()

SHOWN: Final = 10_000
"""Sessions at the most; of more the newest."""

ENDED_SHOWN: Final = 600.0
"""Seconds for which a session is shown that has ended."""

_PORTION: Final = 40
"""Sessions that are read at once: the event loop is held up for some ms by them."""

_SLACK: Final = 1.0
"""Seconds by which the store's clock may be ahead of what is known of it here."""


class SessionSource(Protocol):
    """What is needed of the store. Every method raises StoreUnavailable."""

    async def read(self, sid: str) -> Session | None:
        """Raises StoreCorrupt, too."""
        ...

    async def recent(self, ended_within: float) -> tuple[str, ...]: ...

    def held(self) -> AsyncIterator[tuple[Held, ...]]: ...


@dataclass(frozen=True, slots=True)
class _Shown:
    row: bytes
    state: SessionState
    started_at: float
    ended_at: float | None
    read_at: float


class ShownSessions:
    """What is shown, as of when; and what of it is known to have changed since."""

    def __init__(self, store: SessionSource, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._rows: dict[str, _Shown] = {}
        self._dirty: dict[str, None] = {}
        self._news: set[str] = set()
        self._list_anew = False
        self._left_out = 0
        self.stirred = asyncio.Event()
        """There is something to be read."""
        self.as_of = 0.0
        """What is shown was true then. 0: nothing was read yet."""

    def on_change(self, sid: str) -> None:
        """A session has changed."""
        self._dirty[sid] = None
        self.stirred.set()

    def on_begin(self) -> None:
        """It is listened from now on: what changed before was not heard."""
        self._list_anew = True
        self.stirred.set()

    async def refresh(self) -> None:
        """Read what is known to have changed, or everything. Raises StoreUnavailable, and then it is still to be read."""
        self.stirred.clear()
        if self._list_anew:
            await self._list()
        as_of = self._clock.now()
        while self._dirty:
            portion = list(islice(self._dirty, _PORTION))
            for sid in portion:
                del self._dirty[sid]
            await self._read(portion)
        self._drop_old(as_of)
        self.as_of = as_of

    async def compare(self) -> None:
        """Find what was changed and never heard of, for the next `refresh`. Raises StoreUnavailable."""
        held: set[str] = set()
        async for portion in self._store.held():
            for one in portion:
                held.add(one.sid)
                known = self._rows.get(one.sid)
                if len(self._rows) < SHOWN if known is None else one.touched_at > known.read_at - _SLACK:
                    self._dirty[one.sid] = None
        self._dirty |= dict.fromkeys(sid for sid, s in self._rows.items() if s.ended_at is None and sid not in held)
        self._left_out = max(len(held) - SHOWN, 0)

    # --- what is shown ---

    @property
    def truncated(self) -> bool:
        """Whether there are more."""
        return bool(self._left_out)

    def live(self) -> int:
        """How many live, those that are not shown included."""
        return sum(shown.state is not SessionState.ENDED for shown in self._rows.values()) + self._left_out

    def by_state(self) -> dict[SessionState, int]:
        states = Counter(shown.state for shown in self._rows.values())
        return {state: states[state] for state in SessionState}

    def take_news(self) -> set[str]:
        """The sids of what is shown differently, or no more, since this was asked last."""
        news, self._news = self._news, set()
        return news

    def all_rows(self) -> bytes:
        """The newest first, with commas between them."""
        newest_first = sorted(self._rows.values(), key=lambda shown: shown.started_at, reverse=True)
        return b",".join(shown.row for shown in newest_first)

    def rows_of(self, sids: Iterable[str]) -> bytes:
        """Those of them that are shown, with commas between them."""
        return b",".join(self._rows[sid].row for sid in sids if sid in self._rows)

    def gone_of(self, sids: Iterable[str]) -> bytes:
        """The sids of those that are not shown, as a list."""
        return json.dumps([sid for sid in sids if sid not in self._rows]).encode()

    # --- what is read ---

    async def _list(self) -> None:
        self._list_anew = False  # before it is listed: whatever begins anew meanwhile is another reason
        try:
            listed = await self._store.recent(ENDED_SHOWN)
        except StoreUnavailable:
            self._list_anew = True
            raise
        self._left_out = max(len(listed) - SHOWN, 0)
        self._dirty |= dict.fromkeys((*listed[:SHOWN], *self._rows))

    async def _read(self, sids: Sequence[str]) -> None:
        at = self._clock.now()
        try:
            sessions = await asyncio.gather(*(self._read_one(sid) for sid in sids))
        except StoreUnavailable:
            self._dirty |= dict.fromkeys(sids)
            raise
        for sid, session in zip(sids, sessions, strict=True):
            self._keep(sid, session, at)

    async def _read_one(self, sid: str) -> Session | None:
        try:
            return await self._store.read(sid)
        except StoreCorrupt as error:
            log.warning("session_unreadable", sid=sid, error=str(error))
            return None

    def _keep(self, sid: str, session: Session | None, at: float) -> None:
        known = self._rows.get(sid)
        if session is None or hidden(session) or (session.ended_at is not None and session.ended_at < at - ENDED_SHOWN):
            self._drop(sid)
            return
        if known is None and len(self._rows) >= SHOWN:
            self._left_out = max(self._left_out, 1)
            return
        row = row_of(session).model_dump_json().encode()
        self._rows[sid] = _Shown(row, session.state, session.started_at, session.ended_at, at)
        if known is None or known.row != row:
            self._news.add(sid)

    def _drop_old(self, now: float) -> None:
        old = [sid for sid, s in self._rows.items() if s.ended_at is not None and s.ended_at < now - ENDED_SHOWN]
        for sid in old:
            self._drop(sid)

    def _drop(self, sid: str) -> None:
        if self._rows.pop(sid, None) is not None:
            self._news.add(sid)
