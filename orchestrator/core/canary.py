"""A canary: one agent, dispatched by name into a scratch room, before a caller meets what is wrong with it.

What is seen of it is judged here, by the same rules as an attempt in a room with people.
"""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator import contract
from orchestrator.core import causes
from orchestrator.core.causes import Cause
from orchestrator.core.duplicates import SETTLED_AFTER
from orchestrator.core.evidence import cause_so_far
from orchestrator.core.facts import CandidateSpec
from orchestrator.core.fleet import NameState
from orchestrator.core.listing import ListedDispatch, Look
from orchestrator.core.placement import Attempt
from orchestrator.core.policy import Policy
from orchestrator.core.proof import Key
from orchestrator.core.quotation import quoted
from orchestrator.core.templates import ROOM_PART, Template

SCRATCH: Final = "scratch"
"""What a part of a room's name is for a canary, where the agent's metadata uses one."""


class Outcome(StrEnum):
    ANSWERING = "answering"
    """It joined, and answered; or this server cannot ask it."""
    FAILED = "failed"
    UNKNOWN = "unknown"
    """LiveKit did not say: that tells nothing of the agent."""


class By(StrEnum):
    """Who wanted to know."""

    SCHEDULE = "schedule"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Subject:
    """An agent as its canaries find it: told what its first route would tell it, with the windows of its policy."""

    agent_name: str
    metadata: Template
    policy: Policy

    def candidate(self, room: str, key: Key) -> CandidateSpec:
        parts = dict.fromkeys(self.metadata.parts, SCRATCH) | {ROOM_PART: room}
        mine = {contract.RESERVED_KEY: {**key.reserved(), "scratch": True}}
        told = {**json.loads(self.metadata.render(parts)), **mine}
        return CandidateSpec(self.agent_name, json.dumps(told, separators=(",", ":")))

    @property
    def first_judged_after(self) -> float:
        """Seconds from the call until a job must be listed, if one ever is."""
        policy = self.policy
        return max(policy.accept_window, SETTLED_AFTER) if policy.accept_window else policy.join_window


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one trial. Seconds are from the call of its dispatch."""

    outcome: Outcome
    detail: str
    cause: Cause | None = None
    joined: float | None = None
    answered: float | None = None
    on_its_way: bool = False
    """A worker has the job, and its agent did not come: it may yet, and would open its room anew."""


@dataclass(frozen=True, slots=True)
class Canary:
    """The result that is kept: of an agent of which LiveKit could tell."""

    agent_name: str
    outcome: Outcome
    detail: str
    cause: Cause | None
    room: str
    at: float
    """When it was begun: Unix seconds of the store's clock."""
    joined: float | None
    answered: float | None
    by: By

    @property
    def fix(self) -> str | None:
        return None if self.cause is None else causes.fix(self.cause, self.agent_name)


# --- what is seen of one -------------------------------------------------------------------------------------------------


def answering(joined: float, answered: float, rtt_ms: float) -> Tried:
    return Tried(Outcome.ANSWERING, f"{_joined(joined)}, and answered in {rtt_ms:g} ms.", joined=joined, answered=answered)


def cannot_be_asked(joined: float) -> Tried:
    return Tried(Outcome.ANSWERING, f"{_joined(joined)}; this server cannot ask it whether it answers.", joined=joined)


def undecided(joined: float) -> Tried:
    return Tried(Outcome.UNKNOWN, f"{_joined(joined)}; LiveKit could not say whether it answers.", joined=joined)


def silent(joined: float) -> Tried:
    return Tried(Outcome.FAILED, f"{_joined(joined)}, but it answers nothing.", Cause.SILENT, joined)


def gone(joined: float) -> Tried:
    return Tried(Outcome.FAILED, f"{_joined(joined)}, and was gone when it was asked.", Cause.JOINED_THEN_LEFT, joined)


def refused(agent_name: str) -> Tried:
    """LiveKit called its dispatch invalid, as it would for a room with people."""
    cause = Cause.LIVEKIT_REJECTED_REQUEST
    return Tried(Outcome.FAILED, causes.sentence(cause, agent_name), cause)


def missing(
    subject: Subject, dispatch_id: str, dispatches: tuple[ListedDispatch, ...], announced: NameState, waited: float
) -> Tried | None:
    """Why nobody came within `waited` seconds, as far as the listed dispatches tell; None while somebody may yet.

    `announced`: what the workers of this name say of themselves, which is more than LiveKit's API can.
    """
    final = waited >= subject.policy.join_window
    dispatch = next((d for d in dispatches if d.dispatch_id == dispatch_id), None)
    attempt = _attempt(subject.agent_name, dispatch_id, dispatch)
    cause = cause_so_far(attempt, Look(0.0, (), dispatches), final=final)
    if cause is None:
        if not final:
            return None
        cause = Cause.UNKNOWN
    if cause is Cause.NOT_TAKEN:
        cause = _TOLD_BY_WORKERS.get(announced, cause)
    detail = f"It did not come within {waited:.0f} s ({cause}). {causes.sentence(cause, subject.agent_name)}"
    said = next((job.error for job in dispatch.jobs if job.error), "") if dispatch else ""
    if said:
        detail += f" The job says {quoted(said)}."
    return Tried(Outcome.FAILED, detail, cause, on_its_way=attempt.job_has_identity)


_TOLD_BY_WORKERS: Final = {
    NameState.OFFLINE: Cause.NO_WORKER,
    NameState.FULL: Cause.WORKER_FULL,
    NameState.DRAINING: Cause.WORKER_FULL,
}


def _attempt(agent_name: str, dispatch_id: str, dispatch: ListedDispatch | None) -> Attempt:
    """The canary as an attempt, of which `evidence` knows what it means."""
    job = next(iter(dispatch.jobs), None) if dispatch else None
    return Attempt(
        number=1,
        agent_name=agent_name,
        requested_at=0.0,
        dispatch_id=dispatch_id,
        job_id=job.job_id if job else None,
        job_status=job.status if job else None,
        job_has_identity=bool(job and job.identity),
    )


def _joined(seconds: float) -> str:
    return f"It joined {seconds:.2f} s after its dispatch"
