"""What a burst is to be, within what can be meant and what a server is asked to bear."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.client.errors import CommandFailed
from orchestrator.exits import ExitCode

MOST_ROOMS: Final = 1000
"""Beyond that, looking into each room takes so long that second agents would go unseen."""
MOST_PER_SECOND: Final = 200.0
"""The budget of API calls that Rollcall itself gives to a whole project."""
LONGEST: Final = 240.0
"""Seconds from the first room to the last look: LiveKit ends a room that nobody has entered after 300."""


class Way(StrEnum):
    """How an agent gets into a room."""

    PLAIN = "plain"
    """LiveKit dispatches it itself, once: `agents` in CreateRoom."""
    ROLLCALL = "rollcall"
    """Rollcall is asked for it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One burst; `timeout` is how many seconds each room waits for its agent."""

    agent_name: str
    rooms: int
    rate: float
    """Rooms a second."""
    timeout: float
    people: bool = False

    def check(self) -> None:
        """Raises CommandFailed for what cannot be meant."""
        if self.timeout <= 0:
            raise _refused("A room that waits for no time has no agent.", "Give a --timeout of more than 0.")
        opening = self.rooms / self.rate
        if self.rooms > MOST_ROOMS:
            raise _refused(f"{self.rooms} rooms are more than a burst may have.", f"At most {MOST_ROOMS}.")
        if self.rate > MOST_PER_SECOND:
            fix = f"At most {MOST_PER_SECOND:g}/s."
            raise _refused(f"{self.rate:g} rooms a second are more than a server is asked to bear.", fix)
        if opening + self.timeout > LONGEST:
            message = f"Opening the rooms takes {opening:.0f} s, and waiting {self.timeout:g} s more."
            fix = f"Together at most {LONGEST:g} s, as LiveKit ends rooms that nobody enters. Take another --rate or --timeout."
            raise _refused(message, fix)


def _refused(message: str, fix: str) -> CommandFailed:
    return CommandFailed(ExitCode.USAGE, message, fix)
