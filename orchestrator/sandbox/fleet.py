"""Which workers there are, which of them is asked for a job, and what the server remembers of their names."""

import random
from dataclasses import dataclass

from orchestrator.runtime.ports import Clock
from orchestrator.sandbox.ids import Ids
from orchestrator.sandbox.timing import Timing
from orchestrator.sandbox.webhooks import Spawn
from orchestrator.sandbox.workers import Behaviour, Worker


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The server's memory of which agent names have workers.

    The answers come at once, and yet it collects them for `names_check` seconds, because other kinds of workers might
    answer, too. Jobs are listed only when that is over.
    """

    names: frozenset[str]
    collected_at: float
    expires_at: float


class Fleet:
    """The workers of one server."""

    def __init__(self, clock: Clock, chance: random.Random, ids: Ids, spawn: Spawn, timing: Timing) -> None:
        self._clock = clock
        self._chance = chance
        self._ids = ids
        self._spawn = spawn
        self._timing = timing
        self._workers: list[Worker] = []
        self._up = True
        self._known: KnownNames | None = None

    # --- workers come and go ------------------------------------------------------------------------------------------

    def start(self, agent_name: str, *, capacity: int, behaviour: Behaviour) -> Worker:
        worker = Worker(
            self._ids.new("AW_"),
            agent_name,
            capacity=capacity,
            starting_jobs=self._timing.starting_jobs,
            behaviour=behaviour,
            unregister=self._unregister,
        )
        self._workers.append(worker)
        self._spawn(f"register {worker.id}", self._register(worker, self._chance.uniform(*self._timing.registration)))
        return worker

    def crash(self) -> None:
        """The server was killed: it forgets all, and its workers are cut off."""
        self._up = False
        self._known = None
        for worker in self._workers:
            worker.cut_off()

    def come_back(self) -> None:
        """The server is there again: its workers find it one by one."""
        self._up = True
        for worker in self._workers:
            delay = self._chance.uniform(*self._timing.reconnection)
            self._spawn(f"register {worker.id} again", self._register(worker, delay))

    async def _register(self, worker: Worker, delay: float) -> None:
        await self._clock.sleep(delay)
        if not self._up or not worker.alive or worker.registered:
            return
        if not any(other.agent_name == worker.agent_name for other in self._registered()):
            self._known = None
        worker.registered = True

    def _unregister(self, worker: Worker) -> None:
        worker.registered = False
        if worker in self._workers:
            self._workers.remove(worker)

    # --- asking -------------------------------------------------------------------------------------------------------

    def known(self) -> KnownNames:
        """What the server remembers; it finds out anew when that has gone cold."""
        now = self._clock.monotonic()
        if self._known is None or now > self._known.expires_at:
            names = frozenset(worker.agent_name for worker in self._registered())
            self._known = KnownNames(names, now + self._timing.names_check, now + self._timing.names_known)
        return self._known

    def choose(self, agent_name: str, asked: list[Worker]) -> Worker | None:
        """One of those not yet asked, by chance, weighted by the room that each has left; None: all are full."""
        candidates = [w for w in self._registered() if w.agent_name == agent_name and w not in asked and w.room_left > 0]
        if not candidates:
            return None
        return self._chance.choices(candidates, weights=[worker.room_left for worker in candidates])[0]

    def _registered(self) -> list[Worker]:
        return [worker for worker in self._workers if worker.registered]
