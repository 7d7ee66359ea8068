"""The webhooks of the model that came last: two lists, and ids that order as those of streams."""

from collections.abc import Sequence

from orchestrator.core.received import Received, Remembered
from orchestrator.store.received import REFUSED_PART, position_of
from tests.fakes.store.server import Line


class MemoryReceived:
    def __init__(self, line: Line, *, kept: int = 1000) -> None:
        self._run = line.run
        self._now = line.server.now
        self._kept = {"a": kept, "r": max(kept // REFUSED_PART, 1)}
        self._entries: dict[str, list[Remembered]] = {"a": [], "r": []}
        self._count = 0

    async def add(self, accepted: Sequence[Received], refused: Sequence[Received]) -> None:
        await self._run(lambda: self._add(accepted, refused))

    async def page(
        self, *, outcome: str | None, room: str | None, cursor: str | None, limit: int
    ) -> tuple[tuple[Remembered, ...], str | None]:
        return await self._run(lambda: self._page(outcome, room, cursor, limit))

    async def find(self, webhook_id: str) -> Remembered | None:
        return await self._run(lambda: next((one for one in self._all() if one.id == webhook_id), None))

    def _all(self) -> list[Remembered]:
        both = [*self._entries["a"], *self._entries["r"]]
        return sorted(both, key=lambda one: position_of(one.id) or (0, 0, ""), reverse=True)

    def _add(self, accepted: Sequence[Received], refused: Sequence[Received]) -> None:
        for letter, several in (("a", accepted), ("r", refused)):
            for received in several:
                self._count += 1
                entry = Remembered(f"{letter}{round(self._now() * 1000)}-{self._count}", received)
                self._entries[letter].append(entry)
            del self._entries[letter][: -self._kept[letter]]

    def _page(
        self, outcome: str | None, room: str | None, cursor: str | None, limit: int
    ) -> tuple[tuple[Remembered, ...], str | None]:
        before = None if cursor is None else position_of(cursor)
        if cursor is not None and before is None:
            raise ValueError(cursor)
        found = [
            one
            for one in self._all()
            if (before is None or (position_of(one.id) or before) < before)
            and outcome in (None, one.received.outcome)
            and room in (None, one.received.room)
        ][:limit]
        return tuple(found), found[-1].id if len(found) == limit else None
