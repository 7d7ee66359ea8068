"""What came of a burst, by what LiveKit listed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from orchestrator.burst.plan import Way

PERCENTILES: Final = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "max": 100.0}


@dataclass(frozen=True, slots=True)
class RoomOutcome:
    """One room that was asked for."""

    room: str
    seconds: float | None
    """Until its agent was there; None: no agent within the timeout."""
    doubled: bool = False
    """A look has listed two agents of that name at once."""
    left: bool = False
    """It had its agent, and the last look did not list it any more."""
    refused: str = ""
    """Why nobody could be asked for the room and its agent."""


@dataclass(frozen=True)
class Outcome:
    way: Way
    rooms: Sequence[RoomOutcome]
    looks: int
    """Calls of ListParticipants that were answered."""
    failed_looks: int = 0
    people_missing: int = 0
    """Who should have been in a room, and could not enter it."""

    @cached_property
    def times(self) -> tuple[float, ...]:
        """Of the rooms that got their agent, in ascending order."""
        return tuple(sorted(room.seconds for room in self.rooms if room.seconds is not None))

    @property
    def lost(self) -> int:
        """Rooms that got no agent within the timeout."""
        return len(self.rooms) - len(self.times)

    @property
    def doubled(self) -> int:
        return sum(room.doubled for room in self.rooms)

    @property
    def left(self) -> int:
        return sum(room.left for room in self.rooms)

    def percentile(self, percent: float) -> float:
        """Of all rooms, by nearest rank: those that got no agent waited for ever, which is infinite."""
        return percentile(self.times, percent, of=len(self.rooms))

    def percentiles(self) -> dict[str, float]:
        return {name: self.percentile(percent) for name, percent in PERCENTILES.items()}


def percentile(times: Sequence[float], percent: float, *, of: int) -> float:
    """The time within which so many percent of all `of` had theirs; infinite when fewer ever had. `times` ascend."""
    rank = max(math.ceil(percent / 100 * of), 1)
    return times[rank - 1] if rank <= len(times) else math.inf
