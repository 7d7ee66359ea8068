"""Driving one session: the only place where facts are folded into its record, and where the record is committed."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.core.facts import Fact, RoomOpened, Routed
from orchestrator.core.placement import Placement
from orchestrator.core.session import Session
from orchestrator.core.transitions import fold
from orchestrator.runtime.ports import (
    Clock,
    Committed,
    Delivered,
    Loaded,
    Observer,
    RollcallError,
    SessionStore,
    StoreUnavailable,
)

Route = Callable[[str, str], Routed]
"""Room name and room metadata in, placements out: by the configuration, and by who answers to the names in it now."""

_STORE_RETRY = 0.5
"""Seconds between attempts to write while the store is away: nothing else may happen to the session meanwhile."""


class Superseded(RollcallError):
    """Another replica drives this session by now, or this one is stopping: stop at once, change nothing."""


@dataclass(frozen=True, slots=True)
class OwnerParts:
    """What every owner of this replica shares."""

    store: SessionStore
    clock: Clock
    route: Route
    observer: Observer
    replica: str


class SessionOwner:
    """One session, driven by this replica. Its methods raise Superseded as soon as another replica drives it."""

    def __init__(
        self,
        sid: str,
        loaded: Loaded,
        parts: OwnerParts,
        *,
        on_commit: Callable[["SessionOwner"], None],
        on_stop: Callable[["SessionOwner"], object],
    ) -> None:
        self.sid = sid
        self._parts = parts
        self._on_commit = on_commit
        self._on_stop = on_stop
        self._session = loaded.session
        self._foreseen: Session | None = None
        self._routed: Routed | None = None
        self._epoch = loaded.epoch
        self._inbox: tuple[Delivered, ...] | None = loaded.inbox
        self._woken = False
        self._stale = False
        self._stopped = False
        self._lock = asyncio.Lock()
        self._changed = asyncio.Event()

    @property
    def session(self) -> Session:
        """The record as it was committed last; before the first commit, as `foresee` folded it."""
        session = self._session or self._foreseen
        if session is None:
            raise RuntimeError(f"session {self.sid} is used before its first commit")
        return session

    @property
    def committed(self) -> bool:
        """Whether there is a record yet."""
        return self._session is not None

    @property
    def stopped(self) -> bool:
        return self._stopped

    def wanted(self, agent_name: str) -> Placement | None:
        """The placement, while it wants an agent and the room lives. Raises Superseded."""
        self._check()
        placement = self.session.placement(agent_name)
        return placement if self.session.wants(placement) else None

    def foresee(self) -> Session:
        """Fold what was loaded, without committing it: one may look beside the first commit, and write only after it."""
        session = self._session
        for delivered in self._inbox or ():
            session = fold(session, delivered.fact, delivered.at)
        if session is None:
            raise RuntimeError(f"session {self.sid} was claimed without any fact")
        if not session.routed:
            session = fold(session, self._route(session), self._parts.clock.now())
        self._foreseen = session
        return session

    def stop(self) -> None:
        """Drive it no further: whoever waits for it gets Superseded."""
        if not self._stopped:
            self._stopped = True
            self.nudge()
            self._on_stop(self)

    @property
    def woken(self) -> bool:
        return self._woken

    def wake(self) -> None:
        """Facts wait in the inbox."""
        self._woken = True

    def doubt(self) -> None:
        """What is stored may be older than what we committed: it is loaded before anything else is."""
        self._stale = True
        self._woken = True

    def nudge(self) -> None:
        """Let everybody who waits look again."""
        event, self._changed = self._changed, asyncio.Event()
        event.set()

    async def until(self, condition: Callable[[Session], bool], *, timeout: float | None = None) -> bool:
        """Wait until the session is so, for at most `timeout` seconds; whether it is. Raises Superseded."""
        try:
            async with asyncio.timeout(None if timeout is None else max(timeout, 0.0)):
                while not condition(self.session):
                    self._check()
                    await self._changed.wait()
        except TimeoutError:
            self._check()
            return condition(self.session)
        self._check()
        return True

    async def people(self) -> frozenset[str]:
        """The participant sids of the people in the room, as the store counts them. Raises StoreUnavailable."""
        return await self._parts.store.people(self.sid)

    async def tell(self, *facts: Fact) -> None:
        """Store facts as if somebody else had found them, and fold them. Raises StoreUnavailable, Superseded."""
        opening = RoomOpened(self.session.room, self.sid, self.session.started_at)
        await self._parts.store.append(opening, facts, event_id=None, replica=self._parts.replica)
        self._woken = True
        await self.advance()

    async def advance(self) -> None:
        """Fold what waits in the inbox."""
        await self.record()

    async def record(self, *facts: Fact) -> Session:
        """Fold what waits in the inbox, then these facts, and commit; returns when it is stored.

        While the store is away this waits: whatever follows a record (a call to LiveKit, an alert) follows its commit.
        """
        async with self._lock:
            while True:
                self._check()
                try:
                    await self._fold_and_commit(facts)
                except StoreUnavailable:
                    # The commit may have been executed, and the inbox trimmed: what is stored decides.
                    self._stale = True
                    await self._parts.clock.sleep(_STORE_RETRY)
                else:
                    return self.session

    async def _fold_and_commit(self, facts: tuple[Fact, ...]) -> None:
        if self._stale:
            await self._reload()
        waiting = await self._waiting()
        session = self._session
        steps: list[tuple[Session | None, Session, Delivered]] = []

        def take(delivered: Delivered) -> None:
            nonlocal session
            before, session = session, fold(session, delivered.fact, delivered.at)
            steps.append((before, session, delivered))

        for delivered in waiting:
            take(delivered)
        if session is None:
            raise RuntimeError(f"session {self.sid} was claimed without any fact")
        now = self._parts.clock.now()
        if not session.routed:
            take(Delivered(self._route(session), now))
        for fact in facts:
            take(Delivered(fact, now))
        if not steps or session is None:
            self._inbox = None  # all of it is folded: the next wake-up reads anew
            return
        if await self._parts.store.commit(session, epoch=self._epoch, trim=len(waiting)) is Committed.SUPERSEDED:
            self.stop()
            raise Superseded(self.sid)
        self._session = session
        self._inbox = None
        self.nudge()
        self._on_commit(self)
        # Logs and metrics wait until what was committed for (a call to LiveKit) is under way.
        asyncio.get_running_loop().call_soon(self._observe, steps)

    def _observe(self, steps: Sequence[tuple[Session | None, Session, Delivered]]) -> None:
        for before, after, delivered in steps:
            self._parts.observer.folded(before, after, delivered)

    def _route(self, session: Session) -> Routed:
        """The routes' answer, asked for once: who is chosen of several may change by the next time, and work has begun."""
        if self._routed is None:
            self._routed = self._parts.route(session.room, session.metadata)
        return self._routed

    async def _waiting(self) -> tuple[Delivered, ...]:
        if self._inbox is not None:
            return self._inbox
        if not self._woken:
            return ()
        self._woken = False  # before the read: a wake-up that comes during it means another read
        try:
            return await self._parts.store.inbox(self.sid)
        except StoreUnavailable:
            self._woken = True
            raise

    async def _reload(self) -> None:
        loaded = await self._parts.store.take(self.sid, self._parts.replica, from_owner=None)
        if loaded is None or self._is_older(loaded.session):
            self.stop()
            raise Superseded(self.sid)
        self._session, self._epoch, self._inbox = loaded.session, loaded.epoch, loaded.inbox
        self._stale = False

    def _is_older(self, stored: Session | None) -> bool:
        """Whether the store has forgotten what was committed: then all begins anew, as after a takeover.

        Who works for the session still, or does not any more, knows what is not so: an agent that nobody asked for yet.
        """
        return self._session is not None and (stored is None or stored.updated_at < self._session.updated_at)

    def _check(self) -> None:
        if self._stopped:
            raise Superseded(self.sid)
