"""What a benchmark found, and the table that is printed at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_TITLES = ("", "ours", "baseline", "ratio", "goal", "", "samples")


@dataclass(frozen=True, slots=True)
class Figure:
    """One comparison. The goal is one of the ratio to the baseline; without a baseline, one of `ours` itself."""

    what: str
    unit: str
    ours: float
    samples: int
    baseline: float | None = None
    goal: float | None = None
    at_least: bool = False
    """The goal is a floor; otherwise it is a ceiling."""

    @property
    def measured(self) -> float:
        """What is compared with the goal."""
        return self.ours if self.baseline is None else self.ours / self.baseline

    def row(self) -> tuple[str, ...]:
        """As the table has it."""
        return (
            self.what,
            _with_unit(self.ours, self.unit),
            "" if self.baseline is None else _with_unit(self.baseline, self.unit),
            "" if self.baseline is None else f"{self.measured:.2f}x",
            self._goal(),
            self._reached(),
            str(self.samples),
        )

    def _goal(self) -> str:
        if self.goal is None:
            return ""
        goal = _with_unit(self.goal, self.unit) if self.baseline is None else f"{self.goal:g}x"
        return f"{'≥' if self.at_least else '≤'} {goal}"

    def _reached(self) -> str:
        if self.goal is None:
            return ""
        reached = self.measured >= self.goal if self.at_least else self.measured <= self.goal
        return "reached" if reached else "MISSED"


def print_table(figures: Sequence[Figure]) -> None:
    """One line per figure."""
    print_cells([_TITLES, *(figure.row() for figure in figures)], left=1)


def print_cells(rows: Sequence[Sequence[str]], *, left: int) -> None:
    """Columns as wide as they need to be; the first so many begin on the left, numbers end on the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print()
    for row in rows:
        cells = zip(row, widths, strict=True)
        print(*(cell.ljust(w) if at < left else cell.rjust(w) for at, (cell, w) in enumerate(cells)), sep="  ")
    print()


def _with_unit(value: float, unit: str) -> str:
    return f"{value:,.3g} {unit}" if value < 100 else f"{value:,.0f} {unit}"
