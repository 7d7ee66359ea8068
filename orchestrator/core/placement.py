"""The records of one placement: the agent that a session must have, the attempts to get it there, and who was told.

Times are Unix seconds of the store's clock.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Awaited, CandidateSpec, JobStatus, PlacementSpec
from orchestrator.core.policy import Policy
from orchestrator.core.proof import Proof

KEPT_ATTEMPTS: Final = 20
"""Of the attempts the first and the last so many are kept."""


class PlacementState(StrEnum):
    WAITING = "waiting"
    DISPATCHING = "dispatching"
    VERIFIED = "verified"
    LOST = "lost"
    UNVERIFIED = "unverified"
    CANCELLED = "cancelled"
    ENDED = "ended"


WANTING: Final = frozenset({PlacementState.WAITING, PlacementState.DISPATCHING, PlacementState.LOST, PlacementState.UNVERIFIED})
"""The states in which a placement still wants an agent."""

OVER: Final = frozenset({PlacementState.CANCELLED, PlacementState.ENDED})
"""The states in which it neither wants nor has an agent."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One CreateDispatch, or one foreign dispatch that was adopted, and what came of it."""

    number: int
    agent_name: str
    requested_at: float
    attempt_id: str = ""
    adopted: bool = False
    dispatch_id: str | None = None
    job_id: str | None = None
    job_status: JobStatus | None = None
    job_has_identity: bool = False
    identity: str | None = None
    proof: Proof = Proof.REQUESTED
    cause: Cause | None = None
    accepted_at: float | None = None
    joined_at: float | None = None
    answered_at: float | None = None
    """When its agent answered for the first time."""
    ended_at: float | None = None
    aborted: bool = False
    deleted: bool = False
    """Its dispatch was deleted by us, or is known to be gone."""
    dismissed: bool = False
    """Somebody sent away whom it brought, or brings: that one does not serve any more, should another one be wanted."""

    @property
    def open(self) -> bool:
        return self.ended_at is None

    @property
    def ours(self) -> bool:
        return not self.adopted


@dataclass(frozen=True, slots=True)
class Incident:
    """One open question to a person: this placement is unverified. Its id names it to every sink, always the same."""

    incident: str
    cause: Cause
    opened_at: float
    resolved_at: float | None = None
    firing_queued: bool = False
    resolved_queued: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """One agent that the session must have."""

    agent_name: str
    candidates: tuple[CandidateSpec, ...]
    policy: Policy
    wanted_at: float
    """When this round began: first wanted, or lost again."""
    first_wanted_at: float
    priority: int = 0
    state: PlacementState = PlacementState.WAITING
    candidate: int = 0
    awaited: Awaited | None = None
    next_at: float | None = None
    tries: int = 0
    """Attempts of this round with the present candidate."""
    losses: int = 0
    attempts: tuple[Attempt, ...] = ()
    attempts_total: int = 0
    identity: str | None = None
    participant_sid: str | None = None
    cause: Cause | None = None
    released: bool = False
    """Its agent left and nobody wants another: it has ended before its room."""
    instead_of: tuple[str, ...] = ()
    """The placements whose agents this one's relieves as soon as it is verified; then forgotten."""
    grace: float = 0.0
    """Seconds for which the relieved agents may stay."""
    leaves_at: float | None = None
    """Until when its agent may stay: another one has relieved it."""
    relieved_by: str | None = None
    """The placement whose agent that is, as long as this one is leaving."""
    asked: str = ""
    """The wish of an operator by which this round began."""
    replacing: str | None = None
    """The identity that an operator wants another one for: it stays until that one is verified."""
    replaced: int = 0
    """How often an operator has had its agent replaced."""
    resumes: int | None = None
    """The attempt whose agent was lost, and which the next one resumes."""
    verified_at: float | None = None
    time_to_agent_ms: int | None = None
    incidents: tuple[Incident, ...] = ()

    @property
    def spec(self) -> CandidateSpec:
        """The candidate that is being tried, or that serves."""
        return self.candidates[self.candidate]

    @property
    def wanting(self) -> bool:
        return self.state in WANTING

    @property
    def over(self) -> bool:
        """Nobody wants an agent for it any more, and none serves it."""
        return self.state in OVER

    @property
    def deadline_at(self) -> float:
        return self.wanted_at + self.policy.deadline

    @property
    def open_attempt(self) -> Attempt | None:
        """The newest attempt that has not ended. Beside one that serves there may be one more: see `settlement.confirm`."""
        return next((a for a in reversed(self.attempts) if a.open), None)

    @property
    def next_number(self) -> int:
        return max((a.number for a in self.attempts), default=0) + 1

    @property
    def adopted_before(self) -> bool:
        return any(a.adopted for a in self.attempts)

    def attempt(self, number: int) -> Attempt | None:
        return next((a for a in self.attempts if a.number == number), None)

    @property
    def names(self) -> frozenset[str]:
        """The agent names that may serve: those tried so far, and the present candidate's."""
        return frozenset({self.spec.agent_name, *(a.agent_name for a in self.attempts)})

    @property
    def open_incident(self) -> Incident | None:
        return next((i for i in self.incidents if i.resolved_at is None), None)

    @property
    def deleted_some(self) -> bool:
        """Whether a dispatch of ours was deleted here; the store may have forgotten those with the lowest numbers."""
        forgotten = min((a.number for a in self.attempts), default=1) > 1
        return forgotten or any(a.ours and a.deleted for a in self.attempts)

    @property
    def given_up(self) -> bool:
        """A person had to be told, and no agent has come since."""
        return bool(self.incidents) and (self.verified_at is None or self.verified_at < self.incidents[-1].opened_at)

    @property
    def serving_attempt(self) -> Attempt | None:
        """The attempt that brought the agent which serves."""
        return next((a for a in self.attempts if a.open and a.identity is not None and a.identity == self.identity), None)

    @property
    def proof(self) -> Proof:
        attempt = self.serving_attempt or self.open_attempt
        return attempt.proof if attempt else Proof.NONE


def placement_of(spec: PlacementSpec, now: float) -> Placement:
    """A new placement: wanted from now on."""
    return Placement(
        agent_name=spec.agent_name,
        candidates=spec.candidates,
        policy=spec.policy,
        priority=spec.priority,
        wanted_at=now,
        first_wanted_at=now,
    )
