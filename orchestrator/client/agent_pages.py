"""Agent names and their workers as tables."""

from collections.abc import Iterable
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orchestrator.client.answers import Agent, AgentDetail, Pause
from orchestrator.client.printing import STYLES, fit, grid, table
from orchestrator.client.text import NOTHING, age, agent, ago, moment, printable


def agent_table(agents: Iterable[Agent], now: datetime, width: int) -> Table:
    made = table("AGENT", "STATE", "WORKERS", "JOBS", "FREE", "VERIFIED", "COMING", "MISSING", "JOINED")
    for shown in agents:
        made.add_row(
            agent(shown.agent_name),
            _state(shown),
            str(shown.workers),
            str(shown.active_jobs),
            _number(shown.room_left),
            str(shown.sessions.verified),
            str(shown.sessions.dispatching),
            Text(str(shown.sessions.unverified), "bold red" if shown.sessions.unverified else ""),
            NOTHING if shown.last_joined is None else age(shown.last_joined, now),
        )
    return fit(made, width, "AGENT")


def agent_page(shown: AgentDetail, now: datetime) -> Group:
    """One agent name, with who answers to it."""
    counts = shown.sessions
    told = grid(2)
    told.add_row("Verdict", printable(shown.verdict))
    if shown.paused:
        told.add_row("Paused", pause_sentence(shown.paused))
    told.add_row("Configured", "yes" if shown.configured else "no")
    told.add_row("Sessions", f"{counts.verified} verified, {counts.dispatching} dispatching, {counts.unverified} unverified")
    if shown.last_joined is not None:
        told.add_row("Last joined", f"{ago(shown.last_joined, now)} ago")
    if shown.canary is not None:
        canary = shown.canary
        told.add_row("Canary", f"{printable(canary.outcome)}, {ago(canary.at, now)} ago. {printable(canary.detail)}")
    if shown.near:
        told.add_row("Looks like", ", ".join(map(agent, shown.near)))
    parts: list[RenderableType] = [Text.assemble((agent(shown.agent_name), "bold"), "  ", _state(shown)), told]
    if shown.workers_detail:
        parts += [Text(), _workers(shown)]
    return Group(*parts)


def pause_sentence(pause: Pause) -> str:
    until = "until it is resumed" if pause.until is None else f"until {moment(pause.until)}"
    reason = f": {printable(pause.reason)}" if pause.reason else ""
    return f"since {moment(pause.since)}, {until}{reason}"


def _state(shown: Agent) -> Text:
    state = Text(shown.state, STYLES.get(shown.state, ""))
    return state.append(", paused", "yellow") if shown.paused else state


def _workers(shown: AgentDetail) -> Table:
    made = table("WORKER", "LOAD", "JOBS", "FREE", "VERSION", "REGION", "HEARD")
    for worker in shown.workers_detail:
        made.add_row(
            printable(worker.worker_id),
            f"{worker.load:.2f}",
            str(worker.active_jobs),
            "draining" if worker.draining else _number(worker.room_left),
            printable(worker.version) or NOTHING,
            printable(worker.region) or NOTHING,
            f"{worker.last_seen_age_s:g} s ago",
        )
    return made


def _number(number: int | None) -> str:
    """Null where it cannot be told: a worker that goes by its load, or none that says."""
    return NOTHING if number is None else str(number)
