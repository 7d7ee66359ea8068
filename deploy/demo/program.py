"""One program that the demo starts: its output in a file, its end known, nothing of it left behind."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from deploy.demo.failure import DemoFailed

CHECKOUT: Final = Path(__file__).resolve().parents[2]

_LAST_LINES: Final = 15
_LOOK_EVERY: Final = 0.05

_NOT_INHERITED: Final = ("LIVEKIT_", "ROLLCALL_", "REDIS_URL", "OPENAI_")
"""What a developer has set for other deployments must not reach the demo, which needs no account and calls nobody."""


class Program:
    """Runs in a process group of its own: Ctrl-C reaches the demo alone, which then ends the others in their order."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self._command = command
        self._log = log
        # Temporary files of a program that had to be killed go with the demo's own.
        self._environment = _environment(environment) | {"TMPDIR": str(log.parent)}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Run it."""
        with self._log.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                cwd=CHECKOUT,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raise DemoFailed if it has ended."""
        if self._process is not None and self._process.returncode is not None:
            raise DemoFailed(f"{self.name} ended with code {self._process.returncode}.", self.last_words())

    async def until(self, condition: Callable[[], Awaitable[bool]], *, within: float, what: str) -> None:
        """Wait for a condition; DemoFailed when it takes more than `within` seconds, or the program ends before it."""
        try:
            async with asyncio.timeout(within):
                while not await condition():
                    self.check()
                    await asyncio.sleep(_LOOK_EVERY)
        except TimeoutError as error:
            raise DemoFailed(f"{self.name} {what} within {within:g} s.", self.last_words()) from error

    async def stop(self, *, patience: float) -> None:
        """End it, politely if that takes no longer than `patience` seconds, and whatever it has started."""
        process = self._process
        if process is None:
            return
        try:
            with suppress(ProcessLookupError, TimeoutError):
                process.terminate()
                async with asyncio.timeout(patience):
                    await process.wait()
        finally:
            # Its children may outlive it, as a worker's job processes do for a while.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def logged(self) -> str:
        """All that it has written."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def last_words(self) -> str:
        """The last lines that it has written."""
        return "\n".join(self.logged().splitlines()[-_LAST_LINES:])


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}
