"""The commands that operate: they take a token of scope operate, and are audited."""

from functools import partial
from typing import Annotated, Final

import typer

from orchestrator.client.cli.options import Age, AgentOption, Cause, Json, Reason, Room, State, Url
from orchestrator.core.naming import meant


def redispatch(
    room: Annotated[
        str | None, typer.Argument(metavar="ROOM", help="The room's name, or its sid; none: all of a filter.")
    ] = None,
    *,
    agent: AgentOption = None,
    state: State = None,
    cause: Cause = None,
    age: Age = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only sessions that started since then: 15m, or 2026-11-21T10:40:00Z.")
    ] = None,
    verified: Annotated[bool, typer.Option("--verified", help="With a filter: the verified ones, too.")] = False,
    reason: Reason = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before many are redispatched.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Send agents anew, into one room or into all of a filter."""
    from orchestrator.client.operating import act, redispatch_many
    from orchestrator.client.running import run

    given = {"state": state, "cause": cause, "age": age, "since": since, "verified": "true" if verified else None}
    filters = {name: value for name, value in given.items() if value is not None}
    if room is not None:
        if filters:
            raise typer.BadParameter("a filter is for many sessions: leave ROOM out, or the filter")
        body = {"agent_name": _named(agent), "reason": reason}
        raise typer.Exit(run(partial(act, room=room, verb="redispatch", body=body, as_json=as_json), url))
    if agent is not None:
        filters["agent"] = agent
    if not filters:
        raise typer.BadParameter("say which: a ROOM, or a filter (--state, --agent, --cause, --age, --since)")
    raise typer.Exit(run(partial(redispatch_many, filters=filters, reason=reason, yes=yes, as_json=as_json), url))


def cancel(room: Room, *, reason: Reason = "", url: Url = None, as_json: Json = False) -> None:
    """Stop dispatching into a room: no agent is wanted there."""
    from orchestrator.client.operating import act
    from orchestrator.client.running import run

    raise typer.Exit(run(partial(act, room=room, verb="cancel", body={"reason": reason}, as_json=as_json), url))


def resolve(
    room: Room,
    *,
    agent: AgentOption = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="What was found, for the audit log.")] = "",
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Close a room's open incident: a person has seen to it."""
    from orchestrator.client.operating import act
    from orchestrator.client.running import run

    body = {"agent_name": _named(agent), "note": note}
    raise typer.Exit(run(partial(act, room=room, verb="resolve", body=body, as_json=as_json), url))


def _named(agent: str | None) -> str | None:
    return None if agent is None else meant(agent)


COMMANDS: Final = (
    ("redispatch", redispatch),
    ("cancel", cancel),
    ("resolve", resolve),
)
