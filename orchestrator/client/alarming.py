"""`rollcall alerts test`: a test alert to every sink of the configuration, from here, and what each said."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.text import Text

from orchestrator.alerting.trial import Tried, try_sinks
from orchestrator.client.errors import CommandFailed
from orchestrator.client.printing import complain, grid, show, show_json
from orchestrator.client.text import printable
from orchestrator.configuration.problems import ConfigurationError
from orchestrator.exits import ExitCode
from orchestrator.observability import logs
from orchestrator.runtime.clock import StoreClock
from orchestrator.settings import Settings, load_settings
from orchestrator.terminal import complain as complain_of


def try_alerts(config: Path | None, *, dev: bool, as_json: bool) -> ExitCode:
    """Exit code 1 when a sink did not accept it."""
    logs.configure(sys.stderr, level="error", pretty=True)
    try:
        settings = load_settings({"config": config, "dev": dev or None})
    except ConfigurationError as error:
        complain_of(error.problems)
        return ExitCode.FAILED
    if not settings.alerts:
        complain(CommandFailed(ExitCode.USAGE, "The configuration has no sink for alerts.", "Write one under `alerts:`."))
        return ExitCode.USAGE
    tried = asyncio.run(_try(settings))
    if as_json:
        show_json(_json(tried))
    else:
        _show(tried)
    return ExitCode.OK if all(trial.accepted for trial in tried) else ExitCode.FAILED


async def _try(settings: Settings) -> Sequence[Tried]:
    return await try_sinks(settings, StoreClock())


def _show(tried: Sequence[Tried]) -> None:
    rows = grid(3)
    for trial in tried:
        state = Text("accepted", "green") if trial.accepted else Text("failed", "bold red")
        rows.add_row(state, trial.sink, printable(trial.reason or "It took a test alert, and its end."))
    show(rows)


def _json(tried: Sequence[Tried]) -> bytes:
    sinks = [{"sink": trial.sink, "accepted": trial.accepted, "reason": trial.reason} for trial in tried]
    return json.dumps({"ok": all(trial.accepted for trial in tried), "sinks": sinks}).encode()
