"""What the runtime needs from the outside, as Protocols, with the errors that the adapters translate into."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Fact, RoomOpened
from orchestrator.core.listing import ListedDispatch as ListedDispatch
from orchestrator.core.listing import ListedJob as ListedJob
from orchestrator.core.listing import ListedParticipant as ListedParticipant
from orchestrator.core.listing import ListedRoom as ListedRoom
from orchestrator.core.proof import Key
from orchestrator.core.reconciling import Held as Held
from orchestrator.core.session import Session, SessionState


class RollcallError(Exception):
    """The root of our errors."""


class StoreUnavailable(RollcallError):
    """Temporary: Redis did not answer, is loading, out of memory, read-only. Nothing is known of what it executed."""


class StoreCorrupt(RollcallError):
    """Permanent: a stored record cannot be read by this version."""


class LiveKitError(RollcallError):
    """A call to LiveKit's API failed; `cause` is the one that an attempt or a look gets from it."""

    cause: Cause = Cause.LIVEKIT_UNAVAILABLE


class LiveKitUnavailable(LiveKitError):
    """Temporary: no answer, a 5xx, a 429, or an answer that is none. The call may have been executed."""


class LiveKitRejectedCredentials(LiveKitError):
    """Permanent until somebody acts: 401 or 403."""

    cause = Cause.LIVEKIT_REJECTED_CREDENTIALS


class LiveKitRejectedRequest(LiveKitError):
    """Permanent: LiveKit called the request invalid."""

    cause = Cause.LIVEKIT_REJECTED_REQUEST


class NotFound(LiveKitError):
    """What was to be changed does not exist (any more)."""


# --- the store ---------------------------------------------------------------------------------------------------------


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


# --- slots -------------------------------------------------------------------------------------------------------------


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

    async def counts(self) -> dict[str, tuple[int, int, int, bool]]:
        """Per agent name: slots in use, limit, waiting, breaker open."""
        ...


# --- leases ------------------------------------------------------------------------------------------------------------


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


# --- what the replicas do as one --------------------------------------------------------------------------------------


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


# --- LiveKit -----------------------------------------------------------------------------------------------------------


class Pulse(StrEnum):
    """What one question to a participant tells."""

    ALIVE = "alive"
    SILENT = "silent"
    NOT_THERE = "not_there"
    """503: no such participant, no such room, or a node that is gone."""
    UNKNOWN = "unknown"
    UNSUPPORTED = "unsupported"
    """This server knows no PerformRpc."""


@dataclass(frozen=True, slots=True)
class PulseReply:
    pulse: Pulse
    rtt_ms: float


class LiveKit(Protocol):
    """LiveKit's API. Every method raises a LiveKitError; none is repeated inside."""

    async def room(self, name: str) -> ListedRoom | None:
        """The live room of this name. None: a complete answer that lacks it."""
        ...

    async def rooms(self) -> tuple[ListedRoom, ...]:
        """Every live room: a complete answer or an error."""
        ...

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]: ...

    async def dispatches(self, room: str) -> tuple[ListedDispatch, ...]:
        """Hangs for 3 s and raises LiveKitUnavailable when the room does not exist: ask for the room first."""
        ...

    async def create_dispatch(self, room: str, agent_name: str, metadata: str, key: Key) -> str:
        """One call, never repeated by the SDK; the dispatch id. After LiveKitUnavailable it may have been executed."""
        ...

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        """Raises NotFound when it is already gone."""
        ...

    async def remove_participant(self, room: str, identity: str) -> None:
        """Raises NotFound when it is already gone."""
        ...

    async def delete_room(self, room: str) -> None: ...

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        """Ask a participant whether it answers; never raises for the participant's or the server's silence."""
        ...


# --- people, time, randomness ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Alert:
    """What a person is told. `id` is the same for every delivery of it."""

    id: str
    type: str
    status: str
    incident: str
    at: float
    room: str | None = None
    sid: str | None = None
    agent_name: str | None = None
    cause: Cause | None = None
    summary: str = ""
    fix: str | None = None
    link: str | None = None


class Alerts(Protocol):
    async def queue(self, alert: Alert) -> None:
        """Keep it until each sink has accepted it; once per alert id. Raises StoreUnavailable."""
        ...


class Clock(Protocol):
    """Time and waiting, to be replaced by a virtual one."""

    def now(self) -> float:
        """The store's time as last learned, moved on by the monotonic clock. Unix seconds."""
        ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class Randomness(Protocol):
    def fraction(self) -> float:
        """Uniform in [0, 1)."""
        ...

    def attempt_id(self) -> str:
        """A new id for an attempt, unique for ever."""
        ...


class Observer(Protocol):
    """What happened, for logs and metrics. Called for every fact that a committed record came from."""

    def folded(self, before: Session | None, after: Session, delivered: Delivered) -> None: ...
