"""The command that keeps alerts from being told for a while."""

from functools import partial
from typing import Annotated, Final

import typer

from orchestrator.client.cli.options import Json, Reason, Url

_Globs = list[str] | None


def silence(
    *,
    room: Annotated[_Globs, typer.Option("--room", metavar="GLOB", help="Of these rooms; may be repeated.")] = None,
    agent: Annotated[_Globs, typer.Option("--agent", metavar="GLOB", help="Of these agents; may be repeated.")] = None,
    cause: Annotated[_Globs, typer.Option("--cause", metavar="CAUSE", help="With this cause; may be repeated.")] = None,
    kind: Annotated[_Globs, typer.Option("--type", metavar="TYPE", help="Of this type; may be repeated.")] = None,
    duration: Annotated[str | None, typer.Option("--for", metavar="DURATION", help="For how long: 2h; 30d at most.")] = None,
    list_them: Annotated[bool, typer.Option("--list", help="List the silences, those of the last day included.")] = False,
    end: Annotated[str | None, typer.Option("--end", metavar="ID", help="End this silence now.")] = None,
    reason: Reason = "",
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Tell nobody of the alerts that match, for a while.

    What still stands when it ends is told then.
    """
    from orchestrator.client import silencing
    from orchestrator.client.running import run

    match = {name: given for name, given in (("room", room), ("agent", agent), ("cause", cause), ("type", kind)) if given}
    making = bool(match) or duration is not None
    if making + list_them + (end is not None) != 1:
        raise typer.BadParameter("give what is silenced and --for, or --list, or --end ID")
    if list_them:
        work = partial(silencing.list_silences, as_json=as_json)
    elif end is not None:
        work = partial(silencing.end, silence_id=end, as_json=as_json)
    else:
        if not match or duration is None:
            raise typer.BadParameter("give one of --room, --agent, --cause and --type, and --for how long")
        body = {"match": match, "duration": duration, "reason": reason}
        work = partial(silencing.silence, body=body, as_json=as_json)
    raise typer.Exit(run(work, url))


COMMANDS: Final = (("silence", silence),)
