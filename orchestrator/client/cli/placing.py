"""The commands that say which agents a room is to have."""

from functools import partial
from typing import Annotated, Final

import typer

from orchestrator.client.cli.options import Agent, Json, Metadata, Room, Url, Wait


def add_agent(
    room: Room,
    agent: Agent,
    *,
    metadata: Metadata = None,
    deployment: Annotated[str, typer.Option(metavar="NAME", help="The deployment that is to take the job.")] = "",
    wait: Wait = 0.0,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Have an agent in a room, which is made if need be."""
    from orchestrator.client.placing import Wanted
    from orchestrator.client.placing import add_agent as add
    from orchestrator.client.running import run

    wanted = Wanted(room, agent, metadata, wait)
    raise typer.Exit(run(partial(add, wanted=wanted, deployment=deployment, as_json=as_json), url))


def remove_agent(room: Room, agent: Agent, *, url: Url = None, as_json: Json = False) -> None:
    """Take an agent out of a session; it is not replaced."""
    from orchestrator.client.placing import remove_agent as remove
    from orchestrator.client.running import run

    raise typer.Exit(run(partial(remove, room=room, name=agent, as_json=as_json), url))


def switch(
    room: Room,
    agent: Agent,
    *,
    instead_of: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose place it takes; may be left out where there is only one.")
    ] = None,
    grace: Annotated[
        float, typer.Option(min=0, max=60, metavar="SECONDS", help="How long the other one may stay beside it.")
    ] = 0.0,
    metadata: Metadata = None,
    wait: Wait = 0.0,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Put an agent in another one's place, verified first.

    The other one leaves when it is verified.
    """
    from orchestrator.client.placing import Wanted
    from orchestrator.client.placing import switch as switch_agents
    from orchestrator.client.running import run

    wanted = Wanted(room, agent, metadata, wait)
    work = partial(switch_agents, wanted=wanted, instead_of=instead_of, grace=grace, as_json=as_json)
    raise typer.Exit(run(work, url))


COMMANDS: Final = (("add-agent", add_agent), ("remove-agent", remove_agent), ("switch", switch))
