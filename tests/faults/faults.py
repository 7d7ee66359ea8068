"""What goes wrong in a soak, drawn at random: each function does one thing to the scene, and has undone it when it ends."""

from __future__ import annotations

import random
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tests.e2e.harness.workers import TestWorkers
from tests.faults.calls import Calls
from tests.faults.judge import agents, settled
from tests.faults.scene import Scene


@dataclass(frozen=True)
class Soaked:
    """The scene of a soak."""

    scene: Scene
    calls: Calls
    chance: random.Random
    keeps_rooms: bool
    """Whether LiveKit has its state in Redis, and shows rooms and agents of a dead node for good."""
    ghosts: set[str] = field(default_factory=set)
    """Agents that were in a room when LiveKit died with everything on its machine."""

    @property
    def crowds(self) -> tuple[TestWorkers, ...]:
        """All worker processes."""
        return (self.scene.workers, *self.scene.more_workers)


async def replica_killed(soaked: Soaked) -> None:
    """kill -9 of one replica, and its start."""
    victim = soaked.chance.choice(soaked.scene.replicas)
    await victim.kill()
    await soaked.scene.watch(soaked.chance.uniform(0, 15))
    await victim.start()


async def replica_stopped(soaked: Soaked) -> None:
    """SIGSTOP of one replica for longer than its lease."""
    victim = soaked.chance.choice(soaked.scene.replicas).rollcall.process
    victim.pause()
    await soaked.scene.watch(12)
    victim.resume()


async def replicas_rolled(soaked: Soaked) -> None:
    """SIGTERM and start of one replica after the other."""
    for replica in soaked.scene.replicas:
        assert await replica.rollcall.process.stop() == 0
        await replica.start()


async def redis_killed(soaked: Soaked) -> None:
    """kill -9 of Redis, and its start."""
    await soaked.scene.store.process.kill()
    await soaked.scene.watch(soaked.chance.uniform(0, 5))
    await soaked.scene.store.start()


async def redis_cut(soaked: Soaked) -> None:
    """As a power loss: what Redis wrote last is gone."""
    store = soaked.scene.store
    await store.process.kill()
    store.cut(max(0, store.written - soaked.chance.randint(1, 16_384)))
    await store.start()


async def livekit_killed(soaked: Soaked) -> None:
    """kill -9 of LiveKit, and its start; where its state outlives it, the workers die with it, as a machine does."""
    scene = soaked.scene
    if soaked.keeps_rooms:
        for room in soaked.calls.rooms():
            soaked.ghosts.update(await agents(scene.server, room))
    await scene.server.process.kill()
    if soaked.keeps_rooms:
        for crowd in soaked.crowds:
            await crowd.process.kill()
    await scene.server.start()
    if soaked.keeps_rooms:
        for crowd in soaked.crowds:
            await crowd.start()
    await soaked.calls.come_back()


async def worker_killed(soaked: Soaked) -> None:
    """kill -9 of one worker with all that it has, and its start."""
    crowd = soaked.chance.choice(soaked.crowds)
    await crowd.process.clear_away(timeout=0)
    await soaked.scene.watch(soaked.chance.uniform(0, 10))
    await crowd.start()


async def job_killed(soaked: Soaked) -> None:
    """kill -9 of the process of one call's agent."""
    await _signal_a_job(soaked, signal.SIGKILL)


async def job_frozen(soaked: Soaked) -> None:
    """SIGSTOP of the process of one call's agent, for good."""
    await _signal_a_job(soaked, signal.SIGSTOP)


async def webhooks_lost(soaked: Soaked) -> None:
    """Every webhook is lost for a while, in which rooms are opened."""
    soaked.scene.balancer.losing = True
    await soaked.calls.go_on()
    await soaked.scene.watch(soaked.chance.uniform(10, 60))
    soaked.scene.balancer.losing = False


async def answers_lost(soaked: Soaked) -> None:
    """LiveKit does what it is asked for, and its answers are lost."""
    for replica in soaked.scene.replicas:
        replica.proxy.losing.update({"CreateDispatch", "DeleteDispatch", "RemoveParticipant"})
    await soaked.calls.go_on()
    await soaked.scene.watch(10)
    for replica in soaked.scene.replicas:
        replica.proxy.losing.clear()


Fault = Callable[[Soaked], Awaitable[None]]

FAULTS: Final[Mapping[Fault, int]] = {
    replica_killed: 6,
    replica_stopped: 2,
    replicas_rolled: 2,
    redis_killed: 2,
    redis_cut: 2,
    livekit_killed: 2,
    worker_killed: 2,
    job_killed: 2,
    job_frozen: 2,
    webhooks_lost: 1,
    answers_lost: 1,
}
"""How often which fault is drawn."""


async def _signal_a_job(soaked: Soaked, number: signal.Signals) -> None:
    """To the agent of a call that is in progress; nothing happens when none has a process of its own."""
    rooms = soaked.calls.with_people("process-")
    if not rooms:
        return
    room = soaked.chance.choice(rooms)
    await settled(soaked.scene, room, ghosts=soaked.ghosts)
    # Older jobs of the room may have been another worker's.
    newest = soaked.scene.jobs(room)[-1]
    next(crowd for crowd in soaked.crowds if newest in crowd.seen("entered", room=room)).signal_job(room, number)
