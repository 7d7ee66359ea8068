"""The workers that have announced themselves: who is there, with how much room, and what that says about an attempt.

LiveKit's API cannot tell whether anybody answers to an agent name; the workers can. A worker counts as live for
ANNOUNCED_FOR after its last announcement. A stock worker announces nothing: a name of which nothing was announced is
*unknown*, never *absent*.
"""

import difflib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final

from orchestrator.core.causes import Cause
from orchestrator.core.placement import PlacementState
from orchestrator.core.session import Session

REMEMBERED: Final = 86_400.0
"""Seconds for which a name is remembered after its last announcement, or after an agent of it joined last."""

TALLIED: Final = 15.0
"""Seconds for which a replica's tallies stand: two in a row may be lost."""

FULL_LOAD: Final = 1.0
"""Of a worker's own threshold (0.7 of the CPU in livekit-agents' production mode): from here on it takes no more jobs."""

_TYPO: Final = 0.8
"""How alike two names must be for one to be a typing error: difflib's ratio, in which `mary` and `marry` have 0.89."""

_NEAR: Final = 5


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a worker tells of itself, every ANNOUNCE_PERIOD."""

    worker_id: str
    agent_name: str
    load: float = 0.0
    """The part of its own threshold that is used."""
    active_jobs: int = 0
    capacity: int | None = None
    """How many jobs it takes at once; None: as many as its load allows."""
    version: str = ""
    region: str = ""
    capabilities: tuple[str, ...] = ()
    draining: bool = False
    """It serves its jobs to their end, and takes no other."""

    @property
    def room_left(self) -> int | None:
        """How many jobs more it takes; None: some, and it cannot say how many."""
        if self.draining or self.load >= FULL_LOAD:
            return 0
        return None if self.capacity is None else max(self.capacity - self.active_jobs, 0)

    @property
    def has_room(self) -> bool:
        return self.room_left != 0


@dataclass(frozen=True, slots=True)
class Worker:
    """A live worker: what it said last, and when. Times in Unix seconds of the store's clock."""

    told: Announcement
    since: float
    """Since when it has announced itself without a gap."""
    seen_at: float


class NameState(StrEnum):
    """What is known of the workers of one agent name."""

    SERVING = "serving"
    """At least one has room."""
    FULL = "full"
    """Some are live, and none has room."""
    DRAINING = "draining"
    """All that are live take no more jobs."""
    OFFLINE = "offline"
    """It has announced itself within REMEMBERED, and no worker of it is live."""
    UNANNOUNCED = "unannounced"
    """Nothing was announced: its workers are stock ones, or there are none."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one agent name: how far those placements are that have it, or try it, in rooms that live."""

    verified: int = 0
    dispatching: int = 0
    unverified: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.verified + other.verified, self.dispatching + other.dispatching, self.unverified + other.unverified)


@dataclass(frozen=True, slots=True)
class Fleet:
    """What one look at the store showed. Holds live workers only."""

    at: float = 0.0
    live: Mapping[str, tuple[Worker, ...]] = field(default_factory=dict)
    """By agent name, in the order of their ids."""
    announced: Mapping[str, float] = field(default_factory=dict)
    """By agent name: when it was announced last, within REMEMBERED."""
    since: Mapping[str, float] = field(default_factory=dict)
    """By agent name that is live: since when, without a gap."""
    joined: Mapping[str, float] = field(default_factory=dict)
    """By agent name: when an agent of it was verified last, within REMEMBERED. A stock worker shows this and `tallies`."""
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    """By agent name, over all replicas."""

    def workers(self, agent_name: str) -> tuple[Worker, ...]:
        return self.live.get(agent_name, ())

    def has_room(self, agent_name: str) -> bool:
        return any(worker.told.has_room for worker in self.workers(agent_name))

    def state(self, agent_name: str) -> NameState:
        workers = self.workers(agent_name)
        if any(worker.told.has_room for worker in workers):
            return NameState.SERVING
        if workers:
            return NameState.DRAINING if all(worker.told.draining for worker in workers) else NameState.FULL
        return NameState.OFFLINE if agent_name in self.announced else NameState.UNANNOUNCED


NOTHING_KNOWN: Final = Fleet()


def cause_of_not_taken(fleet: Fleet, agent_name: str) -> Cause:
    """Why no worker took a job of this name, as far as the workers themselves tell."""
    match fleet.state(agent_name):
        case NameState.OFFLINE:
            return Cause.NO_WORKER
        case NameState.FULL | NameState.DRAINING:
            return Cause.WORKER_FULL
        case NameState.SERVING | NameState.UNANNOUNCED:
            return Cause.NOT_TAKEN


def tally(sessions: Iterable[Session]) -> dict[str, Tally]:
    """Count the placements of these sessions by the agent that serves, or is being tried."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for session in sessions:
        if session.ended or session.observed:
            continue
        for placement in session.placements:
            serving = placement.serving_attempt
            name = placement.spec.agent_name if serving is None else serving.agent_name
            if placement.state is PlacementState.VERIFIED:
                counts[name]["verified"] += 1
            elif placement.wanting:
                counts[name]["unverified" if placement.state is PlacementState.UNVERIFIED else "dispatching"] += 1
    return {name: Tally(**counted) for name, counted in counts.items()}


# --- names ------------------------------------------------------------------------------------------------------------


def near_names(agent_name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Known names that look like this one, best first."""
    return tuple(difflib.get_close_matches(agent_name, [name for name in known if name != agent_name], _NEAR))


def typo_of(fleet: Fleet, agent_name: str, configured: Collection[str]) -> str | None:
    """The announced name of which this one looks like a typing error.

    Not of a name that is configured as well: `support-en` beside `support-es` is no error. And a name under which
    anybody has announced itself, or has served, is right as it is.
    """
    if agent_name in fleet.announced or agent_name in fleet.joined:
        return None
    candidates = [name for name in fleet.live if name not in configured]
    return next(iter(difflib.get_close_matches(agent_name, candidates, 1, _TYPO)), None)


def typo_prefix(agent_name: str) -> str:
    """How the warning begins: the number of workers in it changes, and one warning is enough."""
    return f"No worker has announced itself as `{agent_name}`;"


def typo_warning(fleet: Fleet, agent_name: str, meant: str) -> str:
    count = len(fleet.workers(meant))
    live = "1 worker is live" if count == 1 else f"{count} workers are live"
    return f"{typo_prefix(agent_name)} it looks like a typo of `{meant}`, of which {live}."


# --- choosing one of several ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Choice:
    """What a route asks of whoever serves, where it names several."""

    capabilities: frozenset[str] = frozenset()
    region: str = ""
    """Empty: any."""


class Fit(IntEnum):
    """How well the workers of a name do for a choice: less is better."""

    FITS = 0
    """A live worker has all capabilities, is in the region, and has room."""
    ELSEWHERE = 1
    """A live worker has all capabilities and room, in another region."""
    UNKNOWN = 2
    """Nothing was announced."""
    FULL = 3
    """Live workers have all capabilities, and none has room."""
    UNABLE = 4
    """No live worker has all capabilities."""
    OFFLINE = 5
    """Announced before, and gone."""


def fit(fleet: Fleet, agent_name: str, choice: Choice) -> Fit:
    workers = fleet.workers(agent_name)
    if not workers:
        return Fit.OFFLINE if agent_name in fleet.announced else Fit.UNKNOWN
    able = [worker.told for worker in workers if choice.capabilities <= set(worker.told.capabilities)]
    if not able:
        return Fit.UNABLE
    roomy = [told for told in able if told.has_room]
    if not roomy:
        return Fit.FULL
    return Fit.FITS if any(choice.region in ("", told.region) for told in roomy) else Fit.ELSEWHERE


def ranked(fleet: Fleet, agent_names: Sequence[str], choice: Choice) -> tuple[str, ...]:
    """The names, those that fit best first; of those that fit alike, in the order in which they are given."""
    return tuple(sorted(agent_names, key=lambda name: fit(fleet, name, choice)))
