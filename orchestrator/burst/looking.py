"""Who is in the rooms of a burst: LiveKit's own listing, asked room by room, never faster than a bound."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from orchestrator.burst.outcome import RoomOutcome
from orchestrator.core.belonging import same_name
from orchestrator.runtime.ports import Clock, LiveKit, LiveKitError

PER_SECOND: Final = 50.0
PER_SECOND_ON_CLOUD: Final = 5.0
"""Calls; each costs a server about a millisecond. LiveKit Cloud counts them."""

SOONEST: Final = 0.25
"""Seconds between two looks into one room whose agent may come at any moment."""
RAREST: Final = 3.0
"""Seconds between two looks into a room that has its agent, or has waited long."""
_GIVE_UP: Final = 10.0
"""Seconds beyond the timeout for which looks that fail are repeated."""
_BACKOFF: Final = 0.25
"""A room is looked into again after this part of the time that it has waited."""


@dataclass(slots=True)
class Watched:
    """A room that was asked for. Times are of the monotonic clock unless said otherwise."""

    room: str
    asked_at: float
    created_at: float
    """By LiveKit's clock, as its listings have it."""
    next_look: float
    empty_at: float
    """The latest look that listed no ACTIVE agent; before the first one, when the room was asked for."""
    seconds: float | None = None
    there: bool = False
    """An ACTIVE agent was listed by the latest look."""
    doubled: bool = False
    looked_at: float = 0.0
    """The latest look that was answered."""

    def outcome(self) -> RoomOutcome:
        served = self.seconds is not None
        return RoomOutcome(self.room, self.seconds, doubled=self.doubled, left=served and not self.there)


class Looks:
    """One room after the other, whichever is due first."""

    def __init__(self, livekit: LiveKit, clock: Clock, agent_name: str, *, timeout: float, per_second: float) -> None:
        self._livekit = livekit
        self._clock = clock
        self._agent_name = agent_name
        self._timeout = timeout
        self._pause = 1 / per_second
        self.rooms: list[Watched] = []
        self.answered = 0
        self.failed = 0

    def watch(self, room: str, *, asked_at: float, created_at: float) -> None:
        now = self._clock.monotonic()
        self.rooms.append(Watched(room, asked_at, created_at, next_look=now, empty_at=asked_at))

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._next()

    async def once_more(self) -> None:
        """A last look into every room that had an agent."""
        for room in self.rooms:
            if room.seconds is not None:
                await self._look(room)
                await self._clock.sleep(self._pause)

    @property
    def settled(self) -> bool:
        """Every room has its agent, or has waited long enough."""
        return not any(self._waits(room) for room in self.rooms)

    @property
    def all_there(self) -> bool:
        """No agent is on its way any more into a room that was made."""
        return all(room.there for room in self.rooms)

    def _waits(self, room: Watched) -> bool:
        """A look that failed tells nothing: only one that was answered after the timeout, or trouble that lasts, ends it."""
        over_at = room.asked_at + self._timeout
        return room.seconds is None and room.looked_at < over_at and self._clock.monotonic() < over_at + _GIVE_UP

    async def _next(self) -> None:
        began = self._clock.monotonic()
        due = [room for room in self.rooms if room.next_look <= began and (room.seconds is not None or self._waits(room))]
        if due:
            await self._look(min(due, key=lambda room: room.next_look))
        await self._clock.sleep(max(self._pause - (self._clock.monotonic() - began), 0.0))

    async def _look(self, room: Watched) -> None:
        asked_at = self._clock.monotonic()
        waited = asked_at - room.asked_at
        room.next_look = asked_at + (min(max(waited * _BACKOFF, SOONEST), RAREST) if room.seconds is None else RAREST)
        try:
            participants = await self._livekit.participants(room.room)
        except LiveKitError:
            self.failed += 1
            room.next_look = asked_at + RAREST  # a server in trouble is asked more rarely
            return
        self.answered += 1
        room.looked_at = asked_at
        agents = [p for p in participants if p.is_agent and p.active and same_name(self._agent_name, p.agent_name)]
        room.there = bool(agents)
        room.doubled = room.doubled or len(agents) > 1
        if room.seconds is not None:
            return
        if not agents:
            room.empty_at = asked_at
            return
        # LiveKit says when it joined, to the millisecond, and lists it as ACTIVE a moment later: after the last look that
        # did not yet find it there.
        joined = min(agent.joined_at for agent in agents) - room.created_at
        seconds = max(joined, room.empty_at - room.asked_at, 0.0)
        room.seconds = seconds if seconds <= self._timeout else None
