"""What LiveKit's listings show: levels, mostly true, and after a node's death true of nothing any more."""

from dataclasses import dataclass
from typing import Final

from orchestrator.core.facts import JobStatus
from orchestrator.core.proof import Key

LISTING_LAG: Final = 2.0
"""Seconds by which a listing may be behind the webhooks: what it lacks says nothing about what was heard since."""


@dataclass(frozen=True, slots=True)
class ListedRoom:
    sid: str
    name: str
    created_at: float
    metadata: str
    num_participants: int


@dataclass(frozen=True, slots=True)
class ListedParticipant:
    sid: str
    identity: str
    is_agent: bool
    is_person: bool
    active: bool
    joined_at: float
    agent_name: str | None
    key: Key | None
    ready: bool
    done: bool
    warning: str = ""


@dataclass(frozen=True, slots=True)
class ListedJob:
    job_id: str
    status: JobStatus
    identity: str | None
    error: str


@dataclass(frozen=True, slots=True)
class ListedDispatch:
    dispatch_id: str
    agent_name: str
    key: Key | None
    jobs: tuple[ListedJob, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """One look into a live room. `requested_at`, in the store's time, is before the first of its calls.

    What it lacks never overrides a fact that was stored later than that.
    """

    requested_at: float
    participants: tuple[ListedParticipant, ...]
    dispatches: tuple[ListedDispatch, ...]
