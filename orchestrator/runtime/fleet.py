"""This replica's view of the workers that announce themselves, and the waking of those who wait for one.

The view is a look at the store that is renewed every two seconds, and at once when a worker arrives anywhere. It serves
what cannot wait for the store: choosing between candidates, and naming why nobody took a job.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from orchestrator.contract import ANNOUNCED_FOR
from orchestrator.core.causes import Cause
from orchestrator.core.fleet import (
    NOTHING_KNOWN,
    Announcement,
    Fleet,
    cause_of_not_taken,
    tally,
    typo_of,
    typo_prefix,
    typo_warning,
)
from orchestrator.core.session import Session
from orchestrator.runtime.owner import SessionOwner
from orchestrator.runtime.ports import Announced, Clock, Delivered, Slots, StoreUnavailable, Workers

log = structlog.get_logger()

_PERIOD: Final = 2.0
"""Seconds between two looks: what is seen is at most so old."""

_TELL_PERIOD: Final = 5.0
"""Seconds between two countings of the sessions: 10,000 take about 10 ms."""

_STALE: Final = 6.0
"""Seconds after which a look that could not be renewed tells nothing any more."""


class FleetView:
    """What this replica knows of the workers, and who of its sessions waits for which of them."""

    def __init__(
        self,
        replica: str,
        workers: Workers,
        slots: Slots,
        clock: Clock,
        configured: Collection[str],
        sessions: Callable[[], Iterable[Session]],
    ) -> None:
        """`configured`: the agent names that are written in the configuration, and therefore meant as they are.

        `sessions`: those that this replica drives.
        """
        self._replica = replica
        self._sessions = sessions
        self._workers = workers
        self._slots = slots
        self._clock = clock
        self._configured = frozenset(configured)
        self._fleet = NOTHING_KNOWN
        self._steady_since: float | None = None
        self._arrived_at: dict[str, float] = {}
        self._joined: dict[str, float] = {}
        """By agent name when an agent was verified, as far as the store has not been told."""
        self._waiting: dict[str, Counter[SessionOwner]] = {}
        self._told_at = -math.inf
        self._look_now = asyncio.Event()

    # --- what is known ------------------------------------------------------------------------------------------------

    @property
    def fleet(self) -> Fleet:
        """The workers as last seen; while that is too long ago, as if nothing had ever been announced."""
        return self._fleet if self._clock.now() - self._fleet.at <= _STALE else NOTHING_KNOWN

    def cause_of_not_taken(self, agent_name: str) -> Cause:
        """Why no worker took a job of this name, as far as the workers tell."""
        return cause_of_not_taken(self.fleet, agent_name) if self._steady else Cause.NOT_TAKEN

    def warning_for(self, agent_name: str, session: Session) -> str | None:
        """What a person must know of a name to which nobody answers, if the session does not say so already."""
        fleet = self.fleet
        meant = typo_of(fleet, agent_name, self._configured)
        if meant is None or any(warning.startswith(typo_prefix(agent_name)) for warning in session.warnings):
            return None
        return typo_warning(fleet, agent_name, meant)

    @property
    def _steady(self) -> bool:
        """Whether looks have succeeded for so long that every live worker has had the time to announce itself.

        After a start, or after the store was away, workers look gone that only could not be heard.
        """
        return self._steady_since is not None and self._clock.now() - self._steady_since >= ANNOUNCED_FOR

    # --- announcing ---------------------------------------------------------------------------------------------------

    async def announce(self, announcement: Announcement) -> Announced:
        """Store what a worker says of itself; one that somebody may wait for wakes them. Raises StoreUnavailable."""
        announced = await self._workers.announce(announcement)
        if announced is Announced.ARRIVED:
            self.arrived(announcement.agent_name)
            try:
                await self._slots.welcome(announcement.agent_name)
            except StoreUnavailable:
                log.warning("breaker_not_closed", agent=announcement.agent_name)  # the next agent that joins closes it
        return announced

    async def withdraw(self, worker_id: str) -> None:
        """A worker says that it is gone. Raises StoreUnavailable."""
        await self._workers.withdraw(worker_id)

    async def look(self) -> Fleet:
        """The workers as the store has them now. Raises StoreUnavailable."""
        return await self._workers.look()

    def arrived(self, agent_name: str) -> None:
        """A worker of this name that has room was announced, here or at another replica."""
        self._note_arrival(agent_name)
        self._look_now.set()

    def _note_arrival(self, agent_name: str) -> None:
        self._arrived_at[agent_name] = self._clock.now()
        for owner in self._waiting.get(agent_name, ()):
            owner.nudge()

    # --- waiting ------------------------------------------------------------------------------------------------------

    @contextmanager
    def awaiting(self, owner: SessionOwner, agent_name: str, since: float) -> Iterator[Callable[[], bool]]:
        """While a session waits: whether a worker of this name has arrived after `since`. The owner is nudged when one does."""
        waiting = self._waiting.setdefault(agent_name, Counter())
        waiting[owner] += 1
        try:
            yield lambda: self._arrived_at.get(agent_name, 0.0) > since
        finally:
            waiting[owner] -= 1
            if not waiting[owner]:
                del waiting[owner]
            if not waiting and self._waiting.get(agent_name) is waiting:
                del self._waiting[agent_name]

    # --- looking ------------------------------------------------------------------------------------------------------

    def folded(self, before: Session | None, after: Session, delivered: Delivered) -> None:
        """An Observer's: remember who was verified, for workers that announce nothing show nothing else."""
        if before is not None and before.placements is after.placements:
            return
        earlier = {p.agent_name: p.verified_at for p in before.placements} if before else {}
        for placement in after.placements:
            if placement.verified_at is not None and placement.verified_at != earlier.get(placement.agent_name):
                attempt = placement.serving_attempt
                name = placement.spec.agent_name if attempt is None else attempt.agent_name
                self._joined[name] = max(delivered.at, self._joined.get(name, 0.0))

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self._look_now.clear()
            await self._renew()
            try:
                async with asyncio.timeout(_PERIOD):
                    await self._look_now.wait()
            except TimeoutError:
                pass

    async def _tell(self) -> None:
        """What this replica sees of agents, for the others."""
        telling, self._joined = self._joined, {}
        try:
            await self._workers.tell(self._replica, telling, tally(self._sessions()))
        except StoreUnavailable:
            self._joined = {**telling, **self._joined}
            raise
        self._told_at = self._clock.monotonic()

    async def _renew(self) -> None:
        try:
            if self._clock.monotonic() - self._told_at >= _TELL_PERIOD:
                await self._tell()
            fleet = await self._workers.look()
        except StoreUnavailable:
            self._steady_since = None
            return
        before, self._fleet = self._fleet, fleet
        if self._steady_since is None or fleet.at - before.at > _STALE:
            self._steady_since = self._clock.now()
        self._arrived_at = {name: at for name, at in self._arrived_at.items() if name in fleet.announced}
        if before is not NOTHING_KNOWN:
            for name in _arrivals(before, fleet):
                if self._arrived_at.get(name, 0.0) < before.at:  # its wake-up was lost
                    self._note_arrival(name)


def _arrivals(before: Fleet, after: Fleet) -> list[str]:
    """The names that somebody may wait for: with room now, where there was none, or by a worker that was not there."""
    return [
        name
        for name in after.live
        if after.has_room(name)
        and (
            not before.has_room(name)
            or {w.told.worker_id for w in after.workers(name) if w.told.has_room}
            - {w.told.worker_id for w in before.workers(name)}
        )
    ]
