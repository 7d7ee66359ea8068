"""The records of one session: what is known of one life of one room.

Times are Unix seconds of the store's clock, unless they are said to be LiveKit's own.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from orchestrator.core.causes import Cause
from orchestrator.core.facts import LeaveReason, Source
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.proof import Key, Proof

SCHEMA_VERSION: Final = 1
"""Of the stored record. A replica reads its own version and the one before."""

KEPT_TIMELINE: Final = 100
"""Of the timeline the first and the last so many lines are kept."""

KEPT_RETIRED: Final = 200
KEPT_GONE_AGENTS: Final = 20
KEPT_WARNINGS: Final = 20

NOT_LISTED: Final = "NOT_LISTED"
"""Why an agent counts as gone that a listing lacked; the other reasons are LiveKit's words."""


class SessionState(StrEnum):
    DISPATCHING = "dispatching"
    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    UNROUTED = "unrouted"
    OBSERVED = "observed"
    ENDED = "ended"


class Outcome(StrEnum):
    """How an ended session ended."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    UNROUTED = "unrouted"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Agent:
    """A participant of kind AGENT, whether it is one of ours or not."""

    participant_sid: str
    identity: str
    agent_name: str | None
    joined_at: float
    """LiveKit's time."""
    seen_at: float
    key: Key | None = None
    source: Source = Source.WEBHOOK
    answered_at: float | None = None
    rtt_ms: float | None = None
    unaskable: bool = False
    """Its server cannot ask it: being listed is all that will ever speak for it."""
    silent_at: float | None = None
    """Since when it counts as silent, although LiveKit still lists it."""
    ready: bool = False
    done: bool = False
    heard_joining: bool = True
    """False: all that we heard of it so far is that it left."""
    left_at: float | None = None
    """LiveKit's time, with a resolution of one second."""
    reason: str | None = None
    leave: LeaveReason | None = None

    @property
    def present(self) -> bool:
        return self.left_at is None

    @property
    def proof(self) -> Proof:
        """What this participant proves by itself. A listing without an answer proves nothing: it may be a ghost."""
        if self.silent_at is not None:
            return Proof.ACCEPTED
        if self.answered_at is None:
            if self.source is Source.LISTING and not self.unaskable:
                return Proof.ACCEPTED
            return Proof.READY if self.ready else Proof.JOINED
        return Proof.READY if self.ready else Proof.ANSWERING


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    at: float
    event: str
    source: Source = Source.ROLLCALL
    agent_name: str | None = None
    attempt: int | None = None
    dispatch_id: str | None = None
    identity: str | None = None
    cause: Cause | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One life of one room."""

    sid: str
    room: str
    started_at: float
    """LiveKit's time of the room's creation."""
    opened_at: float
    updated_at: float
    metadata: str = ""
    """The room's metadata until the routes have answered; then it is forgotten."""
    routed: bool = False
    route: str = ""
    starts: int = 0
    """How many room_started came."""
    restarted_at: float = 0.0
    """When room_started came again for the same sid: the node that held the room is gone, another one took it over."""
    heard_at: float = 0.0
    """When the newest webhook was stored; 0: none ever came."""
    observed: bool = False
    """It lived before us: nothing is dispatched to it, unless its agent answers or an operator says so."""
    people: int = 0
    had_people: bool = False
    people_at: float = 0.0
    """When we last heard of people coming or going."""
    ended_at: float | None = None
    ended_by: Source | None = None
    """What only a listing ended, any later event undoes."""
    placements: tuple[Placement, ...] = ()
    agents: tuple[Agent, ...] = ()
    retired: tuple[str, ...] = ()
    """Identities of ours that were given up: whoever joins with one is removed, unless it is wanted after all."""
    warnings: tuple[str, ...] = ()
    traceparent: str = ""
    """The caller's span under which the session's trace stands; empty: it has a trace of its own."""
    webhook_lag: float = 0.0
    """How late the newest webhook's event was."""
    timeline: tuple[TimelineEntry, ...] = ()
    timeline_total: int = 0

    @property
    def ended(self) -> bool:
        return self.ended_at is not None

    @property
    def empty(self) -> bool:
        """Everybody has left. A room that nobody has entered yet is not empty in this sense."""
        return self.had_people and self.people <= 0

    @property
    def state(self) -> SessionState:
        states = {p.state for p in self.placements}
        if self.ended:
            return SessionState.ENDED
        if self.routed and states <= {PlacementState.CANCELLED}:
            return SessionState.UNROUTED
        if self.observed:
            return SessionState.OBSERVED
        if PlacementState.UNVERIFIED in states:
            return SessionState.UNVERIFIED
        if not self.routed or states & {PlacementState.WAITING, PlacementState.DISPATCHING, PlacementState.LOST}:
            return SessionState.DISPATCHING
        return SessionState.VERIFIED

    @property
    def outcome(self) -> Outcome | None:
        """Of an ended session: unverified if a placement had been given up and no agent came after that."""
        if not self.ended:
            return None
        wanted = [p for p in self.placements if p.state is not PlacementState.CANCELLED]
        if self.routed and not self.placements:
            return Outcome.UNROUTED
        if not wanted:  # all were taken out by somebody's wish: what counts is whether they had come
            wanted = list(self.placements)
        if any(p.given_up for p in wanted):
            return Outcome.UNVERIFIED
        return Outcome.VERIFIED if wanted and all(p.verified_at is not None for p in wanted) else Outcome.ABANDONED

    def wants(self, placement: Placement) -> bool:
        """Whether somebody is to see to it that this placement gets its agent."""
        return placement.wanting and not self.ended and not self.observed

    def serves(self, agent_name: str, identity: str) -> bool:
        """Whether this identity is the verified agent of this placement."""
        placement = self.placement(agent_name)
        return not self.ended and placement.state is PlacementState.VERIFIED and placement.identity == identity

    def placement(self, agent_name: str) -> Placement:
        """Raises KeyError when the session has no such placement."""
        found = self.find_placement(agent_name)
        if found is None:
            raise KeyError(agent_name)
        return found

    def find_placement(self, agent_name: str) -> Placement | None:
        return next((p for p in self.placements if p.agent_name == agent_name), None)

    def agent_of(self, placement: Placement) -> Agent | None:
        """Who serves this placement; None when nobody does."""
        return next((a for a in self.agents if a.participant_sid == placement.participant_sid), None)

    def present_agent(self, identity: str) -> Agent | None:
        return next((a for a in self.agents if a.identity == identity and a.present), None)
