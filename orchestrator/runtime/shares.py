"""This replica's share of the project's API budget: larger for who has more to ask of LiveKit, and all of them together one.

LiveKit counts the calls of a project, whichever replica makes them. So each replica says now and then how many it wants,
learns its part, and spends no more than that. Within the part the order of use stays as it is (`budget`).
"""

from typing import Final

import structlog

from orchestrator.runtime.budget import Allowance, Purpose
from orchestrator.runtime.ports import Clock, Leases, Shares, StoreUnavailable

log = structlog.get_logger()

PERIOD: Final = 2.5
"""Seconds between two words to the others: as often as leases are renewed."""

FORGOTTEN: Final = 10.0
"""Seconds without an answer after which the part that was given last has been forgotten, and may be another's by now."""

_FALL: Final = 0.5
"""The part of a fall in demand that is believed per period. A rise is believed at once: somebody waits for it."""

_READINESS: Final = 0.1
"""Of the whole budget: what everybody is said to want on top, so that who is idle can begin with a burst of its own."""


class ShareKeeper:
    """Keeps an allowance at this replica's part of what it was made with."""

    def __init__(self, replica: str, allowance: Allowance, shares: Shares, leases: Leases, clock: Clock) -> None:
        self._replica = replica
        self._allowance = allowance
        self._shares = shares
        self._leases = leases
        self._clock = clock
        self._budget = allowance.per_second
        self._part = 1.0
        self._replicas = 1
        self._demand = 0.0
        self._taken = allowance.taken
        self._measured_at = self._answered_at = clock.monotonic()
        self._forgotten = True

    @property
    def part(self) -> float:
        """In (0, 1]."""
        return self._part

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await self._ask()
            await self._clock.sleep(PERIOD)

    async def _ask(self) -> None:
        self._measure()
        try:
            part = await self._shares.share(self._replica, self._demand + _READINESS * self._budget)
            replicas = len(await self._leases.live())
        except StoreUnavailable:
            if not self._forgotten and self._clock.monotonic() - self._answered_at >= FORGOTTEN:
                self._forgotten = True
                self._split_evenly()
                log.warning("api_budget_split_evenly", replicas=self._replicas, per_second=self._allowance.per_second)
            return
        self._answered_at = self._clock.monotonic()
        self._replicas = max(replicas, 1)
        if self._forgotten:
            # Until the others have asked too, and let go of what is not theirs any more, the answer is all or very little.
            self._forgotten = False
            self._split_evenly()
        else:
            self._use(part)

    def _split_evenly(self) -> None:
        """Each of the replicas comes to this conclusion by itself: together they stay within the budget."""
        self._use(1 / self._replicas)

    def _use(self, part: float) -> None:
        self._part = part
        self._allowance.change_rate(self._budget * part)

    def _measure(self) -> None:
        """The calls per second that were made, and that would have been made if they need not have waited."""
        now, taken = self._clock.monotonic(), self._allowance.taken
        seconds = now - self._measured_at
        if seconds > 0:
            waiting = sum(self._allowance.waiting(purpose) for purpose in Purpose)
            demand = (taken - self._taken + waiting) / seconds
            self._demand = max(demand, self._demand + (demand - self._demand) * _FALL)
            self._taken, self._measured_at = taken, now
