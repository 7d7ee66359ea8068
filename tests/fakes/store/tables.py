"""Tables that can be taken back in time, as a crash takes back what no disk had yet."""

from collections import deque
from collections.abc import Callable, ItemsView, Iterator, ValuesView
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

KEPT: Final = 120.0
"""Seconds that can be taken back."""


class Journal:
    """What undoes each write of the last minutes, newest last."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._undoes: deque[tuple[float, Callable[[], object]]] = deque()

    def wrote(self, undo: Callable[[], object]) -> None:
        now = self._now()
        self._undoes.append((now, undo))
        while self._undoes[0][0] < now - KEPT:
            self._undoes.popleft()

    def take_back(self, seconds: float) -> None:
        """Undo what was written in the last so many seconds."""
        since = self._now() - seconds
        while self._undoes and self._undoes[-1][0] > since:
            _, undo = self._undoes.pop()
            undo()


class Table(Generic[K, V]):
    """A dictionary of values that are never changed in place; in the order in which keys were written first."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._rows: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        return self._rows.get(key)

    def put(self, key: K, value: V) -> None:
        self._remember(key)
        self._rows[key] = value

    def drop(self, key: K) -> None:
        if key in self._rows:
            self._remember(key)
            del self._rows[key]

    def clear(self) -> None:
        """Lose everything; this cannot be taken back."""
        self._rows = {}

    def items(self) -> ItemsView[K, V]:
        return self._rows.items()

    def values(self) -> ValuesView[V]:
        return self._rows.values()

    def __iter__(self) -> Iterator[K]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __getitem__(self, key: K) -> V:
        return self._rows[key]

    def _remember(self, key: K) -> None:
        rows = self._rows
        if key in rows:
            before = rows[key]
            self._journal.wrote(lambda: rows.__setitem__(key, before))
        else:
            self._journal.wrote(lambda: rows.pop(key, None))
