"""How many rooms have their agent although LiveKit loses dispatches in silence: CreateDispatch once, again, and Rollcall.

A thousand rooms in the sandbox, in virtual time. What counts is what is true there, not what anybody believes.
"""

from __future__ import annotations

import asyncio
import logging
import math
import multiprocessing
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog

from orchestrator.runtime.tasks import Tasks
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.model import Job
from orchestrator.sandbox.workers import Behaviour, Crash
from tests.benchmarks.figure import Figure, print_cells
from tests.benchmarks.ways import AGENT, Place, Way, again, once, rollcall
from tests.simulation.loop import SimulatedLoop, bury
from tests.unit.runtime.service import VirtualClock

ROOMS = 1_000
PER_SECOND = 20
PATIENCE = 60.0
"""Seconds from the last room's opening to the count."""

WORKERS = 40
"""For 50 agents each, twice as many as needed: no job is refused."""

SEED = 1

_MOST_STEPS = 100_000_000
_MOST_SECONDS = 300.0
"""Of real time: beyond this something is wrong, and no patience helps."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What LiveKit and the workers do wrong."""

    what: str
    faults: Faults
    crashing: float = 0.0
    """The part of the jobs whose process crashes before it joins: LiveKit says for ever that they run."""


LOST = Scene("30 % of the dispatches lost", Faults(drop_dispatch=0.3))
WORSE = Scene(
    "and 5 % of the jobs crash, 5 % join late and unlisted",
    Faults(drop_dispatch=0.3, late_joiners=0.05),
    crashing=0.05,
)

WAYS: Mapping[str, Way] = {
    "CreateDispatch once": once,
    "again every 5 s until one is listed": again,
    "Rollcall": rollcall,
}


@dataclass(frozen=True, slots=True)
class Count:
    """What is true of the rooms at the end."""

    agents: tuple[int, ...]
    """In each room."""
    waited: tuple[float, ...]
    """Seconds from each room's opening to its agent, in ascending order; infinite where there is none."""
    dispatches: int

    def share(self, of: range) -> float:
        """The rooms that have so many agents, in percent."""
        return 100 * sum(number in of for number in self.agents) / len(self.agents)

    def row(self) -> tuple[str, ...]:
        """As the table has it."""
        shares = (self.share(ONE), self.share(range(1)), self.share(range(2, ROOMS)))
        times = (self.waited[ROOMS // 2], self.waited[ROOMS * 95 // 100])
        return (
            *(f"{share:.1f} %" for share in shares),
            *(f"{time:.1f} s" if math.isfinite(time) else "never" for time in times),
            f"{self.dispatches:,}",
        )


ONE = range(1, 2)

_TITLES = ("", "", "one agent", "none", "two or more", "p50", "p95", "dispatches")


async def measure(_: Path) -> Sequence[Figure]:
    """Each way in each scene, from the same seed, as many at once as there are cores."""
    runs = [(scene, name) for scene in (LOST, WORSE) for name in WAYS]
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as processes:
        counts = await asyncio.gather(*(loop.run_in_executor(processes, live_through, *run) for run in runs))
    rows = [(scene.what, name, *count.row()) for (scene, name), count in zip(runs, counts, strict=True)]
    print_cells([_TITLES, *rows], left=2)
    shares = {run: count.share(ONE) for run, count in zip(runs, counts, strict=True)}
    return [
        Figure(
            f"rooms with exactly one agent, {scene.what}, against {name}",
            "%",
            ours=shares[scene, "Rollcall"],
            baseline=share,
            samples=ROOMS,
        )
        for (scene, name), share in shares.items()
        if name != "Rollcall"
    ]


def live_through(scene: Scene, way: str) -> Count:
    """A whole run, in a process of its own."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    loop = SimulatedLoop(most_steps=_MOST_STEPS, most_seconds=_MOST_SECONDS)
    try:
        return loop.run_until_complete(_live(scene, WAYS[way]))
    finally:
        bury(loop)


async def _live(scene: Scene, way: Way) -> Count:
    clock = VirtualClock()
    crashes: list[str] = []
    tasks = Tasks(lambda name, error: crashes.append(f"{name}: {error!r}"))
    sandbox = Sandbox(clock, _chance(), tasks.spawn, faults=scene.faults)
    await _start_workers(sandbox, clock, scene.crashing)
    opened_at: dict[str, float] = {}
    async with way(Place(sandbox, clock, tasks)) as opened:
        for number in range(ROOMS):
            room = f"room-{number}"
            opened_at[room] = clock.now()
            sandbox.join(room, "caller")
            opened(room)
            await clock.sleep(1 / PER_SECOND)
        await clock.sleep(PATIENCE)
        agents = tuple(len(sandbox.living_agents(room)) for room in opened_at)
        waited = sorted([await _joined_at(sandbox, room) - at for room, at in opened_at.items()])
    await tasks.cancel()
    if crashes:
        message = f"{len(crashes)} tasks crashed, the first: {crashes[0]}"
        raise RuntimeError(message)
    return Count(agents, tuple(waited), sandbox.tally.dispatches)


async def _joined_at(sandbox: Sandbox, room: str) -> float:
    participants = await sandbox.list_participants(room)
    return min((one.joined_at for one in participants if one.is_agent), default=math.inf)


async def _start_workers(sandbox: Sandbox, clock: VirtualClock, crashing: float) -> None:
    chance = _chance()

    def crash(_: Job) -> Crash:
        return "before_join" if chance.random() < crashing else ""

    workers = [sandbox.start_worker(AGENT, behaviour=Behaviour(crashes=crash)) for _ in range(WORKERS)]
    while not all(worker.registered for worker in workers):
        await clock.sleep(0.1)


def _chance() -> random.Random:
    return random.Random(SEED)  # noqa: S311  # a simulation's, and keeps no secrets
