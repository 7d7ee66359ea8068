"""One child process: its output in a file, its signals by name, nothing of it left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.e2e.harness.wait import NotInTime, wait_until

REPOSITORY = Path(__file__).resolve().parents[3]

OURS = ("LIVEKIT_", "ROLLCALL_", "OPENAI_", "OTEL_", "REDIS_URL")
"""A developer's own environment must not leak into what is tested."""


def clean_environment(**more: str) -> dict[str, str]:
    """Our own environment without what LiveKit, Rollcall or a model service would read, plus `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


class ChildProcess:
    """A program in a process group of its own; it can be started again after it ended, and its log goes on."""

    def __init__(self, command: Sequence[str | Path], *, log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        self._command = [str(part) for part in command]
        self._environment = dict(environment) if environment is not None else clean_environment()
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the program that runs, or ran last."""
        return self._started.pid

    @property
    def running(self) -> bool:
        """Whether the program runs (stopped ones do)."""
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the last run ended: None while it goes on, negative for a signal."""
        return self._started.poll()

    def start(self) -> None:
        """Run the program."""
        if self.running:
            message = f"{self.log.stem} runs already"
            raise RuntimeError(message)
        with self.log.open("ab") as output:
            self._child = subprocess.Popen(
                self._command,
                cwd=REPOSITORY,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def signal(self, number: signal.Signals) -> None:
        """Send the program, and not its children, a signal."""
        self._started.send_signal(number)

    def pause(self) -> None:
        """Stop it where it is, its sockets open: SIGSTOP."""
        self.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on: SIGCONT."""
        self.signal(signal.SIGCONT)

    async def kill(self) -> None:
        """End it at once: SIGKILL."""
        self.signal(signal.SIGKILL)
        await self.ended(timeout=5.0)

    async def stop(self, *, timeout: float = 10.0) -> int:
        """Ask it to end (SIGTERM), wait, and return its exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended(timeout=timeout)

    async def ended(self, *, timeout: float) -> int:
        """Its exit code, once it has ended."""
        await wait_until(lambda: not self.running, timeout=timeout, description=f"{self.log.stem} ends")
        return self._started.wait()

    async def clear_away(self, *, timeout: float = 5.0) -> None:
        """End the program and whatever it started, politely if it can be done in time."""
        if self._child is None:
            return
        if self.running:
            self.resume()
            with suppress(NotInTime):
                await self.stop(timeout=timeout)
        # Its children may outlive it (a killed worker's job processes do, for a while).
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()

    def logged(self) -> str:
        """Everything that it has written so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            message = f"{self.log.stem} was never started"
            raise RuntimeError(message)
        return self._child
