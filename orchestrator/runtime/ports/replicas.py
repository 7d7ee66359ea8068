"""What the replicas share beside sessions: slots, leases, rounds, hearing, shares, incidents."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from orchestrator.core.causes import Cause


class SlotEnd(StrEnum):
    """What became of the dispatch that held a slot."""

    JOINED = "joined"
    LOST = "lost"
    """No job and no agent at the accept window's end: the kind of loss that a burst causes."""
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SlotReply:
    granted: bool
    limit: int
    ahead: int
    """How many wait before this one."""
    breaker_open: bool
    cause: Cause | None
    """Of the newest loss, while the breaker is open."""


class Slots(Protocol):
    """How many dispatches of one agent name may be under way, over all replicas. Raises StoreUnavailable."""

    async def take(self, agent_name: str, holder: str, *, priority: int, since: float, hold: float) -> SlotReply:
        """Ask for a slot, or stay in the queue by asking again (at least every 2 s). A slot lapses after `hold` seconds."""
        ...

    async def give_back(self, agent_name: str, holder: str, end: SlotEnd, *, accept_window: float, cause: Cause | None) -> None:
        """End the hold (or the waiting) of `holder`, and tell what came of it."""
        ...

    async def welcome(self, agent_name: str) -> None:
        """A worker of this name has arrived: losses from before it came count no more, and the breaker closes."""
        ...

    async def counts(self) -> dict[str, tuple[int, int, int, bool]]:
        """Per agent name: slots in use, limit, waiting, breaker open."""
        ...


class Leases(Protocol):
    """Which replicas live, and which sessions are theirs. Raises StoreUnavailable."""

    async def renew(self, replica: str, ttl: float) -> None:
        """Say that this replica lives, for `ttl` seconds."""
        ...

    async def drop(self, replica: str) -> None:
        """Say that this replica has stopped: its sessions may be taken over at once."""
        ...

    async def live(self) -> frozenset[str]:
        """The replicas that have a lease."""
        ...

    async def orphaned(self) -> tuple[str, ...]:
        """Replicas that have sessions, and no lease."""
        ...

    async def sessions_of(self, replica: str) -> tuple[str, ...]:
        """The sids that a replica may own. It may list more than it owns, never fewer."""
        ...

    async def forget(self, replica: str, sid: str) -> None:
        """The replica no longer drives this session: it has ended, or somebody else does."""
        ...


class Rounds(Protocol):
    """The reconciler's rounds: one at a time over all replicas. Raises StoreUnavailable."""

    async def begin(self, replica: str, seconds: float) -> bool:
        """Take the next round, unless one was taken within the last `seconds`."""
        ...

    async def completed(self) -> bool:
        """Whether any round was ever completed on this store."""
        ...

    async def complete(self) -> None:
        """A round has seen all that LiveKit lists."""
        ...


class Hearing(Protocol):
    """When LiveKit's webhooks were last heard, by any replica. Raises StoreUnavailable."""

    async def heard(self, at: float) -> None:
        """A webhook was stored at `at`; the newest time counts."""
        ...

    async def last(self) -> float | None: ...


class Shares(Protocol):
    """Which part of the project's API budget is whose. Raises StoreUnavailable."""

    async def share(self, replica: str, demand: float) -> float:
        """Tell how many calls per second this replica wants, and learn its part of the whole, in (0, 1].

        The part follows demand; a replica that wants nothing keeps a small one, to begin with. What has not been said
        again for ten seconds is forgotten. The parts of all replicas that asked last make at most 1.
        """
        ...


class Incidents(Protocol):
    """Open questions to a person that are about the service, not a session. Raises StoreUnavailable."""

    async def open(self, kind: str) -> str:
        """The id of the open incident of this kind, opened now if there is none."""
        ...

    async def current(self, kind: str) -> str | None:
        """The id of the open incident of this kind, if there is one."""
        ...

    async def close(self, kind: str) -> None: ...

    async def kinds(self) -> frozenset[str]:
        """Those of which an incident is open."""
        ...

    async def complain(self, kind: str, replica: str, at: float) -> None:
        """This replica sees it for itself; what one of them does not see may be true for another."""
        ...

    async def content(self, kind: str, replica: str) -> None:
        """It does not, or no more."""
        ...

    async def complaints(self, kind: str, since: float) -> int:
        """How many replicas have seen it since then."""
        ...
