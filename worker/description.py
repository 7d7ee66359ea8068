"""What a worker says of itself to the orchestrator, whatever it does just now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from worker.settings import SettingsError

LONGEST_WORD = 64
"""Characters; the orchestrator takes no more."""

MOST_CAPABILITIES = 32
"""The orchestrator takes no more."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a worker says of itself, whatever it does."""

    version: str
    """ROLLCALL_WORKER_VERSION: of the team's own program; else of this package."""
    region: str
    """ROLLCALL_WORKER_REGION."""
    capabilities: tuple[str, ...]
    """ROLLCALL_WORKER_CAPABILITIES, separated by commas."""
    capacity: int | None
    """ROLLCALL_WORKER_JOBS: how many jobs it takes at once; None: as many as the CPU bears."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Description:
        """The description that this environment gives; SettingsError where it gives none that the orchestrator takes."""
        return cls(
            version=_word(environment, "ROLLCALL_WORKER_VERSION") or _own_version(),
            region=_word(environment, "ROLLCALL_WORKER_REGION"),
            capabilities=_capabilities(environment, "ROLLCALL_WORKER_CAPABILITIES"),
            capacity=_jobs(environment.get("ROLLCALL_WORKER_JOBS", "").strip()),
        )


def _own_version() -> str:
    try:
        return version("rollcall")
    except PackageNotFoundError:
        return "unknown"


def _word(environment: Mapping[str, str], name: str) -> str:
    return _checked(environment.get(name, "").strip(), name)


def _capabilities(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    written = (one.strip() for one in environment.get(name, "").split(","))
    found = tuple(dict.fromkeys(_checked(one, name) for one in written if one))
    if len(found) > MOST_CAPABILITIES:
        raise SettingsError(f"{name} must not name more than {MOST_CAPABILITIES}")
    return found


def _checked(word: str, name: str) -> str:
    if len(word) > LONGEST_WORD or not word.isprintable():
        raise SettingsError(f"{name} must be printable, and each of its words at most {LONGEST_WORD} characters long")
    return word


def _jobs(written: str) -> int | None:
    if not written:
        return None
    if not written.isdecimal():
        raise SettingsError("ROLLCALL_WORKER_JOBS must be a whole number")
    return int(written) or None
