"""What happened: everything that LiveKit told us, and everything that we did, as one closed set of records.

Times are Unix seconds. `created_at` is LiveKit's own time of an event, with a resolution of one second; it is shown and
measures lag, and never orders events. The time at which a fact was stored comes with its delivery, not with the fact.
"""

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.causes import Cause
from orchestrator.core.policy import Policy
from orchestrator.core.proof import Key


class Source(StrEnum):
    """Where a fact comes from, as the timeline shows it."""

    WEBHOOK = "webhook"
    LISTING = "listing"
    PULSE = "pulse"
    ROLLCALL = "rollcall"
    OPERATOR = "operator"
    TOKEN = "token"  # noqa: S105 a word, no secret
    """A person asked for a token, and for an agent with it."""
    WORKER = "worker"
    """An agent asked for another one, to hand its people over."""


class JobStatus(StrEnum):
    """LiveKit's job status. It explains; it never proves."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"


class LeaveReason(StrEnum):
    """LiveKit's disconnect reason, in the classes that decide what follows."""

    GOODBYE = "goodbye"
    FAILURE = "failure"
    WISH = "wish"
    NO_LOSS = "no_loss"


@dataclass(frozen=True, slots=True)
class RoomOpened:
    """The first that we hear of a room: always the first fact of its session. Stored by the append itself, once."""

    room: str
    sid: str
    started_at: float
    metadata: str = ""


@dataclass(frozen=True, slots=True)
class RoomStarted:
    created_at: float


@dataclass(frozen=True, slots=True)
class RoomListed:
    """LiveKit lists a room that we did not hold as living. `requested_at` is before the listing, in the store's time."""

    requested_at: float
    observed: bool = False
    """Found by the first complete listing of an empty store: it lived before us, and is nothing that we know of."""


@dataclass(frozen=True, slots=True)
class RoomFinished:
    """Final, also when it is the first that we hear. From a listing: only until anything else is heard of the room.

    `created_at` is then when that listing was requested, in the store's time.
    """

    created_at: float
    source: Source = Source.WEBHOOK


@dataclass(frozen=True, slots=True)
class PersonJoined:
    """`people` is the number of people in the room after this fact, as the store counts participant sids."""

    participant_sid: str
    identity: str
    created_at: float
    people: int = 0
    source: Source = Source.WEBHOOK


@dataclass(frozen=True, slots=True)
class PersonLeft:
    participant_sid: str
    identity: str
    created_at: float
    people: int = 0
    source: Source = Source.WEBHOOK


@dataclass(frozen=True, slots=True)
class PeopleCounted:
    """A listing showed another number of people than we held. `requested_at` is before it, in the store's time."""

    people: int
    requested_at: float


@dataclass(frozen=True, slots=True)
class AgentJoined:
    """An ACTIVE participant of kind AGENT. From a listing it is only `listed`: it counts once a pulse answers."""

    participant_sid: str
    identity: str
    agent_name: str | None
    joined_at: float
    created_at: float
    key: Key | None = None
    ready: bool = False
    done: bool = False
    warning: str = ""
    """What the agent itself says that a person must know."""
    source: Source = Source.WEBHOOK


@dataclass(frozen=True, slots=True)
class AgentLeft:
    """`reason` is LiveKit's word for it (CLIENT_INITIATED, …); `leave` what follows from it.

    From a listing, which lacked it, `created_at` is when that was requested, in the store's time.
    """

    participant_sid: str
    identity: str
    agent_name: str | None
    joined_at: float
    created_at: float
    reason: str
    leave: LeaveReason
    key: Key | None = None
    done: bool = False
    source: Source = Source.WEBHOOK


@dataclass(frozen=True, slots=True)
class AgentReady:
    """A listing shows that an agent which is there says by now that it serves: LiveKit sends no webhook for that."""

    participant_sid: str


@dataclass(frozen=True, slots=True)
class AgentWarned:
    """A listing shows that an agent has something to say that a person must know."""

    participant_sid: str
    warning: str


@dataclass(frozen=True, slots=True)
class AgentAborted:
    """An agent's connection ended before it was in the room."""

    participant_sid: str
    identity: str
    agent_name: str | None
    created_at: float


@dataclass(frozen=True, slots=True)
class JobChanged:
    """A job of a dispatch, as a listing or an agent_job webhook shows it."""

    dispatch_id: str
    job_id: str
    agent_name: str
    status: JobStatus
    identity: str | None
    """The job's participant_identity; absent when its worker rejected it."""
    key: Key | None = None
    error: str = ""
    source: Source = Source.LISTING


@dataclass(frozen=True, slots=True)
class PulseAnswered:
    """The participant answered: with whatever, "method not supported" included."""

    identity: str
    rtt_ms: float


@dataclass(frozen=True, slots=True)
class PulseUnsupported:
    """This server cannot ask participants: of this agent, a listing is all the evidence that there will be."""

    identity: str


@dataclass(frozen=True, slots=True)
class AgentSilent:
    """An agent that had answered does no longer, while LiveKit still lists it.

    SILENT: its process is gone or stuck. NODE_LOST: the LiveKit node that it was on is gone, and the listing stands for
    nobody. `since` is when the first unanswered question was sent.
    """

    participant_sid: str
    since: float
    cause: Cause


@dataclass(frozen=True, slots=True)
class CandidateSpec:
    """One agent that can serve a placement, with the job metadata (a JSON object) that it would get."""

    agent_name: str
    metadata: str = "{}"
    deployment: str = ""
    """Of several deployments of the agent, the one that is to take the job; empty: LiveKit chooses."""
    attributes: tuple[tuple[str, str], ...] = ()
    """Further attributes of the dispatch, as names and values."""


@dataclass(frozen=True, slots=True)
class PlacementSpec:
    """What a route or a person wants: an agent, and the fallbacks of its policy in order."""

    candidates: tuple[CandidateSpec, ...]
    policy: Policy = Policy()
    priority: int = 0

    @property
    def agent_name(self) -> str:
        return self.candidates[0].agent_name


@dataclass(frozen=True, slots=True)
class Routed:
    """The routes' answer for this room. No placements: the room is unrouted."""

    placements: tuple[PlacementSpec, ...]
    route: str
    """Which route it was, in words for the timeline."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AgentWanted:
    """Somebody asks for an agent beside those of the routes. One that the session has already is not placed again."""

    spec: PlacementSpec
    source: Source
    instead_of: str | None = None
    """The agent name of the placement whose agent this one relieves, as soon as it is verified."""
    grace: float = 0.0
    """Seconds for which the relieved agent may stay, to introduce this one."""


@dataclass(frozen=True, slots=True)
class AgentDismissed:
    """Nobody wants this agent any more: it goes, and is not replaced."""

    placement: str
    source: Source


@dataclass(frozen=True, slots=True)
class Warned:
    """What a person must know of this session, found beside the room itself."""

    warning: str


class Awaited(StrEnum):
    """What a placement waits for before its next attempt."""

    SLOT = "slot"
    BREAKER = "breaker"
    """Of its agent name none joined lately and several were lost: one probe at a time, the others wait."""
    PEOPLE = "people"
    LIVEKIT = "livekit"
    BACKOFF = "backoff"
    GRACE = "grace"


@dataclass(frozen=True, slots=True)
class Waiting:
    placement: str
    awaited: Awaited
    until: float | None = None


@dataclass(frozen=True, slots=True)
class DispatchAdopted:
    """A foreign dispatch of exactly this agent name: it becomes an attempt, once per placement."""

    placement: str
    attempt_id: str
    dispatch_id: str


@dataclass(frozen=True, slots=True)
class DispatchRecovered:
    """A listed dispatch with our key that the record lacks: numbering goes on above it, and the newest goes on itself."""

    placement: str
    number: int
    attempt_id: str
    dispatch_id: str
    agent_name: str


@dataclass(frozen=True, slots=True)
class DispatchRequested:
    """Attempt `number` is about to be called. Committed before the call; a recorded number is never called again."""

    placement: str
    number: int
    attempt_id: str
    agent_name: str


@dataclass(frozen=True, slots=True)
class DispatchAccepted:
    placement: str
    number: int
    dispatch_id: str
    source: Source = Source.ROLLCALL
    """ROLLCALL: the call's own reply. LISTING: the reply was lost, and a look found the dispatch by our key."""


@dataclass(frozen=True, slots=True)
class DispatchDeleted:
    """Our dispatch of an ended attempt is gone from LiveKit."""

    placement: str
    number: int


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    placement: str
    number: int
    cause: Cause | None
    """None: another one serves, and nothing is known against this one."""


@dataclass(frozen=True, slots=True)
class FallbackChosen:
    """The present candidate is exhausted; the attempts of number `candidate` in the placement's list begin."""

    placement: str
    candidate: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The policy is exhausted: unverified, a person must know."""

    placement: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class AgentRetired:
    """We removed, or are about to remove, this identity; it does not come back."""

    identity: str
    why: str


@dataclass(frozen=True, slots=True)
class ForeignAgentServes:
    """A foreign agent of the same name serves beside ours: ours goes."""

    placement: str
    identity: str


@dataclass(frozen=True, slots=True)
class StrangerSeen:
    """A further agent of a placement's name that somebody else dispatched, beside one that is not ours either."""

    placement: str
    identity: str


@dataclass(frozen=True, slots=True)
class AlertQueued:
    """The incident's present status is in the outbox, from where it is delivered whatever becomes of this replica."""

    placement: str
    incident: str
    status: str


Fact = (
    RoomOpened
    | RoomStarted
    | RoomListed
    | RoomFinished
    | PersonJoined
    | PersonLeft
    | PeopleCounted
    | AgentJoined
    | AgentLeft
    | AgentReady
    | AgentWarned
    | AgentAborted
    | JobChanged
    | PulseAnswered
    | PulseUnsupported
    | AgentSilent
    | Routed
    | AgentWanted
    | AgentDismissed
    | Warned
    | Waiting
    | DispatchAdopted
    | DispatchRecovered
    | DispatchRequested
    | DispatchAccepted
    | DispatchDeleted
    | AttemptEnded
    | FallbackChosen
    | GaveUp
    | AgentRetired
    | ForeignAgentServes
    | StrangerSeen
    | AlertQueued
)
