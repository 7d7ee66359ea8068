"""What the sandbox shows of its state: LiveKit's records, as snapshots that later changes leave alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})

PEOPLE: Final = frozenset({"STANDARD", "SIP", "CONNECTOR"})
"""Kinds that keep a room open and are counted by `num_participants`."""


class ApiError(Exception):
    """How LiveKit refuses a call. Status 0: no answer at all, the connection broke."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class AgentRequest:
    """An entry of `agents` in CreateRoom, or in a token's `room_config`."""

    agent_name: str
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Room:
    sid: str
    name: str
    created_at: float
    metadata: str = ""
    empty_timeout: float = 300.0
    departure_timeout: float = 20.0
    num_participants: int = 0
    """Without agents."""
    turn_password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Participant:
    sid: str
    identity: str
    kind: str
    state: str
    joined_at: float
    name: str = ""
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    version: int = 1
    disconnect_reason: str = ""

    @property
    def is_agent(self) -> bool:
        return self.kind == "AGENT"


@dataclass(frozen=True, slots=True)
class Job:
    id: str
    dispatch_id: str
    room: str
    agent_name: str
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    status: str = "JS_PENDING"
    participant_identity: str = ""
    worker_id: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Dispatch:
    id: str
    agent_name: str
    room: str
    metadata: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    created_at: float = 0.0
    jobs: tuple[Job, ...] = ()


@dataclass(frozen=True, slots=True)
class Webhook:
    """One event, as it was when it happened; the same on each of its deliveries."""

    id: str
    event: str
    created_at: int
    """Whole seconds: it cannot order events."""
    room: Room
    participant: Participant | None
    queued_at: float
    """By the monotonic clock."""
