"""The options of `rollcall burst`. What it needs is imported when it runs, so that help comes at once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.client.cli.options import Json, Url
from orchestrator.sandbox.cli import per_second, seconds

if TYPE_CHECKING:
    from orchestrator.burst.objectives import Objective


def _objectives(text: str | None) -> "tuple[Objective, ...]":
    from orchestrator.burst.objectives import read_objectives

    try:
        return () if text is None else read_objectives(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--slo") from None


def burst(
    *,
    agent: Annotated[str, typer.Option(metavar="NAME", help="The agent that each room is to have.")],
    rooms: Annotated[int, typer.Option(min=1, metavar="NUMBER", help="How many rooms.")] = 50,
    rate: Annotated[
        float, typer.Option(parser=per_second, metavar="RATE", show_default="20/s", help="How fast they are asked for.")
    ] = 20.0,
    timeout: Annotated[
        float,
        typer.Option(parser=seconds, metavar="DURATION", show_default="60s", help="How long each room waits for its agent."),
    ] = 60.0,
    people: Annotated[bool, typer.Option("--people", help="Somebody enters each room (needs the extra `people`).")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Let LiveKit dispatch by itself, without Rollcall.")] = False,
    compare: Annotated[bool, typer.Option("--compare", help="Both: plain dispatch first, then through Rollcall.")] = False,
    slo: Annotated[
        str | None,
        typer.Option(metavar="OBJECTIVES", help="What may not be exceeded: p50, p90, p95, p99, max, lost, doubled, left."),
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it: .svg, or .html.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a server elsewhere is loaded.")] = False,
    url: Url = None,
    as_json: Json = False,
) -> None:
    """Open many rooms at once, and see how long each waits.

    Rooms are made with LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET, through the service at ROLLCALL_URL unless
    --plain, and removed at the end and after Ctrl-C. With --slo p99=5s,lost=0 the exit code is 1 when that was broken.
    """
    from orchestrator.burst.command import Options, run
    from orchestrator.burst.plan import Plan, Way

    if plain and compare:
        raise typer.BadParameter("--plain is one of the two that --compare compares: leave one of them out")
    ways = (Way.PLAIN,) if plain else (Way.PLAIN, Way.ROLLCALL) if compare else (Way.ROLLCALL,)
    options = Options(
        plan=Plan(agent, rooms, rate, timeout, people),
        ways=ways,
        objectives=_objectives(slo),
        plot=plot,
        url=url,
        yes=yes,
        as_json=as_json,
    )
    raise typer.Exit(run(options))
