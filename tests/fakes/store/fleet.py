"""Announced workers of the model, by the rules of orchestrator/store/scripts/worker*.lua."""

import math
from collections import defaultdict
from collections.abc import Mapping

from orchestrator.contract import ANNOUNCED_FOR
from orchestrator.core.fleet import REMEMBERED, TALLIED, Announcement, Fleet, Tally, Worker
from orchestrator.runtime.ports import Announced
from orchestrator.store.fleet import WorkerLimits
from tests.fakes.store.server import Line
from tests.fakes.store.tables import Table


class MemoryWorkers:
    def __init__(self, line: Line, limits: WorkerLimits = WorkerLimits()) -> None:  # noqa: B008 frozen
        self._run = line.run
        self._server = line.server
        self._limits = limits

    async def announce(self, announcement: Announcement) -> Announced:
        return await self._run(lambda: self._announce(announcement))

    async def withdraw(self, worker_id: str) -> None:
        await self._run(lambda: self._server.workers.drop(worker_id))

    async def look(self) -> Fleet:
        return await self._run(self._look)

    async def tell(self, replica: str, joined: Mapping[str, float], tallies: Mapping[str, Tally]) -> None:
        told, counted = dict(joined), dict(tallies)
        await self._run(lambda: self._tell(replica, told, counted))

    def _now(self) -> float:
        return math.floor(self._server.now() * 1000) / 1000

    def _live(self) -> dict[str, Worker]:
        since = self._now() - ANNOUNCED_FOR
        return {worker_id: worker for worker_id, worker in self._server.workers.items() if worker.seen_at >= since}

    def _announce(self, announcement: Announcement) -> Announced:
        now, live, server = self._now(), self._live(), self._server
        name, worker_id = announcement.agent_name, announcement.worker_id
        known = live.get(worker_id)
        if known is not None and known.told.agent_name != name:
            server.workers.drop(worker_id)
            del live[worker_id]
            known = None
        of_name = [worker for worker in live.values() if worker.told.agent_name == name]
        if known is None and (len(of_name) >= self._limits.of_name or len(live) >= self._limits.workers):
            return Announced.TOO_MANY_WORKERS
        names = self._recent(server.named)
        if name not in names and len(names) >= self._limits.names:
            return Announced.TOO_MANY_NAMES
        had_room = any(worker.told.has_room for worker in of_name)
        server.workers.put(worker_id, Worker(announcement, known.since if known else now, now))
        if not of_name:
            server.named_since.put(name, now)
        server.named.put(name, now)
        if announcement.has_room and (known is None or not had_room):
            server.arrived(name)
            return Announced.ARRIVED
        return Announced.KNOWN

    def _tell(self, replica: str, joined: dict[str, float], tallies: dict[str, Tally]) -> None:
        for name, at in joined.items():
            self._server.joined.put(name, max(at, self._server.joined.get(name) or -math.inf))
        self._server.tallies.put(replica, (self._now(), tallies))

    def _look(self) -> Fleet:
        tallies: defaultdict[str, Tally] = defaultdict(Tally)
        for counted_at, counted in self._server.tallies.values():
            if counted_at >= self._now() - TALLIED:
                for name, tally in counted.items():
                    tallies[name] += tally
        live: dict[str, tuple[Worker, ...]] = {}
        for _, worker in sorted(self._live().items()):
            live[worker.told.agent_name] = (*live.get(worker.told.agent_name, ()), worker)
        return Fleet(
            at=self._server.now(),
            live=live,
            announced=self._recent(self._server.named),
            since={name: self._server.named_since[name] for name in live},
            joined=self._recent(self._server.joined),
            tallies=dict(tallies),
        )

    def _recent(self, table: Table[str, float]) -> dict[str, float]:
        since = self._now() - REMEMBERED
        return {name: at for name, at in table.items() if at >= since}
