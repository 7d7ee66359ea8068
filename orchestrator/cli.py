"""The command `rollcall`. Each subcommand imports what it needs when it runs, so that help comes at once.

Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 unhealthy.
"""

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.burst.cli import burst
from orchestrator.client.cli import add_commands
from orchestrator.exits import ExitCode as ExitCode
from orchestrator.sandbox.cli import sandbox

app = typer.Typer(
    name="rollcall",
    help="Every LiveKit room gets the agents that it should have, proven to be there.",
    no_args_is_help=True,
    # Plain lines for every terminal and every pipe.
    rich_markup_mode=None,
    # A traceback with the values of its variables could show a secret.
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config_app = typer.Typer(help="Check rollcall.yaml, and help editors with it.", no_args_is_help=True)
route_app = typer.Typer(help="See what the routes do with a room.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(route_app, name="route")

_DEFAULT_FILE = "default: ROLLCALL_CONFIG, or ./rollcall.yaml"

ConfigOption = Annotated[Path | None, typer.Option("--config", help=f"The configuration file ({_DEFAULT_FILE}).")]
ConfigArgument = Annotated[Path | None, typer.Argument(metavar="FILE", help=f"The configuration file ({_DEFAULT_FILE}).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def main() -> None:
    """Run the command with this process's arguments, and exit."""
    app()


def _print_version() -> None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        typer.echo(f"rollcall {version('rollcall')}")
    except PackageNotFoundError:
        typer.echo("rollcall, run from its sources without being installed")


def _version_option(wanted: bool) -> None:  # noqa: FBT001 - the signature of typer's callbacks
    if wanted:
        _print_version()
        raise typer.Exit


@app.callback()
def _rollcall(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_version_option, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None: ...


@app.command("serve")
def _serve(
    *,
    config: ConfigOption = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
    state_dir: Annotated[Path | None, typer.Option(help="Where the embedded store keeps its data.")] = None,
    dev: Annotated[
        bool, typer.Option("--dev", help="For your own machine: listens on 127.0.0.1 and asks nobody for a token.")
    ] = False,
) -> None:
    """Run the service until it is told to stop."""
    from orchestrator.configuration.problems import ConfigurationError
    from orchestrator.settings import load_settings
    from orchestrator.terminal import complain

    # Without the flag, the environment and the file decide about dev.
    flags = {"config": config, "host": host, "port": port, "state_dir": state_dir, "dev": dev or None}
    try:
        settings = load_settings(flags)
    except ConfigurationError as error:
        complain(error.problems)
        raise typer.Exit(ExitCode.FAILED) from None

    from orchestrator.serving import serve

    raise typer.Exit(serve(settings))


@app.command("doctor")
def _doctor(
    *,
    config: ConfigOption = None,
    url: Annotated[
        str | None, typer.Option(help="Where the service runs (default: ROLLCALL_URL, its public_url, or this machine).")
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Send a canary for this agent only; may be repeated.")
    ] = None,
    canary: Annotated[bool, typer.Option("--canary/--no-canary", help="Dispatch each agent into a scratch room.")] = True,
    timeout: Annotated[float, typer.Option(min=1.0, metavar="SECONDS", help="For all checks together.")] = 60.0,
    dev: Annotated[bool, typer.Option("--dev", help="As `serve --dev` would find it.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Try out all that a room needs to get its agent.

    From here and now: one line each, with what to do. Exit code 0 when nothing failed, 4 otherwise. Rooms that it makes
    are deleted, and no route sends an agent into them. ROLLCALL_API_TOKEN holds a token of scope read for the running
    service.
    """
    from orchestrator.doctor.command import Options, run

    options = Options(
        flags={"config": config, "dev": dev or None},
        url=url,
        agents=tuple(agent or ()),
        canary=canary,
        seconds=timeout,
        as_json=as_json,
    )
    raise typer.Exit(run(options))


@config_app.command("check")
def _config_check(*, file: ConfigArgument = None, as_json: JsonOption = False) -> None:
    """Say what is wrong with a configuration file, by line and with the fix. Needs no server and no secrets."""
    from orchestrator.configuration.problems import ConfigurationError, Problem, counted
    from orchestrator.settings import load_configuration
    from orchestrator.terminal import complain, problem_json, say, say_json

    problems: tuple[Problem, ...]
    verdict = ""
    try:
        configuration, problems = load_configuration(file)
        verdict = f"ok: {counted(len(configuration.agents), 'agent')}, {counted(len(configuration.routes), 'route')}"
    except ConfigurationError as error:
        problems = error.problems
    if as_json:
        say_json({"ok": bool(verdict), "problems": [problem_json(problem) for problem in problems]})
    else:
        complain(problems)
        if verdict:
            say(verdict)
    raise typer.Exit(ExitCode.OK if verdict else ExitCode.FAILED)


@config_app.command("schema")
def _config_schema() -> None:
    """Print the JSON schema of rollcall.yaml, for editors."""
    from orchestrator.settings.schema import json_schema
    from orchestrator.terminal import say_json

    say_json(json_schema())


@route_app.command("test")
def _route_test(
    *,
    room: Annotated[str, typer.Option(help="The room's name.")],
    metadata: Annotated[str, typer.Option(help="The room's metadata, as LiveKit has it.")] = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which agents a room would get, what they would be told, and why. Dispatches nothing."""
    from orchestrator.configuration.problems import ConfigurationError
    from orchestrator.settings import load_configuration
    from orchestrator.terminal import complain, routing_json, say_json, show_routing

    try:
        configuration, problems = load_configuration(config)
    except ConfigurationError as error:
        complain(error.problems)
        raise typer.Exit(ExitCode.FAILED) from None
    complain(problems)
    routing = configuration.compiled_routes.route(room, metadata)
    if as_json:
        say_json(routing_json(room, routing))
    else:
        show_routing(room, routing)


add_commands(app)
app.command("burst")(burst)
app.command("sandbox")(sandbox)


@app.command("version")
def _show_version() -> None:
    """Show the version."""
    _print_version()
