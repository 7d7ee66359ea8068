"""The commands that look."""

from functools import partial
from typing import Annotated, Final

import typer

from orchestrator.client.cli.options import Age, AgentOption, Cause, Json, Room, State, Url


def sessions(
    *,
    state: State = None,
    agent: AgentOption = None,
    cause: Cause = None,
    age: Age = None,
    limit: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="How many at the most.")] = 50,
    cursor: Annotated[str | None, typer.Option(metavar="TEXT", help="Go on where another list ended.")] = None,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List sessions, newest first."""
    from orchestrator.client.looking import list_sessions
    from orchestrator.client.running import run

    given = {"state": state, "agent": agent, "cause": cause, "age": age, "cursor": cursor}
    filters = {name: value for name, value in given.items() if value is not None}
    raise typer.Exit(run(partial(list_sessions, filters=filters, limit=limit, as_json=as_json), url))


def export(
    *,
    state: State = None,
    agent: AgentOption = None,
    cause: Cause = None,
    age: Age = None,
    url: Url = None,
) -> None:
    """Write all sessions of a filter, one JSON a line."""
    from orchestrator.client.exporting import export_sessions
    from orchestrator.client.running import run

    given = {"state": state, "agent": agent, "cause": cause, "age": age}
    filters = {name: value for name, value in given.items() if value is not None}
    raise typer.Exit(run(partial(export_sessions, filters=filters), url))


def show(
    room: Room,
    *,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it until it has ended.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Show one session: verdict, agents, attempts, timeline."""
    from orchestrator.client.running import run

    if watch:
        from orchestrator.client.watching import watch_session

        raise typer.Exit(run(partial(watch_session, room=room, as_json=as_json), url))

    from orchestrator.client.looking import show_session

    raise typer.Exit(run(partial(show_session, room=room, as_json=as_json), url))


def explain(room: Room, *, url: Url = None, as_json: Json = False) -> None:
    """Say why a room has no agent, and what to do."""
    from orchestrator.client.looking import explain_session
    from orchestrator.client.running import run

    raise typer.Exit(run(partial(explain_session, room=room, as_json=as_json), url))


def watch(*, url: Url = None, as_json: Json = False) -> None:
    """Follow all sessions: one line per change, until Ctrl-C."""
    from orchestrator.client.running import run
    from orchestrator.client.watching import watch_sessions

    raise typer.Exit(run(partial(watch_sessions, as_json=as_json), url))


def agents(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="One agent, with its workers.")] = None,
    *,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """List agent names, and who answers to them."""
    from orchestrator.client.looking import list_agents, show_agent
    from orchestrator.client.running import run

    if name is None:
        raise typer.Exit(run(partial(list_agents, as_json=as_json), url))
    raise typer.Exit(run(partial(show_agent, name=name, as_json=as_json), url))


def transcript(room: Room, *, url: Url = None, as_json: Json = False) -> None:
    """Show what was said in a session."""
    from orchestrator.client.looking import show_transcript
    from orchestrator.client.running import run

    raise typer.Exit(run(partial(show_transcript, room=room, as_json=as_json), url))


COMMANDS: Final = (
    ("sessions", sessions),
    ("show", show),
    ("explain", explain),
    ("watch", watch),
    ("agents", agents),
    ("transcript", transcript),
    ("export", export),
)
