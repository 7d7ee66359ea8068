"""What these commands are called and take. Nothing but typer is imported until one of them runs: help comes at once."""

import typer

from orchestrator.client.cli.alarming import alerts
from orchestrator.client.cli.canary import canary
from orchestrator.client.cli.completing import completion
from orchestrator.client.cli.looking import COMMANDS as LOOKING
from orchestrator.client.cli.operating import COMMANDS as OPERATING
from orchestrator.client.cli.pausing import COMMANDS as PAUSING
from orchestrator.client.cli.placing import COMMANDS as PLACING
from orchestrator.client.cli.replaying import replay
from orchestrator.client.cli.silencing import COMMANDS as SILENCING


def add_commands(app: typer.Typer) -> None:
    """In the order in which they are listed."""
    rest = (("canary", canary), ("replay", replay), ("completion", completion))
    for name, command in (*LOOKING, *OPERATING, *PAUSING, *SILENCING, *PLACING, *rest):
        app.command(name)(command)
    app.add_typer(alerts, name="alerts")
