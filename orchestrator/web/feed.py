"""The sessions as the screen lists them, kept up to date while anybody looks: read once per change, whoever many look.

A change is heard the moment that any replica commits it, and read then. Nothing relies on that alone: now and then all
that live are compared with what is shown, by the few words that the reconciler uses, too.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol

import structlog

from orchestrator.core.scratch import hidden
from orchestrator.core.session import Session, SessionState
from orchestrator.runtime.ports import Clock, Held, StoreCorrupt, StoreUnavailable
from orchestrator.web.rows import Summary, row_of
from orchestrator.web.times import rfc3339

log = structlog.get_logger()

SHOWN: Final = 10_000
"""Sessions at the most; of more the newest."""

ENDED_SHOWN: Final = 600.0
"""Seconds for which a session is shown that has ended."""

_TOGETHER: Final = 0.25
"""Seconds within which what changes is read and told together."""

_REFRESH: Final = 5.0
"""Seconds after which the summary is made anew if nothing changes."""

_COMPARE: Final = 60.0
_RETRY: Final = 1.0

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


class ChangeSource(Protocol):
    async def follow(self, on_change: Callable[[str], None], on_begin: Callable[[], None]) -> None:
        """Tell of each session that changes, for ever, and whenever that begins, or begins anew."""
        ...


class Spawn(Protocol):
    def __call__(self, name: str, work: Coroutine[Any, Any, None], /) -> asyncio.Task[None]: ...


@dataclass(frozen=True, slots=True)
class FeedParts:
    store: SessionSource
    changes: ChangeSource
    clock: Clock
    spawn: Spawn
    paused: Callable[[], Iterable[str]]
    warnings: Callable[[], Awaitable[Sequence[str]]]
    incidents: Callable[[], Awaitable[int]]
    """How many are open. Raises StoreUnavailable."""
    version: str


@dataclass(frozen=True, slots=True)
class _Shown:
    row: bytes
    state: SessionState
    started_at: float
    ended_at: float | None
    read_at: float


class Watcher:
    """One who looks, and what of the list has changed since that one was told last."""

    def __init__(self) -> None:
        self._changed: set[str] = set()
        self._stirred = asyncio.Event()

    def stir(self, sids: Iterable[str] = ()) -> None:
        self._changed.update(sids)
        self._stirred.set()

    async def wait(self, seconds: float) -> None:
        """Until there is something to tell, but not for longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stirred.wait()

    def take(self) -> set[str]:
        """The sids of what has changed."""
        changed, self._changed = self._changed, set()
        self._stirred.clear()
        return changed


class Feed:
    """Runs from when the first one looks until the last one looks away."""

    def __init__(self, parts: FeedParts) -> None:
        self._parts = parts
        self._watchers: set[Watcher] = set()
        self._running: list[asyncio.Task[None]] = []
        self.stopping = False
        self._forget()

    def __len__(self) -> int:
        """How many look."""
        return len(self._watchers)

    def stop(self) -> None:
        """Let everybody go: this replica is about to stop."""
        self.stopping = True
        self._loaded.set()  # nobody waits any more
        for watcher in self._watchers:
            watcher.stir()

    @contextmanager
    def watch(self) -> Iterator[Watcher]:
        """Look."""
        watcher = Watcher()
        if not self._watchers:
            spawn = self._parts.spawn
            self._running = [spawn("feed", self._run()), spawn("feed:changes", self._follow())]
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)
            if not self._watchers:
                for task in self._running:
                    task.cancel()
                self._forget()

    async def loaded(self, seconds: float) -> bool:
        """Wait until there is a list; False: there is none yet, or there will be none any more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._loaded.wait()
        return self._loaded.is_set() and not self.stopping

    def snapshot(self, watcher: Watcher) -> str:
        """All that is shown, as JSON, for one who has been told nothing yet."""
        watcher.take()
        newest_first = sorted(self._rows.values(), key=lambda shown: shown.started_at, reverse=True)
        truncated = b"true" if self._left_out else b"false"
        return _json(self._head, b'"sessions":[', b",".join(shown.row for shown in newest_first), b'],"truncated":', truncated)

    def changes(self, watcher: Watcher) -> str:
        """What has changed since this one was told last, as JSON."""
        changed = watcher.take()
        rows = b",".join(self._rows[sid].row for sid in changed if sid in self._rows)
        gone = json.dumps([sid for sid in changed if sid not in self._rows]).encode()
        return _json(self._head, b'"sessions":[', rows, b'],"gone":', gone)

    # --- what runs ---

    def _forget(self) -> None:
        self._rows: dict[str, _Shown] = {}
        self._dirty: dict[str, None] = {}
        self._news: set[str] = set()
        self._left_out = 0
        self._list_anew = False
        self._as_of = 0.0
        self._incidents = 0
        self._head = b""
        self._loaded = asyncio.Event()
        self._stirred = asyncio.Event()

    async def _follow(self) -> None:
        await self._parts.changes.follow(self._on_change, self._on_begin)

    def _on_change(self, sid: str) -> None:
        self._dirty[sid] = None
        self._stirred.set()

    def _on_begin(self) -> None:
        self._list_anew = True
        self._stirred.set()

    async def _run(self) -> None:
        clock = self._parts.clock
        await self._stirred.wait()  # until it is heard what changes: whatever is read before may have changed since
        compared_at = clock.monotonic()
        interrupted = False
        while True:
            try:
                if clock.monotonic() - compared_at >= _COMPARE:
                    await self._compare()
                    compared_at = clock.monotonic()
                await self._refresh()
                interrupted = False
            except StoreUnavailable as error:
                if not interrupted:  # once per outage
                    log.warning("feed_interrupted", error=str(error))
                interrupted = True
            await self._summarise()
            self._tell()
            await clock.sleep(_TOGETHER)
            with suppress(TimeoutError):
                async with asyncio.timeout((_RETRY if interrupted else _REFRESH) - _TOGETHER):
                    await self._stirred.wait()

    async def _refresh(self) -> None:
        """Read what is known to have changed, or everything."""
        self._stirred.clear()
        if self._list_anew:
            listed = await self._parts.store.recent(ENDED_SHOWN)
            self._list_anew = False
            self._left_out = max(len(listed) - SHOWN, 0)
            self._dirty |= dict.fromkeys((*listed[:SHOWN], *self._rows))
        as_of = self._parts.clock.now()
        while self._dirty:
            portion = list(islice(self._dirty, _PORTION))
            for sid in portion:
                del self._dirty[sid]
            await self._read(portion)
        self._drop_old(as_of)
        self._as_of = as_of
        self._incidents = await self._parts.incidents()

    async def _read(self, sids: Sequence[str]) -> None:
        at = self._parts.clock.now()
        try:
            sessions = await asyncio.gather(*(self._read_one(sid) for sid in sids))
        except StoreUnavailable:
            self._dirty |= dict.fromkeys(sids)
            raise
        for sid, session in zip(sids, sessions, strict=True):
            self._keep(sid, session, at)

    async def _read_one(self, sid: str) -> Session | None:
        try:
            return await self._parts.store.read(sid)
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

    async def _compare(self) -> None:
        """Find what was changed and never heard of."""
        held: set[str] = set()
        async for portion in self._parts.store.held():
            for one in portion:
                held.add(one.sid)
                known = self._rows.get(one.sid)
                if len(self._rows) < SHOWN if known is None else one.touched_at > known.read_at - _SLACK:
                    self._dirty[one.sid] = None
        self._dirty |= dict.fromkeys(sid for sid, s in self._rows.items() if s.ended_at is None and sid not in held)
        self._left_out = max(len(held) - SHOWN, 0)

    # --- what is told ---

    async def _summarise(self) -> None:
        parts, states = self._parts, Counter(shown.state for shown in self._rows.values())
        summary = Summary(
            live=states.total() - states[SessionState.ENDED] + self._left_out,
            by_state={state: states[state] for state in SessionState},
            incidents_open=self._incidents,
            paused=tuple(sorted(parts.paused())),
            warnings=tuple(await parts.warnings()),
            version=parts.version,
        )
        as_of = rfc3339(self._as_of).encode()
        self._head = b'"at":"' + as_of + b'","summary":' + summary.model_dump_json().encode() + b","

    def _tell(self) -> None:
        if self._as_of:
            self._loaded.set()
        news, self._news = self._news, set()
        for watcher in self._watchers if news else ():
            watcher.stir(news)


def _json(*parts: bytes) -> str:
    return (b"{" + b"".join(parts) + b"}").decode()
