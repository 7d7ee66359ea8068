"""`--slo p99=5s,lost=0`: what a burst must not exceed, and whether it did."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from orchestrator.burst.outcome import PERCENTILES, Outcome
from orchestrator.configuration.values import duration

COUNTS: Final = ("lost", "doubled", "left")


@dataclass(frozen=True, slots=True)
class Objective:
    """At most so much: seconds of a percentile, or a number of rooms."""

    name: str
    limit: float

    def judge(self, outcome: Outcome) -> "Verdict":
        value = float(getattr(outcome, self.name)) if self.name in COUNTS else outcome.percentiles()[self.name]
        return Verdict(self, value)


@dataclass(frozen=True, slots=True)
class Verdict:
    objective: Objective
    value: float

    @property
    def held(self) -> bool:
        return self.value <= self.objective.limit


def read_objectives(text: str) -> tuple[Objective, ...]:
    """Raises ValueError, which says what is wrong."""
    objectives = tuple(_objective(part.strip()) for part in text.split(","))
    names = [objective.name for objective in objectives]
    for name in names:
        if names.count(name) > 1:
            message = f"{name} is there twice"
            raise ValueError(message)
    return objectives


def judge(objectives: Sequence[Objective], outcome: Outcome) -> tuple[Verdict, ...]:
    return tuple(objective.judge(outcome) for objective in objectives)


def _objective(part: str) -> Objective:
    name, equals, limit = (piece.strip() for piece in part.partition("="))
    if not equals or not limit:
        message = f'"{part}" is no objective: write a name, = and what it may be at most, such as p99=5s or lost=0'
        raise ValueError(message)
    if name in PERCENTILES:
        return Objective(name, duration(limit))
    if name not in COUNTS:
        message = f'"{name}" is none of {", ".join((*PERCENTILES, *COUNTS))}'
        raise ValueError(message)
    if not limit.isdecimal() or not math.isfinite(float(limit)):
        message = f"{name} is a number of rooms, and {limit} is none"
        raise ValueError(message)
    return Objective(name, float(limit))
