"""The command that tries an agent out."""

from functools import partial

import typer

from orchestrator.client.cli.options import Agent, Json, Reason, Url


def canary(agent: Agent, *, reason: Reason = "", url: Url = None, as_json: Json = False) -> None:
    """Try out in a scratch room whether an agent answers.

    It is dispatched as for a caller, and must join and answer within the windows of its policy.
    Exit code 1 if it did not; the cause and what to do are said.
    """
    from orchestrator.client.canary import try_out
    from orchestrator.client.running import run

    raise typer.Exit(run(partial(try_out, name=agent, reason=reason, as_json=as_json), url))
