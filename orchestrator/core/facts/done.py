"""What we did, or decided, on the way to an agent that is there."""

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.causes import Cause
from orchestrator.core.facts.words import Source


class Awaited(StrEnum):
    """What a placement waits for before its next attempt."""

    SLOT = "slot"
    BREAKER = "breaker"
    """Of its agent name none joined lately and several were lost: one probe at a time, the others wait."""
    PEOPLE = "people"
    LIVEKIT = "livekit"
    BACKOFF = "backoff"
    GRACE = "grace"
    PAUSED = "paused"
    """An operator has paused dispatching of this agent name."""


@dataclass(frozen=True, slots=True)
class Waiting:
    placement: str
    awaited: Awaited
    until: float | None = None


@dataclass(frozen=True, slots=True)
class PauseOver:
    """What the placement waited for, because an operator had paused its agent name, may go on."""

    placement: str


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
class AgentReplaced:
    """The agent that somebody wanted another one for has stayed until clients could see that one."""

    placement: str
    identity: str


@dataclass(frozen=True, slots=True)
class AlertQueued:
    """The incident's present status is in the outbox, from where it is delivered whatever becomes of this replica."""

    placement: str
    incident: str
    status: str
