"""What LiveKit told us: by a webhook, in a listing, or by what it answered to a question."""

from dataclasses import dataclass

from orchestrator.core.causes import Cause
from orchestrator.core.facts.words import JobStatus, LeaveReason, Source
from orchestrator.core.proof import Key


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
