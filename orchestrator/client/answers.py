"""What the service answers, as the command reads it: all that it shows of it, and nothing else.

The service writes times; here they are read, hence models beside those of `web`. A field that an older service lacks
has a default, and what a newer one adds is left alone.
"""

from datetime import datetime
from typing import TypeVar

import msgspec

from orchestrator.client.errors import CommandFailed
from orchestrator.exits import ExitCode

T = TypeVar("T")


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    number: int
    agent_name: str
    dispatch_id: str | None = None
    job_id: str | None = None
    identity: str | None = None
    adopted: bool = False
    proof: str
    cause: str | None = None
    requested_at: datetime
    accepted_at: datetime | None = None
    joined_at: datetime | None = None
    ended_at: datetime | None = None


class Pulse(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    age_s: float
    rtt_ms: float | None = None


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    agent_name: str
    state: str
    proof: str
    cause: str | None = None
    fix: str | None = None
    identity: str | None = None
    served_by: str | None = None
    verified_at: datetime | None = None
    time_to_agent_ms: int | None = None
    deadline_at: datetime
    awaited: str | None = None
    pulse: Pulse | None = None
    attempts_total: int
    attempts: tuple[Attempt, ...] = ()


class Event(msgspec.Struct, frozen=True, kw_only=True):
    at: datetime
    event: str
    source: str
    agent_name: str | None = None
    attempt: int | None = None
    dispatch_id: str | None = None
    identity: str | None = None
    cause: str | None = None
    detail: str | None = None


class Links(msgspec.Struct, frozen=True, kw_only=True):
    self_: str = msgspec.field(name="self")
    screen: str | None = None
    runbook: str | None = None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    room: str
    sid: str
    state: str
    outcome: str | None = None
    verdict: str
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None
    people: int
    next: str | None = None
    placements: tuple[Placement, ...]
    warnings: tuple[str, ...] = ()
    timeline: tuple[Event, ...] = ()
    links: Links


class Sessions(msgspec.Struct, frozen=True, kw_only=True):
    sessions: tuple[Session, ...]
    cursor: str | None = None


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    verified: int
    dispatching: int
    unverified: int


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    since: datetime
    until: datetime | None = None
    reason: str = ""


class Canary(msgspec.Struct, frozen=True, kw_only=True):
    agent_name: str
    outcome: str
    cause: str | None = None
    detail: str
    fix: str | None = None
    at: datetime


class Agent(msgspec.Struct, frozen=True, kw_only=True):
    agent_name: str
    verdict: str
    configured: bool
    state: str
    workers: int
    active_jobs: int
    capacity: int | None = None
    room_left: int | None = None
    last_joined: datetime | None = None
    regions: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    sessions: Counts
    near: tuple[str, ...] = ()
    paused: Pause | None = None
    canary: Canary | None = None


class Worker(msgspec.Struct, frozen=True, kw_only=True):
    worker_id: str
    load: float
    active_jobs: int
    capacity: int | None = None
    room_left: int | None = None
    version: str
    region: str
    draining: bool
    last_seen_age_s: float


class AgentDetail(Agent, frozen=True, kw_only=True):
    workers_detail: tuple[Worker, ...] = ()


class Agents(msgspec.Struct, frozen=True, kw_only=True):
    agents: tuple[Agent, ...]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    agent_name: str
    role: str
    text: str
    at: datetime
    interrupted: bool = False


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    room: str
    sid: str
    items: tuple[Item, ...]


def read(kind: type[T], body: bytes) -> T:
    """Raises CommandFailed."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fix = "Correct ROLLCALL_URL or --url, or use the command of the service's version."
        raise CommandFailed(ExitCode.FAILED, f"What came back is no answer of Rollcall: {error}.", fix) from error
