"""What the replicas share about canaries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.canary import By, Canary
from orchestrator.runtime.ports.errors import RollcallError


@dataclass(frozen=True, slots=True)
class ScratchRoom:
    """A room that must not outlive its canary. Times are Unix seconds of the store's clock."""

    replica: str
    """Whose it is: when that one is dead, nobody else deletes it."""
    until: float
    """Its canary is over by then."""
    watched_until: float
    """Nobody opens it anew after that."""


class CanaryBook(Protocol):
    """Raises StoreUnavailable."""

    async def turn(self, what: str, replica: str, seconds: float) -> bool:
        """Take the next turn of this, unless one was taken within the last `seconds`."""
        ...

    async def note(self, canary: Canary, *, counts: bool) -> int:
        """Keep it as the last of its agent; how many have failed in a row. One that fails and does not count adds nothing."""
        ...

    async def last(self, since: float) -> Mapping[str, Canary]:
        """The last of each agent name. Those that were begun before `since` are forgotten."""
        ...

    async def open(self, name: str, room: ScratchRoom) -> None:
        """A scratch room is about to be made, or more is known of it."""
        ...

    async def close(self, name: str) -> None:
        """It is gone, for good."""
        ...

    async def rooms(self) -> Mapping[str, ScratchRoom]:
        """All that may be there, by name."""
        ...


class CanaryPaused(RollcallError):
    """An operator has paused the agent: nobody of this name is dispatched."""


class CanaryCrowdedOut(RollcallError):
    """Callers take all slots of the agent, and no canary came in between; or too many canaries wait already."""


class CanaryCutOff(RollcallError):
    """This replica stops."""


class CanarySender(Protocol):
    async def send(self, agent_name: str, by: By) -> Canary:
        """One canary, when it is over: that it failed is a result.

        Raises CanaryPaused, CanaryCrowdedOut, CanaryCutOff and StoreUnavailable; and LiveKitError, which tells nothing of
        the agent. Goes on when its caller is gone.
        """
        ...
