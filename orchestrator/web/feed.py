"""What all who look at the screen are told: made once, however many look, and only while anybody does."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

from orchestrator.runtime.ports import Clock, StoreUnavailable
from orchestrator.web.rows import Summary
from orchestrator.web.shown_sessions import SessionSource, ShownSessions
from orchestrator.web.times import rfc3339

log = structlog.get_logger()

_TOGETHER: Final = 0.25
"""Seconds within which what changes is read and told together."""

_REFRESH: Final = 5.0
"""Seconds after which the summary is made anew if nothing changes."""

_COMPARE: Final = 60.0
_RETRY: Final = 1.0


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
        shown = self._shown
        return _json(self._head, b'"sessions":[', shown.all_rows(), b'],"truncated":', b"true" if shown.truncated else b"false")

    def changes(self, watcher: Watcher) -> str:
        """What has changed since this one was told last, as JSON."""
        changed = watcher.take()
        return _json(self._head, b'"sessions":[', self._shown.rows_of(changed), b'],"gone":', self._shown.gone_of(changed))

    # --- what runs ---

    def _forget(self) -> None:
        self._shown = ShownSessions(self._parts.store, self._parts.clock)
        self._incidents = 0
        self._head = b""
        self._loaded = asyncio.Event()

    async def _follow(self) -> None:
        await self._parts.changes.follow(self._shown.on_change, self._shown.on_begin)

    async def _run(self) -> None:
        clock, shown = self._parts.clock, self._shown
        await shown.stirred.wait()  # until it is heard what changes: whatever is read before may have changed since
        compared_at = clock.monotonic()
        interrupted = False
        while True:
            try:
                if clock.monotonic() - compared_at >= _COMPARE:
                    await shown.compare()
                    compared_at = clock.monotonic()
                await shown.refresh()
                self._incidents = await self._parts.incidents()
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
                    await shown.stirred.wait()

    async def _summarise(self) -> None:
        parts, shown = self._parts, self._shown
        summary = Summary(
            live=shown.live(),
            by_state=shown.by_state(),
            incidents_open=self._incidents,
            paused=tuple(sorted(parts.paused())),
            warnings=tuple(await parts.warnings()),
            version=parts.version,
        )
        self._head = _head(shown.as_of, summary)

    def _tell(self) -> None:
        if self._shown.as_of:
            self._loaded.set()
        news = self._shown.take_news()
        for watcher in self._watchers if news else ():
            watcher.stir(news)


def _head(as_of: float, summary: Summary) -> bytes:
    """What every event begins with."""
    return b'"at":"' + rfc3339(as_of).encode() + b'","summary":' + summary.model_dump_json().encode() + b","


def _json(*parts: bytes) -> str:
    return (b"{" + b"".join(parts) + b"}").decode()
