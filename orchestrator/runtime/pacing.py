"""Waiting for a slot: a burst is what LiveKit loses, so only so many dispatches of one agent are under way at once."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Awaited, Waiting
from orchestrator.core.placement import Placement
from orchestrator.runtime.owner import SessionOwner
from orchestrator.runtime.ports import Clock, RollcallError, SlotEnd, SlotReply, Slots, StoreUnavailable

log = structlog.get_logger()

_ASK_AGAIN = 1.0
"""Seconds after which a waiter asks again, woken or not: a queue forgets those that do not ask."""

_HEAD = 8
"""How many of the queue ask again when a slot becomes free. The others learn of their place when they ask anyway."""

_HOLD_BEYOND = 5.0
"""Seconds beyond the join window after which a slot lapses, for holders that died."""


class NoSlot(RollcallError):
    """The deadline passed while waiting; `cause` is that of the loss which keeps the breaker open, if it is open."""

    def __init__(self, cause: Cause | None) -> None:
        super().__init__("no slot before the deadline")
        self.cause = cause


@dataclass(eq=False, slots=True)
class _Waiter:
    owner: SessionOwner
    freed: bool = False
    ahead: int = 0
    """How many were before it in the queue when it last asked."""


class Pacing:
    """Slots per agent name, shared by all replicas through the store."""

    def __init__(self, slots: Slots, clock: Clock) -> None:
        self._slots = slots
        self._clock = clock
        self._waiters: dict[str, dict[_Waiter, None]] = {}
        """By agent name, in the order in which they came: chance has no part in who asks first."""

    def freed(self, agent_name: str) -> None:
        """A slot became free, here or at another replica: those at the head of the queue ask again."""
        for waiter in self._waiters.get(agent_name, ()):
            if waiter.ahead < _HEAD:
                waiter.freed = True
                waiter.owner.nudge()

    async def acquire(
        self, owner: SessionOwner, placement: Placement, deadline: float | None, paused: Callable[[], bool] = lambda: False
    ) -> bool:
        """Wait for a slot; False when nobody wants that any more, not now, or all anew. Raises NoSlot, Superseded.

        Waiting is no attempt, and the session shows it as what it is.
        """
        name, agent_name = placement.agent_name, placement.spec.agent_name
        waiter = _Waiter(owner)
        try:
            while (wanted := owner.wanted(name)) and wanted.asked == placement.asked and not paused():
                reply = await self._ask(owner.sid, placement)
                if reply is not None and reply.granted:
                    return True
                now = self._clock.now()
                if deadline is not None and now >= deadline:
                    raise NoSlot(reply.cause if reply else None)
                waiter.ahead = reply.ahead if reply else 0
                self._waiters.setdefault(agent_name, {})[waiter] = None
                awaited = Awaited.BREAKER if reply is not None and reply.breaker_open else Awaited.SLOT
                if owner.session.placement(name).awaited is not awaited:
                    await owner.record(Waiting(name, awaited))
                patience = _ASK_AGAIN if deadline is None else min(_ASK_AGAIN, deadline - now)
                waiter.freed = False
                await owner.until(
                    lambda s: waiter.freed or not s.wants(s.placement(name)) or s.placement(name).asked != placement.asked,
                    timeout=patience,
                )
        except (NoSlot, asyncio.CancelledError):
            await self.give_back(owner.sid, placement, SlotEnd.OTHER)
            raise
        finally:
            self._waiters.get(agent_name, {}).pop(waiter, None)
        await self.give_back(owner.sid, placement, SlotEnd.OTHER)
        return False

    async def welcome(self, agent_name: str) -> None:
        """Close the breaker of this name: somebody who should know says that its agents come again. Raises StoreUnavailable."""
        await self._slots.welcome(agent_name)

    async def give_back(self, sid: str, placement: Placement, end: SlotEnd, cause: Cause | None = None) -> None:
        """The dispatch that held a slot joined, was lost, or ended otherwise."""
        try:
            await self._slots.give_back(
                placement.spec.agent_name,
                _holder(sid, placement),
                end,
                accept_window=placement.policy.accept_window,
                cause=cause,
            )
        except StoreUnavailable:
            log.warning("slot_not_given_back", sid=sid, agent=placement.spec.agent_name)  # it lapses by itself

    async def _ask(self, sid: str, placement: Placement) -> SlotReply | None:
        try:
            return await self._slots.take(
                placement.spec.agent_name,
                _holder(sid, placement),
                priority=placement.priority,
                since=placement.wanted_at,
                hold=placement.policy.join_window + _HOLD_BEYOND,
            )
        except StoreUnavailable:
            return None


def _holder(sid: str, placement: Placement) -> str:
    return f"{sid}/{placement.agent_name}"
