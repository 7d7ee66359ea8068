"""The command that tries an agent out: one is dispatched into a scratch room, and what came of it is said."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from orchestrator.client.answers import Canary, read
from orchestrator.client.done import shown
from orchestrator.client.printing import console
from orchestrator.client.service import Service
from orchestrator.client.text import agent, printable
from orchestrator.core.naming import spelled
from orchestrator.exits import ExitCode

_PATIENCE: Final = 180.0
"""Seconds. The service waits for a slot, then for the agent's join window, and answers."""


def try_out(service: Service, name: str, *, reason: str, as_json: bool) -> ExitCode:
    """FAILED where the agent did not come, or did not answer. Raises CommandFailed."""
    with _waiting(f"{agent(name)} is dispatched into a scratch room, and must come and answer"):
        reply = service.post("agents", spelled(name), "canary", body={"reason": reason}, patience=_PATIENCE)
    shown(reply.body, as_json, Canary, _told)
    return ExitCode.OK if read(Canary, reply.body).outcome == "answering" else ExitCode.FAILED


@contextmanager
def _waiting(what: str) -> Iterator[None]:
    """Show for how long already, where somebody looks."""
    out = console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        progress.add_task(printable(what), total=None)
        yield


def _told(canary: Canary) -> str:
    # Why nobody came is told with how long was waited, its cause included: once is enough.
    said = canary.cause is None or f"({canary.cause})" in canary.detail
    outcome = canary.outcome if said else f"{canary.outcome} ({canary.cause})"
    lines = [f"{agent(canary.agent_name)}: {printable(outcome)}. {printable(canary.detail)}"]
    if canary.fix:
        lines.append(f"Fix: {printable(canary.fix)}")
    return "\n".join(lines)
