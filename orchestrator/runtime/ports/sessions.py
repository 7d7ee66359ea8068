"""Where sessions live."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Fact, RoomOpened
from orchestrator.core.reconciling import Held
from orchestrator.core.session import Session, SessionState


class Appended(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"
    """This event id was stored before."""
    IGNORED = "ignored"
    """Of a room that our own call brought to life by mistake, and that we removed."""


class Committed(StrEnum):
    COMMITTED = "committed"
    SUPERSEDED = "superseded"
    """Another replica owns the session by now: stop at once, change nothing."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A fact with the time at which the store took it."""

    fact: Fact
    at: float


@dataclass(frozen=True, slots=True)
class Loaded:
    """A session as it is stored: its record (None before the first commit), and the facts that wait behind it."""

    session: Session | None
    inbox: tuple[Delivered, ...]
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class AppendReply:
    outcome: Appended
    owner: str
    """The replica that drives the session; it has been woken, unless it is the caller."""
    claimed: Loaded | None = None
    """The whole session, when this very call opened it and claimed it for the caller: it need not be loaded."""


@dataclass(frozen=True, slots=True)
class Page:
    sessions: tuple[Session, ...]
    cursor: str | None


class SessionStore(Protocol):
    """Where sessions live. Every method raises StoreUnavailable, and then nothing is known of what was executed."""

    async def append(self, opening: RoomOpened, facts: Sequence[Fact], *, event_id: str | None, replica: str) -> AppendReply:
        """Store facts of the session `opening.sid` in one step, once per event id, and wake its owner.

        A session that is not known yet is opened by `opening`, which becomes its first fact. One without an owner is
        claimed for `replica`. Facts about people move their participant sids in and out of the room's set of people,
        and are stored with the count that resulted.
        """
        ...

    async def expect(self, room: str, facts: Sequence[Fact]) -> None:
        """Whoever opens a session of a room of this name within the next seconds stores these facts with it.

        For what is known of a room before it has a sid. A later call for the same name replaces an earlier one's facts.
        """
        ...

    async def take(self, sid: str, replica: str, *, from_owner: str | None) -> Loaded | None:
        """Load a session to drive it. With `from_owner`, take it over from that replica first, under a higher epoch.

        None: there is no such session, or another replica owns it.
        """
        ...

    async def inbox(self, sid: str) -> tuple[Delivered, ...]:
        """The facts that wait to be folded, oldest first."""
        ...

    async def commit(self, session: Session, *, epoch: int, trim: int) -> Committed:
        """Write the record and drop the oldest `trim` facts of the inbox, if `epoch` is still the session's."""
        ...

    async def read(self, sid: str) -> Session | None:
        """The session as everybody may see it: the record with its inbox folded in. Routes nothing."""
        ...

    async def find(self, room_or_sid: str) -> str | None:
        """The sid of a session by its sid, or of the newest one by its room's name."""
        ...

    async def near_names(self, room: str) -> tuple[str, ...]:
        """Names of rooms that look like this one, best first."""
        ...

    async def page(
        self,
        *,
        state: SessionState | None,
        agent_name: str | None,
        cause: Cause | None,
        older_than: float | None,
        cursor: str | None,
        limit: int,
    ) -> Page:
        """Sessions, newest first. `older_than`: started at least so many seconds ago."""
        ...

    async def recent(self, ended_within: float) -> tuple[str, ...]:
        """The sids of all that live, newest first, then of those that ended in the last so many seconds. Some may be gone."""
        ...

    def held(self) -> AsyncIterator[tuple[Held, ...]]:
        """Every session that has not ended, in portions of bounded size; one that changes meanwhile may come twice."""
        ...

    async def people(self, sid: str) -> frozenset[str]:
        """The participant sids of the people in the room, as facts brought them in and out."""
        ...

    async def bury(self, sid: str) -> None:
        """Forget a session and ignore whatever else comes of it: its room was brought to life by our own late call."""
        ...

    async def now(self) -> float:
        """The store's time: the one that deadlines run in."""
        ...

    async def incarnation(self) -> str:
        """Which life of the store this is: another one after each of its restarts, which may have lost what came last."""
        ...

    async def ping(self) -> None:
        """Raises StoreUnavailable when the store would not store."""
        ...
