"""What an examination finds: one sentence each, and what to do about it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """It works, and a person should know."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Nothing can be said about it; the message says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. Never holds a secret or a token."""

    check: str
    """Which check found it: stable, for programs."""
    status: Status
    message: str
    fix: str = ""
    subject: str = ""
    """What of several things it is about: an agent name."""

    @property
    def label(self) -> str:
        return f"{self.check} {self.subject}" if self.subject else self.check


def ok(check: str, message: str, *, subject: str = "") -> Finding:
    return Finding(check, Status.OK, message, subject=subject)


def warning(check: str, message: str, fix: str, *, subject: str = "") -> Finding:
    return Finding(check, Status.WARNING, message, fix, subject)


def failed(check: str, message: str, fix: str, *, subject: str = "") -> Finding:
    return Finding(check, Status.FAILED, message, fix, subject)


def skipped(check: str, message: str, fix: str = "", *, subject: str = "") -> Finding:
    return Finding(check, Status.SKIPPED, message, fix, subject)


def all_well(findings: Iterable[Finding]) -> bool:
    """Whether nothing failed: a warning is no failure, and what was skipped says nothing."""
    return all(finding.status is not Status.FAILED for finding in findings)
