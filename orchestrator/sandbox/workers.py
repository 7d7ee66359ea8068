"""Workers: how they treat their jobs, how full they are, how they end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from orchestrator.sandbox.agents import SandboxAgent
from orchestrator.sandbox.model import Job

Refusal = Literal["", "terminate", "keep"]
Crash = Literal["", "before_join", "after_join"]

T = TypeVar("T", bound=float | str | None)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a worker treats its jobs; each part may be a callable that is asked per job. Times are in seconds."""

    answer_after: float | Callable[[Job], float] = 0.2
    """Until it answers whether it takes a job. LiveKit waits for 3."""
    start_after: float | Callable[[Job], float] = 0.07
    """From taking the job until its agent is ACTIVE."""
    refuses: Refusal | Callable[[Job], Refusal] = ""
    """`terminate`: the SDK's default, nobody else is asked; `keep`: another worker may take it; empty: it takes it."""
    crashes: Crash | Callable[[Job], Crash] = ""
    """`before_join`, `after_join`, or empty: it does not."""
    leaves_after: float | Callable[[Job], float | None] | None = None
    """It says goodbye so long after it joined."""
    knows_pulse: bool | Callable[[Job], bool] = False
    """Whether its agents have registered Rollcall's method: they answer 200, all others 1400. Both are life."""
    identity: str | Callable[[Job], str | None] | None = None
    """Instead of `agent-<job id>`."""
    joins_without_attributes: bool | Callable[[Job], bool] = False
    """As with servers and SDKs that do not stamp the agent name on participants."""


def chosen(part: T | Callable[[Job], T], job: Job) -> T:
    """A part of a behaviour, for this job."""
    return part(job) if callable(part) else part


class Worker:
    """One worker process. It is asked for jobs while it is registered."""

    def __init__(
        self,
        worker_id: str,
        agent_name: str,
        *,
        capacity: int,
        starting_jobs: int,
        behaviour: Behaviour,
        unregister: Callable[["Worker"], None],
    ) -> None:
        self.id = worker_id
        self.agent_name = agent_name
        self.behaviour = behaviour
        self.alive = True
        self.registered = False
        self.asked = 0
        """Jobs that it is being asked for right now."""
        self._capacity = capacity
        self._starting_jobs = starting_jobs
        self._unregister = unregister
        self._jobs: dict[str, SandboxAgent] = {}

    def __repr__(self) -> str:
        return f"<Worker {self.id} of {self.agent_name}>"

    @property
    def agents(self) -> dict[str, SandboxAgent]:
        """Its agents that are in their rooms, by identity."""
        return {agent.identity: agent for agent in self._jobs.values() if agent.in_room}

    @property
    def room_left(self) -> float:
        """LiveKit's weight: 1 when idle, 0 when full. Jobs that are about to start weigh more than those that run."""
        about_to_start = self.asked + sum(not agent.in_room for agent in self._jobs.values())
        load = max((len(self._jobs) + self.asked) / self._capacity, about_to_start / self._starting_jobs)
        return max(0.0, 1.0 - load)

    def agent_of(self, job: Job) -> SandboxAgent | None:
        return self._jobs.get(job.id)

    def took(self, agent: SandboxAgent) -> None:
        self._jobs[agent.job.id] = agent

    def ended(self, agent: SandboxAgent) -> None:
        self._jobs.pop(agent.job.id, None)

    def kill(self) -> None:
        """As kill -9 of all its processes, its agents' too."""
        self._stop()
        for agent in list(self._jobs.values()):
            agent.kill()

    def drain(self) -> None:
        """SIGTERM, as in a rolling deploy: it takes no more jobs, and its agents say goodbye."""
        self._stop()
        for agent in list(self._jobs.values()):
            agent.leave()

    def cut_off(self) -> None:
        """Its server was killed: it lives on, without its agents, and will register again."""
        self.registered = False
        for agent in list(self._jobs.values()):
            agent.removed()

    def _stop(self) -> None:
        self.alive = False
        self._unregister(self)
