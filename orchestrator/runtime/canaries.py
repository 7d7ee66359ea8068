"""Canaries: an agent is tried out in a scratch room, and what came of it is kept, counted and, if it goes on, told to people.

A canary takes a slot as every dispatch does, behind all callers: on top of full slots it would be lost as a burst is, or cost
a caller its agent; and what came of it teaches the pacing, so that a good one closes the breaker. Where callers leave it none
there is nothing to find out, for they are dispatched to.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

import structlog

from orchestrator.core.alerts import AlertType
from orchestrator.core.canary import By, Canary, Outcome, Subject, Tried
from orchestrator.core.causes import UNTAKEN, Cause
from orchestrator.core.naming import spelled
from orchestrator.core.scratch import name_of
from orchestrator.runtime.ports import (
    CanaryBook,
    CanaryCrowdedOut,
    CanaryCutOff,
    CanaryPaused,
    Clock,
    LiveKit,
    LiveKitError,
    LiveKitUnavailable,
    Randomness,
    RollcallError,
    ScratchRoom,
    SlotEnd,
    Slots,
    StoreUnavailable,
)
from orchestrator.runtime.scratch import scratch_room
from orchestrator.runtime.standing import Standing
from orchestrator.runtime.tasks import Tasks
from orchestrator.runtime.trial import Trials

log = structlog.get_logger()

AT_ONCE: Final = 4
"""Canaries of one replica under way: a burst is what LiveKit loses."""

MOST: Final = 64
"""Those included that wait for their turn: more would be told of nothing in a time that anybody waits."""

_LAST_IN_LINE: Final = -1000
"""The lowest priority that slots know."""

_SLOT_PATIENCE: Final = 10.0
_ASK_AGAIN: Final = 1.0

_BEYOND: Final = 20.0
"""Seconds beyond the join window after which a canary is cut off: its calls have waited that long for the API budget."""

_SURELY_OVER: Final = 60.0
"""Seconds after that from which a room is anybody's to delete, whoever lives."""

_WATCHED: Final = 300.0
"""Seconds after a canary whose agent did not come in which its room is kept closed: a worker may be that slow to start."""

_SHOWN: Final = 7 * 86_400.0
"""Seconds for which the last canary of an agent is shown."""


@dataclass(frozen=True, slots=True)
class CanaryParts:
    """What canaries are made with."""

    replica: str
    livekit: LiveKit
    trials: Trials
    book: CanaryBook
    slots: Slots
    standing: Standing
    paused: Callable[[str], bool]
    subject_of: Callable[[str], Subject]
    clock: Clock
    randomness: Randomness
    tasks: Tasks
    after: int
    """So many scheduled ones that fail in a row are told to people."""
    on_result: Callable[[str, Outcome, Tried | None], None] = lambda _name, _outcome, _tried: None


class Canaries:
    """Sends them, wherever they are wanted."""

    def __init__(self, parts: CanaryParts) -> None:
        self._parts = parts
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._under_way: set[asyncio.Task[Canary | RollcallError]] = set()

    async def send(self, agent_name: str, by: By) -> Canary:
        """One canary, when it is over: that it failed is a result.

        Raises CanaryPaused, CanaryCrowdedOut, CanaryCutOff and StoreUnavailable; and LiveKitError, which tells nothing of
        the agent. Goes on when its caller is gone.
        """
        if self._parts.paused(agent_name):
            raise CanaryPaused(f"{agent_name} is paused")
        if len(self._under_way) >= MOST:
            raise CanaryCrowdedOut(f"{MOST} canaries are under way or wait")
        task = self._parts.tasks.spawn(f"canary:{agent_name}", self._guarded(agent_name, by))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.wait({task})
        if task.cancelled():
            raise CanaryCutOff("this replica stops")
        result = task.result()
        if isinstance(result, RollcallError):
            raise result
        return result

    async def last(self) -> Mapping[str, Canary]:
        """Of each agent name, by name. Raises StoreUnavailable."""
        return await self._parts.book.last(self._parts.clock.now() - _SHOWN)

    async def stop(self) -> None:
        """Cut off what is under way; each deletes its room."""
        for task in self._under_way:
            task.cancel()
        if self._under_way:
            await asyncio.wait(set(self._under_way))

    async def _guarded(self, agent_name: str, by: By) -> Canary | RollcallError:
        """What `send` raises is no defect of a task."""
        try:
            return await self._send(agent_name, by)
        except LiveKitError as error:
            self._parts.on_result(agent_name, Outcome.UNKNOWN, None)
            log.info("canary_unknown", agent=agent_name, by=by.value, error=str(error))
            return error
        except RollcallError as error:
            log.info("canary_not_sent", agent=agent_name, by=by.value, error=str(error))
            return error

    async def _send(self, agent_name: str, by: By) -> Canary:
        parts = self._parts
        subject = parts.subject_of(agent_name)
        unique = parts.randomness.attempt_id()
        async with self._turns, self._slot(subject, f"canary/{unique}") as slot:
            room, at = name_of(unique), parts.clock.now()
            tried = slot.tried = await self._try(subject, room, unique)
        if tried.outcome is Outcome.UNKNOWN:
            raise LiveKitUnavailable(tried.detail)
        canary = Canary(agent_name, tried.outcome, tried.detail, tried.cause, room, at, tried.joined, tried.answered, by)
        parts.on_result(agent_name, canary.outcome, tried)
        log.info("canary", agent=agent_name, outcome=canary.outcome.value, cause=canary.cause, joined=tried.joined, by=by.value)
        await self._tell(canary)
        return canary

    # --- the room ---

    async def _try(self, subject: Subject, name: str, unique: str) -> Tried:
        parts, longest = self._parts, subject.policy.join_window + _BEYOND
        until = parts.clock.now() + longest + _SURELY_OVER
        booked = ScratchRoom(parts.replica, until, until + _WATCHED)
        # Before it is made: whoever finds it in the book deletes it, should this replica die at any moment.
        await parts.book.open(name, booked)
        tried: Tried | None = None
        try:
            # The dispatch goes with its room. Deleted before it, it would leave its job in LiveKit's Redis for good.
            async with asyncio.timeout(longest), scratch_room(parts.livekit, name) as room:
                tried = await parts.trials.make(subject, room, unique)
        except TimeoutError as error:
            raise LiveKitUnavailable(f"no canary within {longest:g} s") from error
        finally:
            with suppress(StoreUnavailable):  # then it stays in the book until its time is over
                # Who came went with the room; anybody else may still come.
                came, now = tried is not None and tried.joined is not None, parts.clock.now()
                await parts.book.open(name, replace(booked, until=now, watched_until=now if came else now + _WATCHED))
        return tried

    # --- the slot ---

    @asynccontextmanager
    async def _slot(self, subject: Subject, holder: str) -> AsyncIterator["_Held"]:
        """Raises CanaryCrowdedOut and StoreUnavailable."""
        parts, policy, held = self._parts, subject.policy, _Held()
        since = parts.clock.now()
        try:
            while True:
                reply = await parts.slots.take(
                    subject.agent_name,
                    holder,
                    priority=_LAST_IN_LINE,
                    since=since,
                    hold=policy.join_window + _BEYOND,
                )
                if reply.granted:
                    break
                if parts.clock.now() - since >= _SLOT_PATIENCE:
                    raise CanaryCrowdedOut(f"the callers of {spelled(subject.agent_name)} take all of its slots")
                await parts.clock.sleep(_ASK_AGAIN)
            yield held
        finally:
            end, cause = held.end()
            with suppress(StoreUnavailable):  # it lapses by itself
                await parts.slots.give_back(subject.agent_name, holder, end, accept_window=policy.accept_window, cause=cause)

    # --- people ---

    async def _tell(self, canary: Canary) -> None:
        """Raises StoreUnavailable."""
        standing, name = self._parts.standing, canary.agent_name
        kind, shown = f"{AlertType.CANARY_FAILED}:{name}", spelled(name)
        # Who sends one by hand sees what came of it, and is not told once more.
        scheduled = canary.by is By.SCHEDULE
        failures = await self._parts.book.note(canary, counts=scheduled)
        if canary.outcome is Outcome.ANSWERING:
            await standing.resolve(kind, f"A canary of {shown} is well. {canary.detail}", agent_name=name)
        elif scheduled and failures >= self._parts.after:
            row = f"{failures} canaries of {shown} in a row have failed" if failures > 1 else f"A canary of {shown} has failed"
            await standing.fire(kind, f"{row}. {canary.detail}", canary.fix or "", agent_name=name)


@dataclass(slots=True)
class _Held:
    """A slot, and what becomes known while it is held."""

    tried: Tried | None = None

    def end(self) -> tuple[SlotEnd, Cause | None]:
        tried = self.tried
        if tried is None or tried.outcome is Outcome.UNKNOWN:
            return SlotEnd.OTHER, None
        if tried.joined is not None:
            return SlotEnd.JOINED, None
        return (SlotEnd.LOST if tried.cause in UNTAKEN else SlotEnd.OTHER), tried.cause
