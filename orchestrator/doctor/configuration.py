"""Does the configuration load? In the words of `rollcall config check`, and as much of it as the other checks can use."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError

from orchestrator.configuration.file import DEFAULT_FILE
from orchestrator.configuration.problems import ConfigurationError, counted
from orchestrator.doctor.findings import Finding, Status, ok, warning
from orchestrator.settings import Settings, load_settings

NAME: Final = "configuration"


@dataclass(frozen=True, slots=True)
class Configured:
    findings: tuple[Finding, ...]
    settings: Settings | None
    """What could be read. With errors between settings (a name that does not exist), each by itself is still right."""


def configure(flags: Mapping[str, Any]) -> Configured:
    """Load the settings as `rollcall serve` does; `flags` by name, None is not given."""
    try:
        settings = load_settings(flags)
    except ConfigurationError as error:
        findings = tuple(
            Finding(NAME, Status(_STATUS[problem.severity]), str(replace(problem, fix="")), problem.fix)
            for problem in error.problems
        )
        return Configured(findings, _what_can_be_read(flags))
    notes = tuple(warning(NAME, note, "") for note in settings.notes)
    return Configured((*notes, ok(NAME, _summary(settings))), settings)


_STATUS: Final = {"error": Status.FAILED, "warning": Status.WARNING}


def _what_can_be_read(flags: Mapping[str, Any]) -> Settings | None:
    """The settings without what they say about each other: a route's typing error does not keep Redis from being examined."""
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except (ValidationError, ConfigurationError):
        return None


def _summary(settings: Settings) -> str:
    file = settings.config or DEFAULT_FILE
    agents, routes = counted(len(settings.agents), "agent"), counted(len(settings.routes), "route")
    return f"{agents} and {routes}, from {file}." if file.exists() else f"{agents} and {routes}: there is no {file}."
