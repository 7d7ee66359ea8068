"""`rollcall doctor`, run as an operator runs it, and what it found."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.e2e.harness.child import ChildProcess, clean_environment
from tests.e2e.harness.orchestrator import COMMAND


@dataclass(frozen=True, slots=True)
class Found:
    """One finding, as `--json` shows it."""

    check: str
    status: str
    message: str
    fix: str
    subject: str


@dataclass(frozen=True, slots=True)
class Examined:
    """How an examination ended."""

    code: int
    findings: tuple[Found, ...]

    def of(self, check: str, subject: str = "") -> Found:
        """The only finding of this check."""
        (found,) = (found for found in self.findings if (found.check, found.subject) == (check, subject))
        return found

    @property
    def failed(self) -> list[str]:
        """The checks that failed."""
        return [found.check for found in self.findings if found.status == "failed"]


def doctor_process(
    directory: Path, environment: Mapping[str, str], config: Mapping[str, object], *arguments: str
) -> ChildProcess:
    """An examination of this configuration, not started yet; `environment` is all that is set of LiveKit's and ours."""
    name = f"doctor-{uuid.uuid4().hex[:8]}"
    path = directory / f"{name}.yaml"
    path.write_text(yaml.safe_dump(dict(config)))
    command: list[str | Path] = [COMMAND, "doctor", "--json", "--config", path, *arguments]
    return ChildProcess(command, log=directory / f"{name}.log", environment=clean_environment(**environment))


async def examined(
    directory: Path, environment: Mapping[str, str], config: Mapping[str, object], *arguments: str, timeout: float = 30.0
) -> Examined:
    """Run one to its end."""
    process = doctor_process(directory, environment, config, *arguments)
    try:
        process.start()
        code = await process.ended(timeout=timeout)
    finally:
        await process.clear_away(timeout=5.0)
    said = json.loads(process.logged())
    return Examined(code, tuple(Found(**finding) for finding in said["findings"]))
