"""What the command prints: for eyes, with colour only where a terminal shows it, and as JSON for programs.

Rich honours NO_COLOR, and writes plain lines to everything that is no terminal.
"""

import dataclasses
import json
from collections.abc import Iterable

from rich.console import Console

from orchestrator.configuration.problems import Problem, Severity
from orchestrator.core.facts import CandidateSpec, PlacementSpec
from orchestrator.core.naming import spelled
from orchestrator.core.policy import Policy
from orchestrator.core.routing import Chosen, Routing

_STYLES = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def _console(*, stderr: bool = False) -> Console:
    # Names of rooms and lines of files are text, never markup, and are not broken at the eightieth column.
    return Console(stderr=stderr, markup=False, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    _console().print(text)


def say_json(value: object) -> None:
    """To standard output, with nothing else, for programs."""
    _console().out(json.dumps(value, indent=2, ensure_ascii=False), highlight=False)


def complain(problems: Iterable[Problem]) -> None:
    """One line per problem, on standard error."""
    console = _console(stderr=True)
    for problem in problems:
        console.print(f"{problem.severity}:", style=_STYLES[problem.severity], end=" ")
        console.print(str(problem))


def problem_json(problem: Problem) -> dict[str, str]:
    return dataclasses.asdict(problem)


def show_routing(room: str, routing: Routing) -> None:
    """The trace of why, and then what each agent would be told."""
    console = _console()
    console.print(f"room {json.dumps(room, ensure_ascii=False)}", style="bold")
    for considered in routing.trace:
        console.print("  yes" if considered.matched else "  no ", style="green" if considered.matched else "dim", end="  ")
        console.print(f"{considered.route}: {considered.why}")
    if not routing.placements:
        console.print(f"No agent: {_why_none(routing)}.", style="yellow")
    for placement in routing.placements:
        console.print(f"agent {spelled(placement.agent_name)}", style="bold", end="")
        console.print(f"  priority {placement.priority}")
        for candidate in placement.candidates:
            role = "metadata" if candidate is placement.candidates[0] else f"fallback {spelled(candidate.agent_name)}, metadata"
            console.print(f"  {role} {candidate.metadata}")
    for chosen in routing.choices:
        console.print(f"one of {_listed(chosen.of)}: {_rule(chosen)}")
    for warning in routing.warnings:
        console.print(f"warning: {warning}", style="yellow")


def routing_json(room: str, routing: Routing) -> dict[str, object]:
    return {
        "room": room,
        "route": routing.route,
        "agents": [_placement_json(placement) for placement in routing.placements],
        "choices": [_choice_json(chosen) for chosen in routing.choices],
        "trace": [dataclasses.asdict(considered) for considered in routing.trace],
        "warnings": list(routing.warnings),
    }


def _placement_json(placement: PlacementSpec) -> dict[str, object]:
    first, *fallbacks = placement.candidates
    return {
        **_candidate_json(first),
        "fallbacks": [_candidate_json(fallback) for fallback in fallbacks],
        "priority": placement.priority,
        "policy": _policy_json(placement.policy),
    }


def _choice_json(chosen: Chosen) -> dict[str, object]:
    return {
        "of": list(chosen.of),
        "capabilities": sorted(chosen.choice.capabilities),
        "region": chosen.choice.region,
        "rule": _rule(chosen),
    }


def _rule(chosen: Chosen) -> str:
    """How one of several is chosen when a room comes: here nothing is known of workers."""
    conditions = ["can " + " and ".join(sorted(chosen.choice.capabilities))] if chosen.choice.capabilities else []
    conditions += [f"is in {chosen.choice.region}"] if chosen.choice.region else []
    asked = " and ".join(filter(None, (", ".join(conditions), "has room")))
    return (
        f"the first of which a worker has announced that it {asked}; "
        "where nothing is announced, in the order written. The others are its fallbacks"
    )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(spelled, names))


def _candidate_json(candidate: CandidateSpec) -> dict[str, object]:
    return {"agent_name": candidate.agent_name, "metadata": json.loads(candidate.metadata)}


def _policy_json(policy: Policy) -> dict[str, object]:
    """As a configuration file has it, durations in seconds."""
    return {**dataclasses.asdict(policy), "verify_at": policy.verify_at.label}


def _why_none(routing: Routing) -> str:
    matched = any(considered.matched for considered in routing.trace)
    return f"{routing.route} wants none" if matched else "no route matched, so the room is unrouted"
