"""The options of `rollcall sandbox`. What they need is imported when it runs, so that help comes at once."""

from typing import Annotated, Any, Final

import typer

_WEBHOOK_URL: Final = "http://127.0.0.1:8080/webhooks/livekit"
"""Of a `rollcall serve` beside it."""

_AGENT_NAME: Final = "mary"

_SECRET: Final = "secret" * 6
"""As long as Rollcall asks of a secret, and none."""


def seconds(text: str) -> float:
    from orchestrator.configuration.values import duration

    try:
        return duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def per_second(text: str) -> float:
    from orchestrator.configuration.values import rate

    try:
        if (wanted := rate(text)) > 0:
            return wanted
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    raise typer.BadParameter("it must be more than 0")


def _duration(meaning: str) -> Any:
    return typer.Option(parser=seconds, metavar="DURATION", help=meaning, show_default=False)


def _share(meaning: str) -> Any:
    return typer.Option(min=0.0, max=1.0, metavar="SHARE", help=meaning, show_default=False)


def sandbox(
    *,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0: any.")] = 7880,
    webhook: Annotated[
        list[str],
        typer.Option(
            metavar="URL",
            default_factory=lambda: [_WEBHOOK_URL],
            show_default=_WEBHOOK_URL,
            help="Where webhooks go; may be repeated.",
        ),
    ],
    key: Annotated[str, typer.Option(help="The API key.")] = "devkey",
    secret: Annotated[str, typer.Option(help="The API secret.")] = _SECRET,
    agent: Annotated[
        list[str],
        typer.Option(
            metavar="NAME",
            default_factory=lambda: [_AGENT_NAME],
            show_default=_AGENT_NAME,
            help="An agent that has workers; may be repeated.",
        ),
    ],
    workers: Annotated[int, typer.Option(min=0, help="Workers of each agent.")] = 1,
    capacity: Annotated[int, typer.Option(min=1, help="Jobs that a worker holds at most.")] = 1000,
    rooms: Annotated[int, typer.Option(min=0, help="Rooms that open by themselves.")] = 0,
    room: Annotated[str, typer.Option(metavar="NAME", help="Their names; {n} is the number of each.")] = "sandbox-{n}",
    rate: Annotated[
        float, typer.Option(parser=per_second, metavar="RATE", show_default="20/s", help="How fast they open.")
    ] = 20.0,
    people: Annotated[bool, typer.Option("--people", help="Somebody is in each of them, and stays.")] = False,
    kill_agents_every: Annotated[float | None, _duration("Kill the process of some agent so often.")] = None,
    drop_dispatch: Annotated[float, _share("Dispatches that are answered 200 and then lost.")] = 0.0,
    late_joiners: Annotated[float, _share("Jobs that are never listed, and whose agents join late.")] = 0.0,
    lose_webhooks: Annotated[float, _share("Webhooks that are lost.")] = 0.0,
    duplicate_webhooks: Annotated[int, typer.Option(min=0, help="Copies of each webhook, beside itself.")] = 0,
    shuffle_webhooks: Annotated[float, _duration("Each webhook is up to so much late, on its own.")] = 0.0,
    block_webhooks: Annotated[bool, typer.Option("--block-webhooks", help="Lose all webhooks.")] = False,
    api_error: Annotated[float, _share("Calls that are refused with 429, 500 or 503.")] = 0.0,
    api_hang: Annotated[float, _share("Calls that are neither executed nor answered.")] = 0.0,
    lost_reply: Annotated[float, _share("Calls that are executed and not answered.")] = 0.0,
    slow_api: Annotated[float, _duration("Every call takes so much longer.")] = 0.0,
    reject_credentials: Annotated[bool, typer.Option("--reject-credentials", help="Answer 401 to every call.")] = False,
    empty_listing: Annotated[float, _share("Listings that are empty by mistake.")] = 0.0,
    partial_listing: Annotated[float, _share("Listings that lack about half.")] = 0.0,
    no_perform_rpc: Annotated[bool, typer.Option("--no-perform-rpc", help="Be a server that cannot ask agents.")] = False,
    pulse_unavailable: Annotated[bool, typer.Option("--pulse-unavailable", help="Answer 503 when agents are asked.")] = False,
    pulse_slow: Annotated[float, _duration("Agents take so much longer to answer.")] = 0.0,
    seed: Annotated[int | None, typer.Option(help="Draw the chances of this seed.")] = None,
    duration: Annotated[float | None, _duration("End by itself after so long.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a line a second, for programs.")] = False,
) -> None:
    """Play LiveKit on this machine, with the faults you want.

    Its API, its workers and its signed webhooks are there. A SHARE is a number from 0 to 1, a DURATION is 500ms, 30s or 5m.
    Each second it prints what is true, whatever is listed.
    """
    from orchestrator.sandbox.command import Options, run
    from orchestrator.sandbox.faults import Faults
    from orchestrator.sandbox.signing import Credentials

    faults = Faults(
        drop_dispatch=drop_dispatch,
        late_joiners=late_joiners,
        lose_webhooks=lose_webhooks,
        duplicate_webhooks=duplicate_webhooks,
        shuffle_webhooks=shuffle_webhooks,
        webhooks_blocked=block_webhooks,
        api_error=api_error,
        api_hang=api_hang,
        lost_reply=lost_reply,
        slow_api=slow_api,
        rejects_credentials=reject_credentials,
        empty_listing=empty_listing,
        partial_listing=partial_listing,
        no_perform_rpc=no_perform_rpc,
        pulse_unavailable=pulse_unavailable,
        pulse_slow=pulse_slow,
    )
    options = Options(
        host=host,
        port=port,
        credentials=Credentials(key, secret),
        webhook_urls=tuple(webhook),
        agent_names=tuple(agent),
        workers=workers,
        capacity=capacity,
        rooms=rooms,
        room=room,
        rate=rate,
        people=people,
        kill_agents_every=kill_agents_every,
        seed=seed,
        duration=duration,
        as_json=as_json,
        faults=faults,
    )
    try:
        code = run(options, typer.echo)
    except OSError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(code)
