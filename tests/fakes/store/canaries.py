"""Canaries of the model."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.core.canary import Canary, Outcome
from orchestrator.runtime.ports import ScratchRoom
from tests.fakes.store.server import Line


@dataclass
class _Book:
    turns: dict[str, float] = field(default_factory=dict)
    last: dict[str, Canary] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    rooms: dict[str, ScratchRoom] = field(default_factory=dict)


class MemoryCanaries:
    """Give one to all replicas that share a server, each on its own line: `beside` makes the others."""

    def __init__(self, line: Line, book: _Book | None = None) -> None:
        self._run = line.run
        self._server = line.server
        self._book = _Book() if book is None else book

    def beside(self, line: Line) -> "MemoryCanaries":
        return MemoryCanaries(line, self._book)

    async def turn(self, what: str, replica: str, seconds: float) -> bool:  # whose it is nobody asks
        return await self._run(lambda: self._turn(what, seconds))

    async def note(self, canary: Canary, *, counts: bool) -> int:
        return await self._run(lambda: self._note(canary, counts=counts))

    async def last(self, since: float) -> Mapping[str, Canary]:
        return await self._run(lambda: self._last(since))

    async def open(self, name: str, room: ScratchRoom) -> None:
        await self._run(lambda: self._book.rooms.update({name: room}))

    async def close(self, name: str) -> None:
        await self._run(lambda: self._book.rooms.pop(name, None))

    async def rooms(self) -> Mapping[str, ScratchRoom]:
        return await self._run(lambda: dict(self._book.rooms))

    def _turn(self, what: str, seconds: float) -> bool:
        now = self._server.now()
        if now < self._book.turns.get(what, 0.0):
            return False
        self._book.turns[what] = now + seconds
        return True

    def _note(self, canary: Canary, *, counts: bool) -> int:
        name, failures = canary.agent_name, self._book.failures
        self._book.last[name] = canary
        if canary.outcome is Outcome.ANSWERING:
            failures.pop(name, None)
        elif counts:
            failures[name] = failures.get(name, 0) + 1
        return failures.get(name, 0)

    def _last(self, since: float) -> Mapping[str, Canary]:
        for name in [name for name, canary in self._book.last.items() if canary.at < since]:
            del self._book.last[name]
            self._book.failures.pop(name, None)
        return dict(self._book.last)
