"""`rollcall burst`: the composition root of a burst, and the process around it."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestrator.burst.asking import AT_ONCE, Asking, Plain, ThroughRollcall
from orchestrator.burst.looking import PER_SECOND, PER_SECOND_ON_CLOUD
from orchestrator.burst.objectives import Objective, judge
from orchestrator.burst.outcome import Outcome
from orchestrator.burst.plan import Plan, Way
from orchestrator.burst.plot import page, svg
from orchestrator.burst.progress import Progress
from orchestrator.burst.report import RESOLUTION, outcome_table, report_json, title, troubles, verdict_line
from orchestrator.burst.running import Burst, Parts, People
from orchestrator.burst.surroundings import Server, server
from orchestrator.client.done import confirm
from orchestrator.client.errors import CommandFailed
from orchestrator.client.printing import complain, console, show
from orchestrator.client.service import Service, connect
from orchestrator.client.text import printable
from orchestrator.exits import ExitCode
from orchestrator.livekit.api import LiveKitApi
from orchestrator.observability import logs
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.ports import LiveKit, LiveKitError, LiveKitRejectedCredentials
from orchestrator.runtime.tasks import Tasks
from orchestrator.terminal import say_json

if TYPE_CHECKING:
    from orchestrator.burst.people import Clients

PICTURES: Final = {".svg": svg, ".html": page}

REST: Final = 15.0
"""Seconds between two bursts: agents have left, and what a worker reports of its load is an average over seconds."""


@dataclass(frozen=True, slots=True)
class Options:
    """What `rollcall burst` was asked for."""

    plan: Plan
    ways: tuple[Way, ...]
    """One after the other."""
    objectives: tuple[Objective, ...]
    """For the last of the ways."""
    plot: Path | None
    url: str | None
    """Of the running service; None: where the environment says."""
    yes: bool
    as_json: bool


def run(options: Options) -> ExitCode:
    """Burst, report, and leave nothing behind; the exit code."""
    logs.configure(sys.stderr, level="error", pretty=True)
    left_behind: set[str] = set()
    try:
        options.plan.check()
        _check_plot(options.plot)
        there = server()
        service = connect(options.url) if Way.ROLLCALL in options.ways else None
        people = partial(_clients(), there.url, there.key, there.secret.get_secret_value()) if options.plan.people else None
        _ask_before_load(there, options)
        outcomes = asyncio.run(_run(options, there, service, people, left_behind))
        code = _report(options, outcomes, left_behind)
    except CommandFailed as failed:
        complain(failed)
        code = failed.code
    except LiveKitError as error:
        complain(_livekit_failed(error))
        code = ExitCode.UNHEALTHY
    except (asyncio.CancelledError, KeyboardInterrupt):
        code = ExitCode.INTERRUPTED
    if left_behind:
        names = f"{len(left_behind)} rooms may be left, such as {min(left_behind)}"
        complain(CommandFailed(ExitCode.FAILED, f"{names}.", "LiveKit ends them by itself, five minutes after they were made."))
    return code


async def _run(
    options: Options, there: Server, service: Service | None, people: Callable[[], People] | None, left_behind: set[str]
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with _ended_by_signals(), ThreadPoolExecutor(AT_ONCE) as threads:
        async with _livekit(there) as livekit:
            await livekit.rooms()  # whether it answers, and takes the key, before anything is made
            clock = StoreClock()
            progress = Progress(clock, Tasks(lambda _name, _error: None), as_json=options.as_json)
            for way in options.ways:
                if outcomes:
                    await progress.rest(REST)
                parts = Parts(
                    options.plan,
                    livekit,
                    clock,
                    people,
                    PER_SECOND_ON_CLOUD if there.cloud else PER_SECOND,
                    left_behind.update,
                )
                burst = Burst(parts, way, _asking(way, livekit, service, options.plan.agent_name, threads))
                async with progress.following(burst, options.plan):
                    outcomes.append(await burst.run())
    return outcomes


def _asking(way: Way, livekit: LiveKit, service: Service | None, agent_name: str, threads: ThreadPoolExecutor) -> Asking:
    if way is Way.PLAIN or service is None:
        return Plain(livekit, agent_name)
    return ThroughRollcall(livekit, service, agent_name, threads)


def _clients() -> "type[Clients]":
    """Raises CommandFailed."""
    try:
        from orchestrator.burst.people import Clients  # noqa: PLC0415 - an extra, which most installations lack
    except ModuleNotFoundError:
        fix = "Install Rollcall with its extra `people`, or leave --people out."
        raise CommandFailed(ExitCode.USAGE, "--people needs LiveKit's client, which is not installed.", fix) from None
    return Clients


def _report(options: Options, outcomes: list[Outcome], left_behind: set[str]) -> ExitCode:
    verdicts = judge(options.objectives, outcomes[-1])
    if options.as_json:
        say_json(report_json(options.plan, outcomes, verdicts, left_behind))
    else:
        lines = [*(line for outcome in outcomes for line in troubles(outcome)), *map(verdict_line, verdicts)]
        show(title(options.plan), "", outcome_table(outcomes), "", RESOLUTION, *lines)
    if options.plot is not None:
        _write(options.plot, PICTURES[options.plot.suffix.lower()](title(options.plan), outcomes))
    broken = not all(verdict.held for verdict in verdicts)
    return ExitCode.FAILED if broken or left_behind else ExitCode.OK


# --- before and around -------------------------------------------------------------------------------------------------


def _ask_before_load(there: Server, options: Options) -> None:
    """Elsewhere than on this machine, somebody else may bear the load, and pay for it. Raises CommandFailed."""
    if there.on_this_machine:
        return
    where = f"{there.host}, which is LiveKit Cloud: agents and participants cost money there" if there.cloud else there.host
    rooms = options.plan.rooms * len(options.ways)
    confirm(f"Make {rooms} rooms, each with an agent, on {where}. Go on", yes=options.yes)


def _check_plot(plot: Path | None) -> None:
    """Found out before the burst, and not after it. Raises CommandFailed."""
    if plot is None:
        return
    if plot.suffix.lower() not in PICTURES:
        raise CommandFailed(ExitCode.USAGE, f"{printable(str(plot))} is neither .svg nor .html.", "Name a file that is.")
    if not plot.parent.is_dir():
        raise CommandFailed(ExitCode.USAGE, f"There is no directory {printable(str(plot.parent))}.")


def _write(plot: Path, picture: str) -> None:
    """Raises CommandFailed."""
    try:
        plot.write_text(picture, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(ExitCode.FAILED, f"{printable(str(plot))} cannot be written: {error.strerror}.") from error


def _livekit_failed(error: LiveKitError) -> CommandFailed:
    if isinstance(error, LiveKitRejectedCredentials):
        fix = "Correct LIVEKIT_API_KEY and LIVEKIT_API_SECRET; `rollcall doctor` tells more."
        return CommandFailed(ExitCode.UNHEALTHY, "LiveKit refuses the key.", fix)
    fix = "See whether LIVEKIT_URL is right and the server runs; `rollcall doctor` tells more."
    return CommandFailed(ExitCode.UNHEALTHY, f"LiveKit did not do what a burst needs: {printable(str(error))}.", fix)


@asynccontextmanager
async def _livekit(there: Server) -> AsyncIterator[LiveKitApi]:
    secret = there.secret.get_secret_value()
    async with LiveKitApi(there.url, there.key, secret, clock=StoreClock(), on_throttled=lambda: None) as livekit:
        yield livekit


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """The first Ctrl-C or SIGTERM ends the burst, whose rooms are then removed; the second one ends the removal, too."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    signals = (signal.SIGINT, signal.SIGTERM)

    def end() -> None:
        if task is not None:
            if not task.cancelling():
                console(stderr=True).print("Stopped: the rooms are being removed. Once more, and they are left.")
            task.cancel()

    for number in signals:
        loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
