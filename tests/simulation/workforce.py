"""The workers: when they start, how they end, and whether somebody sound works under a name."""

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from orchestrator.sandbox.workers import Worker
from tests.simulation.plan import WorkerPlan

if TYPE_CHECKING:
    from tests.simulation.world import World

_HARMLESS: Final = frozenset({"knows_pulse", "joins_without_attributes"})
"""Differences of behaviour that keep nobody from serving."""


_ROOM: Final = 0.2
"""LiveKit's weight of a worker that is surely asked."""


class Workforce:
    def __init__(self, world: "World") -> None:
        self._world = world
        self._workers: list[tuple[WorkerPlan, Worker]] = []

    async def live(self, plan: WorkerPlan) -> None:
        """One of them, from its start on."""
        await self._world.until(plan.starts_at)
        self._start(plan)

    def _start(self, plan: WorkerPlan) -> None:
        worker = self._world.sandbox.start_worker(plan.agent_name, capacity=plan.capacity, behaviour=plan.behaviour)
        self._workers.append((plan, worker))
        self._world.trace.note("workers", "", f"one for {plan.agent_name} starts: {_strangeness(plan)}")

    async def lose(self, number: int, *, drained: bool, back_after: float) -> None:
        """One of those alive ends, by a signal or at once; another one like it starts after a while."""
        alive = [(plan, worker) for plan, worker in self._workers if worker.alive]
        if not alive:
            return
        plan, worker = alive[number % len(alive)]
        if drained:
            worker.drain()
        else:
            worker.kill()
        await self._world.clock.sleep(back_after)
        self._start(plan)

    def steady(self, agent_name: str) -> bool:
        """Whether nobody under this name leaves, crashes or refuses of its own."""
        return not any(_strangeness(plan) for plan, _ in self._of(agent_name))

    def serves(self, agent_name: str) -> bool:
        """Whether somebody has room for jobs of this name, and nobody strange takes them."""
        mine = self._of(agent_name)
        return bool(mine) and self.steady(agent_name) and all(w.registered and w.room_left > _ROOM for _, w in mine)

    def _of(self, agent_name: str) -> list[tuple[WorkerPlan, Worker]]:
        return [(plan, worker) for plan, worker in self._workers if worker.alive and plan.agent_name == agent_name]


def _strangeness(plan: WorkerPlan) -> str:
    """How this worker's behaviour differs from a good one's."""
    behaviour = plan.behaviour
    differing = (f for f in fields(behaviour) if f.name not in _HARMLESS and getattr(behaviour, f.name) != f.default)
    return ", ".join(f"{f.name}={getattr(behaviour, f.name)}" for f in differing)
