"""The command that tries an agent out."""

from functools import partial

import typer

from orchestrator.client.cli.options import Agent, Json, Reason, Url


def canary(agent: Agent, *, reason: Reason = "", url: Url = None, as_json: Json = False) -> None:
    """Dispatch an agent into a scratch room, and say whether it came and answered.

    Exit code 1 if it did not; the cause and what to do are said.
    """
    from orchestrator.client.canary import try_out
    from orchestrator.client.running import run

    raise typer.Exit(run(partial(try_out, name=agent, reason=reason, as_json=as_json), url))
