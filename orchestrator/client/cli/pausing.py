"""The commands that stop and resume the dispatching of an agent."""

from functools import partial
from typing import Annotated, Final

import typer

from orchestrator.client.cli.options import Agent, Json, Reason, Url


def pause(
    agent: Agent,
    *,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help="Resume by itself after so long: 30m.")
    ] = None,
    reason: Reason = "",
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Stop dispatching an agent in all rooms, until resumed."""
    from orchestrator.client.pausing import pause as pause_agent
    from orchestrator.client.running import run

    body = {"reason": reason, "duration": duration}
    raise typer.Exit(run(partial(pause_agent, name=agent, body=body, as_json=as_json), url))


def resume(agent: Agent, *, reason: Reason = "", url: Url = None, as_json: Json = False) -> None:
    """Dispatch a paused agent again."""
    from orchestrator.client.pausing import resume as resume_agent
    from orchestrator.client.running import run

    raise typer.Exit(run(partial(resume_agent, name=agent, body={"reason": reason}, as_json=as_json), url))


COMMANDS: Final = (("pause", pause), ("resume", resume))
