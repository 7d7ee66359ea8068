"""The commands about alerts."""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.client.cli.options import Json

alerts = typer.Typer(help="Try out who is told when an agent is missing.", no_args_is_help=True)


@alerts.command("test")
def try_out(
    *,
    config: Annotated[
        Path | None, typer.Option("--config", help="The configuration file (default: ROLLCALL_CONFIG, or ./rollcall.yaml).")
    ] = None,
    dev: Annotated[bool, typer.Option("--dev", help="As `serve --dev` would find it.")] = False,
    as_json: Json = False,
) -> None:
    """Send a test alert, and its end, to every sink of the configuration, from here. It wakes whoever is on call."""
    from orchestrator.client.alarming import try_alerts

    raise typer.Exit(try_alerts(config, dev=dev, as_json=as_json))
