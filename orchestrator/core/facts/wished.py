"""Which agents a session is to have, and who wants that: its routes, people, or agents."""

from dataclasses import dataclass

from orchestrator.core.facts.words import Source
from orchestrator.core.policy import Policy


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
class RoundWanted:
    """An operator asks for a new round of attempts, now: of one placement, or of all that are not over."""

    placement: str | None
    wish: str
    """Names this wish: the same one begins no second round."""
    source: Source
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SessionCancelled:
    """An operator wants no agent in this session any more, until somebody asks for one."""

    source: Source
    reason: str = ""


@dataclass(frozen=True, slots=True)
class IncidentTaken:
    """A person sees to what one placement, or every one, was given up for: nobody else need be told."""

    placement: str | None
    source: Source
    note: str = ""


@dataclass(frozen=True, slots=True)
class TraceJoined:
    """Who asked for a token has begun a trace, in which the session stands. `traceparent` as W3C Trace Context writes it."""

    traceparent: str


@dataclass(frozen=True, slots=True)
class Warned:
    """What a person must know of this session, found beside the room itself."""

    warning: str
