"""`rollcall sandbox`: a LiveKit of one's own, with rooms, workers and faults, until one has seen enough.

The composition root of a sandbox: the only module of the package that knows the runtime's own clock and tasks.
"""

import asyncio
import json
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Final

from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.tasks import Tasks
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.figures import Figures, figures
from orchestrator.sandbox.server import serving
from orchestrator.sandbox.signing import Credentials
from orchestrator.sandbox.traffic import Traffic

Say = Callable[[str], None]

FIGURES_EVERY: Final = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """What `rollcall sandbox` was asked for; times are in seconds."""

    host: str
    port: int
    credentials: Credentials
    webhook_urls: tuple[str, ...]
    agent_names: tuple[str, ...]
    workers: int
    """Of each agent name."""
    capacity: int
    rooms: int
    room: str
    rate: float
    people: bool
    kill_agents_every: float | None
    seed: int | None
    duration: float | None
    as_json: bool
    faults: Faults = field(default_factory=Faults)


def run(options: Options, say: Say) -> int:
    """Run until the time is up, or SIGINT or SIGTERM; the exit code. Raises OSError where it cannot listen."""
    return asyncio.run(_Run(options, say).until_stopped())


class _Run:
    def __init__(self, options: Options, say: Say) -> None:
        self._options = options
        self._say = say
        self._clock = StoreClock()
        self._tasks = Tasks(self._crashed)
        chance = random.Random(options.seed)  # noqa: S311  # plays with faults, and keeps no secrets
        self._sandbox = Sandbox(self._clock, chance, self._tasks.spawn, faults=options.faults)
        self._traffic = Traffic(self._sandbox, self._clock, chance)
        self._stopping = asyncio.Event()
        self._exit_code = 0
        self._begun = self._clock.monotonic()

    async def until_stopped(self) -> int:
        """Serve until a signal or the end of `duration`; the exit code."""
        options = self._options
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        serves = serving(
            self._sandbox,
            self._clock,
            options.credentials,
            host=options.host,
            port=options.port,
            webhook_urls=options.webhook_urls,
        )
        try:
            async with serves as port:
                self._note(self._welcome(port))
                self._tasks.spawn("traffic", self._play())
                self._tasks.spawn("figures", self._tell())
                with suppress(TimeoutError):
                    async with asyncio.timeout(options.duration):
                        await self._stopping.wait()
                self._conclude()
                await self._tasks.cancel()
        finally:
            await self._tasks.cancel()
        return self._exit_code

    async def _play(self) -> None:
        options = self._options
        workers = [
            self._sandbox.start_worker(name, capacity=options.capacity)
            for name in options.agent_names
            for _ in range(options.workers)
        ]
        if workers:
            await self._traffic.until_registered(workers)
            self._note(f"workers have registered: {', '.join(options.agent_names)}")
        if options.kill_agents_every:
            self._tasks.spawn("kill agents", self._traffic.kill_agents(options.kill_agents_every))
        await self._traffic.open_rooms(options.room, options.rooms, rate=options.rate, people=options.people)

    async def _tell(self) -> None:
        while True:
            await self._clock.sleep(FIGURES_EVERY)
            now = self._figures()
            self._say(json.dumps(asdict(now)) if self._options.as_json else str(now))

    def _conclude(self) -> None:
        end = self._figures()
        self._say(json.dumps(asdict(end) | {"final": True}) if self._options.as_json else f"In all:\n{end}")

    def _figures(self) -> Figures:
        seconds = round(self._clock.monotonic() - self._begun, 3)
        return figures(self._sandbox, seconds=seconds, agents_killed=self._traffic.agents_killed)

    def _welcome(self, port: int) -> str:
        options = self._options
        url = f"http://{options.host}:{port}"
        receivers = ", ".join(options.webhook_urls) or "nobody"
        return (
            f"A sandbox plays LiveKit at {url}, until Ctrl-C. Its webhooks go to {receivers}. To try Rollcall on it:\n"
            f"  LIVEKIT_URL={url} LIVEKIT_API_KEY={options.credentials.key}"
            f" LIVEKIT_API_SECRET={options.credentials.secret} rollcall serve --dev\n"
        )

    def _note(self, text: str) -> None:
        """For people alone: programs read figures."""
        if not self._options.as_json:
            self._say(text)

    def _crashed(self, _name: str, _error: BaseException) -> None:
        """A defect of the sandbox itself: a figure that comes after it would be wrong. The task was logged."""
        self._exit_code = 1
        self._stopping.set()
