"""One burst: rooms are asked for at their rate, looked into, and removed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from orchestrator.burst.asking import PATIENCE, Asking
from orchestrator.burst.looking import Looks
from orchestrator.burst.outcome import Outcome, RoomOutcome
from orchestrator.burst.plan import Plan, Way
from orchestrator.burst.rooms import QUIET, Removal, names
from orchestrator.client.errors import CommandFailed
from orchestrator.client.text import printable
from orchestrator.core.policy import EARLY_LEAVE
from orchestrator.runtime.ports import Clock, LiveKit, LiveKitError
from orchestrator.runtime.tasks import Tasks

SETTLE: Final = EARLY_LEAVE + 1.0
"""Seconds from the last room's agent to the last look: a second agent, or a goodbye, may follow. And what leaves within five
seconds, Rollcall takes for an agent that failed."""


class People(Protocol):
    @property
    def missing(self) -> int:
        """How many could not enter."""
        ...

    async def enter(self, room: str) -> None: ...

    async def leave(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What bursts share."""

    plan: Plan
    livekit: LiveKit
    clock: Clock
    people: Callable[[], People] | None
    looks_per_second: float
    on_left_behind: Callable[[frozenset[str]], None]
    """Told of rooms that could not be removed, once per burst."""


class Burst:
    """One way's rooms. `outcome` is what is known, at any moment."""

    def __init__(self, parts: Parts, way: Way, asking: Asking) -> None:
        plan = parts.plan
        self.way = way
        self._parts = parts
        self._asking = asking
        self._people = parts.people() if parts.people is not None else None
        self._names = names(plan.rooms)
        self._asked: list[str] = []
        self._tasks = Tasks(lambda _name, _error: None)  # who waits for a task here gets its error
        self._refused: dict[str, str] = {}
        self._looks = Looks(
            parts.livekit, parts.clock, plan.agent_name, timeout=plan.timeout, per_second=parts.looks_per_second
        )

    @property
    def asked(self) -> int:
        """How many rooms were asked for so far."""
        return len(self._asked)

    def outcome(self) -> Outcome:
        """Of the rooms that are there, or were refused."""
        rooms = [room.outcome() for room in self._looks.rooms]
        rooms += [RoomOutcome(room, None, refused=why) for room, why in self._refused.items()]
        missing = self._people.missing if self._people is not None else 0
        return Outcome(self.way, rooms, self._looks.answered, self._looks.failed, people_missing=missing)

    async def run(self) -> Outcome:
        """Raises CommandFailed and LiveKitError when not even the first room can be asked for. Removes what it has made."""
        async with self._removed_afterwards():
            await self._ask(self._names[0])
            opening = self._tasks.spawn("open rooms", self._open_the_others())
            try:
                await self._looks.until(lambda: opening.done() and self._looks.settled)
                await opening
                settled_at = self._parts.clock.monotonic()
                await self._looks.until(lambda: self._parts.clock.monotonic() >= settled_at + SETTLE)
                await self._looks.once_more()
            finally:
                opening.cancel()
        return self.outcome()

    async def _open_the_others(self) -> None:
        clock, began = self._parts.clock, self._parts.clock.monotonic()
        asks = []
        for number, room in enumerate(self._names[1:], start=1):
            await clock.sleep(max(began + number / self._parts.plan.rate - clock.monotonic(), 0.0))
            asks.append(self._tasks.spawn(f"ask for {room}", self._try_to_ask(room)))
        if asks:
            await asyncio.wait(asks)
        for ask in asks:
            ask.result()

    async def _try_to_ask(self, room: str) -> None:
        try:
            await self._ask(room)
        except (CommandFailed, LiveKitError) as error:
            self._refused[room] = printable(str(error))

    async def _ask(self, room: str) -> None:
        asked_at = self._parts.clock.monotonic()
        self._asked.append(room)
        created_at = await self._asking.ask(room)
        self._looks.watch(room, asked_at=asked_at, created_at=created_at)
        if self._people is not None:
            self._tasks.spawn(f"enter {room}", self._people.enter(room))

    @asynccontextmanager
    async def _removed_afterwards(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            left = frozenset(self._asked)
            try:
                # What is asked for at this moment would be made after the others have gone.
                await self._tasks.drain(PATIENCE)
                # Whoever cannot leave goes with the room.
                troubles = await asyncio.gather(self._people.leave(), return_exceptions=True) if self._people else []
                left = await self._remove(left)
                for trouble in troubles:
                    if trouble is not None:
                        raise trouble
            finally:
                if left:
                    self._parts.on_left_behind(left)

    async def _remove(self, rooms: frozenset[str]) -> frozenset[str]:
        """Those that are left all the same."""
        removal = Removal(self._parts.livekit, self._parts.clock, self._tasks)
        # A room may be there of which nobody said so, and its agent on its way.
        all_there = self._looks.all_there and not self._refused
        return await removal.remove(rooms, quiet=0.0 if all_there else QUIET)
