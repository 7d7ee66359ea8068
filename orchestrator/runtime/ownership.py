"""One replica at a time drives a session: leases, the self-fence, and taking over from replicas that died.

A replica renews one lease. Once the last renewal that it *sent* is older than the fence allows, it may have lost its
sessions without knowing, and neither writes to LiveKit nor commits until it has renewed the lease and loaded its
sessions again. Epochs make a stale commit harmless; nothing can make a stale LiveKit call harmless, hence the fence.
"""

import asyncio
from dataclasses import dataclass

import structlog

from orchestrator.core.session import Session
from orchestrator.runtime.owner import OwnerParts, SessionOwner, Superseded
from orchestrator.runtime.ports import Clock, Leases, Loaded, StoreCorrupt, StoreUnavailable
from orchestrator.runtime.steward import Steward
from orchestrator.runtime.tasks import Tasks

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Seconds. The fence falls well before the lease lapses: that is the time a write may still take."""

    ttl: float = 10.0
    renew: float = 2.5
    fence: float = 6.5
    takeover: float = 1.0
    """How often one looks for replicas whose lease has lapsed."""
    parallel: int = 16
    """How many sessions are taken over at once."""


class Ownership:
    """The sessions that this replica drives."""

    def __init__(
        self, parts: OwnerParts, leases: Leases, steward: Steward, tasks: Tasks, clock: Clock, times: LeaseTimes
    ) -> None:
        self._parts = parts
        self._leases = leases
        self._steward = steward
        self._tasks = tasks
        self._clock = clock
        self._times = times
        self._owners: dict[str, SessionOwner] = {}
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._claimed: dict[str, Loaded] = {}
        self._renewed_at: float | None = None
        self._to_load = False
        """Whether the sessions in our name must be loaded anew, because the fence was down."""
        self._stopping = False
        self.lapses = 0
        """How often the lease had to be taken anew."""
        self.takeovers = 0
        """From how many replicas sessions were taken over."""
        self.taken_over = 0
        """How many sessions that were."""
        steward.when_done(self._release)

    def sessions(self) -> tuple[Session, ...]:
        """The sessions that this replica drives, as they were committed last."""
        return tuple(owner.session for owner in self._owners.values() if owner.committed)

    def fenced(self) -> bool:
        """Whether the lease may have lapsed: then no write may leave this process."""
        return self._renewed_at is None or self._clock.monotonic() - self._renewed_at > self._times.fence

    def wake(self, sid: str, claimed: Loaded | None = None) -> None:
        """Facts wait in the inbox of a session of ours; `claimed`: the session itself, when it has just become ours."""
        if self._stopping:
            return
        if claimed is not None:
            self._claimed[sid] = claimed
        if owner := self._owners.get(sid):
            owner.wake()
        if sid in self._busy:
            self._again.add(sid)
            return
        self._busy.add(sid)
        self._tasks.spawn(f"{sid}:advance", self._advance(sid))

    async def claim(self, sid: str, owner: str) -> None:
        """Drive a session whose owner is gone, and which its list of sessions does not name. Raises StoreUnavailable."""
        if sid in self._owners or self._stopping or self.fenced():
            return
        try:
            await self._drive(sid, from_owner=owner or None)
        except StoreCorrupt:
            log.exception("session_unreadable", sid=sid)

    def doubt_all(self) -> None:
        """The store may have lost what it had answered for: load every session anew."""
        for owner in tuple(self._owners.values()):
            owner.doubt()
            self.wake(owner.sid)

    def nudge_all(self) -> None:
        """Let everybody who waits look again."""
        for owner in tuple(self._owners.values()):
            owner.nudge()

    def wake_all(self) -> None:
        """After wake-ups may have been lost."""
        for sid in tuple(self._owners):
            self.wake(sid)

    async def start(self) -> None:
        """Take the lease; raises StoreUnavailable."""
        await self._renew()

    async def keep_lease(self) -> None:
        """Renew the lease until `stop`; fence when it cannot be renewed, and begin anew when it can."""
        while True:
            await self._clock.sleep(self._times.renew)
            if self._stopping:  # a lease that came back would keep the others from what was handed over
                return
            try:
                await self._renew()
            except StoreUnavailable as error:
                log.warning("lease_not_renewed", replica=self._parts.replica, error=str(error))
                if self.fenced():
                    self._let_go()

    async def take_over(self) -> None:
        """Look for replicas that died, and drive their sessions on, until `stop`."""
        while not self._stopping:
            try:
                for replica in await self._leases.orphaned():
                    if replica != self._parts.replica and not self.fenced() and not self._stopping:
                        await self._take_over_from(replica)
            except StoreUnavailable:
                log.warning("takeover_postponed", replica=self._parts.replica)
            await self._clock.sleep(self._times.takeover)

    async def stop(self) -> None:
        """Hand everything over: what is under way stays in the record, as it is."""
        self._stopping = True
        self._let_go()
        try:
            await self._leases.drop(self._parts.replica)
        except StoreUnavailable:
            log.warning("lease_not_dropped", replica=self._parts.replica)  # it lapses by itself

    async def _renew(self) -> None:
        sent_at = self._clock.monotonic()
        lapsed = self._renewed_at is not None and self.fenced()
        if self.fenced():
            self._let_go()  # a pause may have outlived the lease: what we hold in memory is not ours any more
            self._to_load = True
        await self._leases.renew(self._parts.replica, self._times.ttl)
        self._renewed_at = sent_at
        self.lapses += lapsed
        if self._to_load:
            for sid in await self._leases.sessions_of(self._parts.replica):
                self.wake(sid)
            self._to_load = False

    async def _advance(self, sid: str) -> None:
        try:
            while True:
                await self._advance_once(sid)
                if sid not in self._again:
                    return
                self._again.discard(sid)
                if owner := self._owners.get(sid):
                    owner.wake()  # what came before there was an owner waits behind what it was loaded with
        finally:
            self._again.discard(sid)
            self._busy.discard(sid)

    async def _advance_once(self, sid: str) -> None:
        owner = self._owners.get(sid)
        try:
            if owner is None:
                await self._drive(sid, from_owner=None)
            elif owner.woken:
                await owner.advance()
        except Superseded:
            pass  # it has stopped, and is forgotten
        except StoreCorrupt:
            # Nothing here can mend it; it stays as it is, for a version that can read it.
            log.exception("session_unreadable", sid=sid)
        except StoreUnavailable:
            # The facts are safe in the inbox; the next renewal of the lease finds the session again.
            log.warning("session_not_loaded", sid=sid)
            await self._clock.sleep(self._times.takeover)
            self._again.add(sid)

    async def _drive(self, sid: str, *, from_owner: str | None) -> None:
        loaded = self._claimed.pop(sid, None)
        if loaded is None or from_owner is not None:
            loaded = await self._parts.store.take(sid, self._parts.replica, from_owner=from_owner)
        if loaded is None:
            await self._leases.forget(from_owner or self._parts.replica, sid)
            return
        if self._stopping:
            return  # it is ours by now, and stays in our list for the next replica to find
        owner = SessionOwner(sid, loaded, self._parts, on_commit=self._steward.react, on_stop=self._superseded)
        self._owners[sid] = owner
        if loaded.session is None and not owner.foresee().ended:
            self._steward.react(owner)  # the first look begins beside the first commit
        try:
            await owner.advance()
        except Superseded:
            return
        self._steward.react(owner)

    async def _take_over_from(self, replica: str) -> None:
        sids = await self._leases.sessions_of(replica)
        log.info("takeover", replica=self._parts.replica, from_replica=replica, sessions=len(sids))
        several = asyncio.Semaphore(self._times.parallel)

        async def one(sid: str) -> None:
            async with several:
                if sid in self._owners:
                    await self._leases.forget(replica, sid)
                    return
                try:
                    await self._drive(sid, from_owner=replica)
                except StoreCorrupt:
                    log.exception("session_unreadable", sid=sid)
                else:
                    self.taken_over += sid in self._owners

        await asyncio.gather(*(one(sid) for sid in sids))
        await self._leases.drop(replica)
        self.takeovers += 1

    def _release(self, owner: SessionOwner) -> None:
        """An ended session needs nobody: events that come late claim it again."""
        if self._forget_if(owner):
            self._tasks.spawn(f"{owner.sid}:release", self._forget_in_store(owner.sid))

    async def _forget_in_store(self, sid: str) -> None:
        try:
            await self._leases.forget(self._parts.replica, sid)
        except StoreUnavailable:
            # Our list may hold more than we drive: whoever loads it finds that the session has ended.
            log.info("session_not_released", sid=sid)

    def _superseded(self, owner: SessionOwner) -> None:
        """Mostly somebody else drives the session by now; after the store went backwards it may still be ours."""
        if self._forget_if(owner):
            self.wake(owner.sid)

    def _let_go(self) -> None:
        for sid in tuple(self._owners):
            self._forget(sid)

    def _forget_if(self, owner: SessionOwner) -> bool:
        """Drop this owner, unless another one of this replica has taken its place meanwhile; whether it was dropped."""
        if self._owners.get(owner.sid) is not owner:
            return False
        self._forget(owner.sid)
        return True

    def _forget(self, sid: str) -> None:
        self._steward.forget(sid)
        if owner := self._owners.pop(sid, None):
            owner.stop()
