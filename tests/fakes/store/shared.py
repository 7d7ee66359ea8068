"""What the replicas of the model do as one: rounds, hearing, shares of the budget, incidents about the service."""

import math
from typing import Final

from tests.fakes.store.server import Asker, Line

_FORGOTTEN: Final = 10.0
_LEAST: Final = 0.05
"""Of an even split: what a replica keeps that wants nothing."""


class MemoryRounds:
    def __init__(self, line: Line) -> None:
        self._run = line.run
        self._server = line.server

    async def begin(self, replica: str, seconds: float) -> bool:
        return await self._run(lambda: self._begin(seconds))

    async def completed(self) -> bool:
        return await self._run(lambda: "round completed" in self._server.notes)

    async def complete(self) -> None:
        await self._run(lambda: self._server.notes.put("round completed", self._server.now()))

    def _begin(self, seconds: float) -> bool:
        now, until = self._server.now(), self._server.notes.get("next round")
        if until is not None and now < until:
            return False
        self._server.notes.put("next round", now + seconds)
        return True


class MemoryHearing:
    def __init__(self, line: Line) -> None:
        self._run = line.run
        self._server = line.server

    async def heard(self, at: float) -> None:
        await self._run(lambda: self._server.notes.put("heard", max(at, self._server.notes.get("heard") or -math.inf)))

    async def last(self) -> float | None:
        return await self._run(lambda: self._server.notes.get("heard"))


class MemoryShares:
    def __init__(self, line: Line) -> None:
        self._run = line.run
        self._server = line.server

    async def share(self, replica: str, demand: float) -> float:
        return await self._run(lambda: self._share(replica, demand))

    def _share(self, replica: str, demand: float) -> float:
        now = self._server.now()
        others = {name: asker for name, asker in self._server.askers.items() if name != replica and asker.at > now - _FORGOTTEN}
        count = 1 + len(others)
        total = demand + sum(asker.demand for asker in others.values())
        least = _LEAST / count
        fair = least + (1 - _LEAST) * (demand / total if total > 0 else 1 / count)
        left = 1 - sum(asker.part for asker in others.values())
        part = max(least, min(fair, left))
        self._server.askers.put(replica, Asker(demand, part, now))
        return part


class MemoryIncidents:
    def __init__(self, line: Line) -> None:
        self._run = line.run
        self._server = line.server

    async def open(self, kind: str) -> str:
        return await self._run(lambda: self._open(kind))

    async def current(self, kind: str) -> str | None:
        return await self._run(lambda: self._server.incidents.get(kind))

    async def close(self, kind: str) -> None:
        await self._run(lambda: self._server.incidents.drop(kind))

    async def kinds(self) -> frozenset[str]:
        return await self._run(lambda: frozenset(kind for kind, _ in self._server.incidents.items()))

    async def complain(self, kind: str, replica: str, at: float) -> None:
        await self._run(lambda: self._server.notes.put(f"complaint {kind} {replica}", at))

    async def content(self, kind: str, replica: str) -> None:
        await self._run(lambda: self._server.notes.drop(f"complaint {kind} {replica}"))

    async def complaints(self, kind: str, since: float) -> int:
        return await self._run(
            lambda: sum(note.startswith(f"complaint {kind} ") and at >= since for note, at in self._server.notes.items())
        )

    def _open(self, kind: str) -> str:
        incident = self._server.incidents.get(kind) or f"{kind}/{int(self._server.now() * 1000)}"
        self._server.incidents.put(kind, incident)
        return incident
