"""What is wrong with a configuration: where, why, and what to write instead."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.runtime.ports import RollcallError

Location = tuple[str | int, ...]
"""Where in a configuration: ("routes", 0, "agents", 1)."""


class Severity(StrEnum):
    ERROR = "error"
    """Refused."""
    WARNING = "warning"
    """Accepted, and a person should know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a configuration, before it is known where it was written. Never holds a secret."""

    location: Location
    message: str
    fix: str = ""
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. Never holds a secret."""

    message: str
    where: str = ""
    """A file with its line, an environment variable or a flag."""
    path: str = ""
    """Of the setting: `agents.mary.policy.deadline`."""
    fix: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        before = ": ".join(part for part in (self.where, self.path) if part)
        sentence = " ".join(part for part in (self.message, self.fix) if part)
        return f"{before}: {sentence}" if before else sentence


class ConfigurationError(RollcallError):
    """The configuration is refused; one line per problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`Did you mean "mary"?` for the known name that looks most like this one; nothing when none does."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f'Did you mean "{near[0]}"?' if near else ""


def path_text(location: Location) -> str:
    """A location as people write it: `routes[0].agents[1]`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def counted(number: int, what: str) -> str:
    """`1 agent`, `2 agents`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def listed(names: Iterable[str]) -> str:
    """Names as a sentence shows them, in quotes."""
    return ", ".join(f'"{name}"' for name in names) or "none"
