"""An agent name as people see it, the JSON of GET /agents: does anybody answer to it, with how much room left."""

from collections.abc import Collection, Iterable

from orchestrator.core.canary import Canary
from orchestrator.core.durations import spoken
from orchestrator.core.fleet import Fleet, NameState, Tally, Worker, near_names, typo_of
from orchestrator.core.naming import spelled
from orchestrator.core.pauses import Pause
from orchestrator.web.answers import View
from orchestrator.web.canary_view import CanaryView, canary_view
from orchestrator.web.times import Time


class SessionCounts(View):
    """Of all replicas, at most 20 s old: how far the placements of this agent are, in rooms that live."""

    verified: int
    """It is in so many rooms."""
    dispatching: int
    """So many rooms wait for it."""
    unverified: int
    """For so many rooms a person was told that it is missing."""


class PauseView(View):
    """An operator's pause: while it holds nobody is dispatched, and nothing that serves is touched."""

    since: Time
    until: Time | None
    """null: until somebody ends it."""
    by: str
    """The scope of whoever asked for it."""
    reason: str


class AgentNameView(View):
    """One agent name: who answers to it, as its workers say, and what its sessions show."""

    agent_name: str
    verdict: str
    """Whether anybody answers to this name."""
    configured: bool
    """It stands in the configuration."""
    announced: bool
    """A worker has announced itself under it within 24 h."""
    state: NameState
    """`serving`: a worker has room. `full`: none has. `draining`: all take no more jobs. `offline`: those that announced
    themselves are gone. `unannounced`: nobody has; its workers are stock ones, or there are none."""
    workers: int
    """Live ones: they announced themselves within 15 s."""
    active_jobs: int
    """Of all live workers."""
    capacity: int | None
    """Jobs that all live workers take at once; null where one of them goes by its load, or none is live."""
    room_left: int | None
    """Jobs that they take beyond those they have; null where it cannot be told."""
    since: Time | None
    """Since when there has been a live worker without a gap."""
    last_seen: Time | None
    """When a worker announced itself last."""
    last_joined: Time | None
    """When an agent of this name was verified last, within 24 h: all that a stock worker shows."""
    last_joined_age_s: float | None
    regions: tuple[str, ...]
    versions: tuple[str, ...]
    capabilities: tuple[str, ...]
    """Those that any live worker has."""
    sessions: SessionCounts
    paused: PauseView | None
    """Null: it is dispatched as its sessions want."""
    canary: CanaryView | None
    """What came of its last canary, within seven days."""
    near: tuple[str, ...]
    """Where nobody answers: announced names that look like this one."""


class WorkerView(View):
    """One live worker, as it described itself."""

    worker_id: str
    load: float
    """The part of its own threshold that is used; at 1 it takes no more jobs."""
    active_jobs: int
    capacity: int | None
    """How many jobs it takes at once; null: as many as its load allows."""
    room_left: int | None
    """null: some."""
    version: str
    region: str
    capabilities: tuple[str, ...]
    draining: bool
    since: Time
    """Since when it has announced itself without a gap."""
    last_seen: Time
    last_seen_age_s: float


class AgentNameDetail(AgentNameView):
    """One agent name, with its live workers."""

    workers_detail: tuple[WorkerView, ...]


class AgentNameList(View):
    """Every name that is configured, was announced or had an agent verified within 24 h, or has a session now."""

    agents: tuple[AgentNameView, ...]


def known_names(fleet: Fleet, configured: Collection[str]) -> list[str]:
    """All names of which there is anything to say."""
    return sorted({*configured, *fleet.announced, *fleet.live, *fleet.joined, *fleet.tallies})


def pause_view(pause: Pause | None) -> PauseView | None:
    return None if pause is None else PauseView(since=pause.since, until=pause.until, by=pause.by, reason=pause.reason)


def agent_name_view(
    fleet: Fleet,
    agent_name: str,
    configured: Collection[str],
    pause: Pause | None = None,
    canary: Canary | None = None,
) -> AgentNameView:
    """What is known of one agent name: its workers by their own word, its sessions by ours."""
    workers = [worker.told for worker in fleet.workers(agent_name)]
    joined, counts = fleet.joined.get(agent_name), fleet.tallies.get(agent_name, Tally())
    return AgentNameView(
        agent_name=agent_name,
        verdict=_verdict(fleet, agent_name, configured),
        configured=agent_name in configured,
        announced=agent_name in fleet.announced,
        state=fleet.state(agent_name),
        workers=len(workers),
        active_jobs=sum(told.active_jobs for told in workers),
        capacity=_sum(told.capacity for told in workers) if workers else None,
        room_left=_room_left(fleet, agent_name),
        since=fleet.since.get(agent_name),
        last_seen=fleet.announced.get(agent_name),
        last_joined=joined,
        last_joined_age_s=None if joined is None else _age(fleet, joined),
        regions=_distinct(told.region for told in workers),
        versions=_distinct(told.version for told in workers),
        capabilities=_distinct(capability for told in workers for capability in told.capabilities),
        sessions=SessionCounts(verified=counts.verified, dispatching=counts.dispatching, unverified=counts.unverified),
        paused=pause_view(pause),
        canary=None if canary is None else canary_view(canary),
        near=() if workers or joined is not None else near_names(agent_name, fleet.live),
    )


def agent_name_detail(
    fleet: Fleet,
    agent_name: str,
    configured: Collection[str],
    pause: Pause | None = None,
    canary: Canary | None = None,
) -> AgentNameDetail:
    summary = agent_name_view(fleet, agent_name, configured, pause, canary)
    workers = tuple(_worker(fleet, worker) for worker in fleet.workers(agent_name))
    return AgentNameDetail(**dict(summary), workers_detail=workers)


def _worker(fleet: Fleet, worker: Worker) -> WorkerView:
    told = worker.told
    return WorkerView(
        worker_id=told.worker_id,
        load=told.load,
        active_jobs=told.active_jobs,
        capacity=told.capacity,
        room_left=told.room_left,
        version=told.version,
        region=told.region,
        capabilities=told.capabilities,
        draining=told.draining,
        since=worker.since,
        last_seen=worker.seen_at,
        last_seen_age_s=_age(fleet, worker.seen_at),
    )


def _verdict(fleet: Fleet, agent_name: str, configured: Collection[str]) -> str:
    name, count = spelled(agent_name), len(fleet.workers(agent_name))
    answering = f"1 worker answers to {name}" if count == 1 else f"{count} workers answer to {name}"
    match fleet.state(agent_name):
        case NameState.SERVING:
            left = _room_left(fleet, agent_name)
            return f"{answering}, with room for {'more jobs' if left is None else f'{left} more'}."
        case NameState.FULL:
            return f"{answering}, and no room is left."
        case NameState.DRAINING:
            return f"{answering}, and takes no more jobs: draining." if count == 1 else f"{answering}; all are draining."
        case NameState.OFFLINE:
            ago = spoken(fleet.at - fleet.announced[agent_name])
            return f"Nobody answers to {name}; its last worker was heard {ago} ago."
        case NameState.UNANNOUNCED:
            return f"No worker has announced itself as {name}{_shown_otherwise(fleet, agent_name, configured)}."


def _shown_otherwise(fleet: Fleet, agent_name: str, configured: Collection[str]) -> str:
    """What is known of a name that only stock workers, or none, may have."""
    if (joined := fleet.joined.get(agent_name)) is not None:
        return f", but an agent of that name joined {spoken(fleet.at - joined)} ago: its worker does not announce itself"
    if (meant := typo_of(fleet, agent_name, configured)) is not None:
        return f", and no agent of that name joined within 24 h; it looks like a typo of {meant}"
    return ", and no agent of that name joined within 24 h"


def _room_left(fleet: Fleet, agent_name: str) -> int | None:
    match fleet.state(agent_name):
        case NameState.UNANNOUNCED:
            return None
        case NameState.OFFLINE:
            return 0
        case NameState.SERVING | NameState.FULL | NameState.DRAINING:
            return _sum(worker.told.room_left for worker in fleet.workers(agent_name))


def _sum(numbers: Iterable[int | None]) -> int | None:
    """Of all; None where one is not known."""
    total = 0
    for number in numbers:
        if number is None:
            return None
        total += number
    return total


def _distinct(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({text for text in texts if text}))


def _age(fleet: Fleet, at: float) -> float:
    return round(max(fleet.at - at, 0.0), 1)
