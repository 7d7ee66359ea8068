"""What a burst was and what came of it, for people and for programs."""

import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final

from rich.table import Table

from orchestrator.burst.objectives import COUNTS, Objective, Verdict
from orchestrator.burst.outcome import PERCENTILES, Outcome
from orchestrator.burst.plan import Plan
from orchestrator.client.printing import table
from orchestrator.client.text import NOTHING, agent

NEVER: Final = "never"

RESOLUTION: Final = (
    "In seconds from the room's creation until its agent joined, by LiveKit's own clock; \"never\": so many rooms had none. "
    "An agent that was listed and not yet ACTIVE counts from the last look that found it so."
)


def title(plan: Plan) -> str:
    people = ", a person in each" if plan.people else ""
    return f"{plan.rooms} rooms at {plan.rate:g}/s, agent {agent(plan.agent_name)}{people}"


def outcome_table(outcomes: Sequence[Outcome]) -> Table:
    made = table("DISPATCH", "ROOMS", "AGENT", "LOST", "DOUBLED", "LEFT", *(name.upper() for name in PERCENTILES))
    for outcome in outcomes:
        counts = (len(outcome.rooms), len(outcome.times), outcome.lost, outcome.doubled, outcome.left)
        # Without units the table fits on 80 columns.
        times = (seconds(value).removesuffix(" s") for value in outcome.percentiles().values())
        made.add_row(outcome.way, *map(str, counts), *times)
    return made


def progress_table(outcome: Outcome, asked: int, plan: Plan) -> Table:
    """While it runs: a room that has no agent yet is not lost."""
    made = table("DISPATCH", "ASKED FOR", "AGENT", "WAITING", "DOUBLED", "P50", "LATEST")
    made.add_row(outcome.way, *_progress(outcome, asked, plan))
    return made


def progress_line(outcome: Outcome, asked: int, plan: Plan) -> str:
    asked_for, there, waiting, doubled, p50, latest = _progress(outcome, asked, plan)
    counts = f"{asked_for} asked for, {there} have their agent, {waiting} wait, {doubled} have two"
    return f"{outcome.way}: {counts}; p50 {p50}, latest {latest}"


def _progress(outcome: Outcome, asked: int, plan: Plan) -> tuple[str, ...]:
    times = outcome.times
    p50 = outcome.percentile(PERCENTILES["p50"]) if times else math.inf
    known = (seconds(p50) if math.isfinite(p50) else NOTHING, seconds(times[-1]) if times else NOTHING)
    return (f"{asked}/{plan.rooms}", str(len(times)), str(asked - len(times)), str(outcome.doubled), *known)


def seconds(value: float) -> str:
    return f"{value:.2f} s" if math.isfinite(value) else NEVER


def verdict_line(verdict: Verdict) -> str:
    held = "held" if verdict.held else "broken"
    name = verdict.objective.name
    return f"slo {name}: {_shown(name, verdict.value)}, at most {_shown(name, verdict.objective.limit)}: {held}"


def _shown(name: str, value: float) -> str:
    return f"{value:g}" if name in COUNTS else seconds(value)


def troubles(outcome: Outcome) -> list[str]:
    """What went wrong with the burst itself."""
    counted = Counter(room.refused for room in outcome.rooms if room.refused)
    told = [f"{outcome.way}: {count} rooms could not be asked for: {why}" for why, count in counted.items()]
    if outcome.failed_looks:
        told.append(f"{outcome.way}: {outcome.failed_looks} of the looks were not answered.")
    if outcome.people_missing:
        told.append(f"{outcome.way}: {outcome.people_missing} of the people could not enter their room.")
    return told


def report_json(
    plan: Plan, outcomes: Sequence[Outcome], verdicts: Sequence[Verdict], left_behind: Collection[str]
) -> dict[str, object]:
    """Times in seconds; null: never."""
    return {
        "agent_name": plan.agent_name,
        "rooms": plan.rooms,
        "rate": plan.rate,
        "timeout": plan.timeout,
        "people": plan.people,
        "runs": [_outcome_json(outcome) for outcome in outcomes],
        "slo": [_verdict_json(verdict) for verdict in verdicts],
        "held": all(verdict.held for verdict in verdicts) if verdicts else None,
        "left_behind": sorted(left_behind),
    }


def _outcome_json(outcome: Outcome) -> dict[str, object]:
    return {
        "dispatch": outcome.way.value,
        "rooms": len(outcome.rooms),
        "with_agent": len(outcome.times),
        "lost": outcome.lost,
        "doubled": outcome.doubled,
        "left": outcome.left,
        "refused": sum(bool(room.refused) for room in outcome.rooms),
        "seconds": {name: _finite(value) for name, value in outcome.percentiles().items()},
        "times": [round(value, 3) for value in outcome.times],
        "looks": outcome.looks,
        "failed_looks": outcome.failed_looks,
        "people_missing": outcome.people_missing,
    }


def _verdict_json(verdict: Verdict) -> dict[str, object]:
    objective: Objective = verdict.objective
    return {"name": objective.name, "limit": objective.limit, "value": _finite(verdict.value), "held": verdict.held}


def _finite(value: float) -> float | None:
    return round(value, 3) if math.isfinite(value) else None
