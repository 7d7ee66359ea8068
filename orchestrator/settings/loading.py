"""Gathering the settings, and saying in one go what is wrong with them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from orchestrator.configuration.document import Document
from orchestrator.configuration.file import DEFAULT_FILE, configured, settings_in
from orchestrator.configuration.origins import Origins
from orchestrator.configuration.problems import ConfigurationError, Finding, Problem
from orchestrator.configuration.validation import findings_of, unknown_key
from orchestrator.settings.findings import findings_of_configuration, findings_of_settings
from orchestrator.settings.model import Configuration, Settings

C = TypeVar("C", bound=Configuration)


def load_settings(flags: Mapping[str, Any] | None = None) -> Settings:
    """The settings from flags (by name; None is not given), the environment and the file.

    Raises ConfigurationError, which holds all that can be said to be wrong at once.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    origins = Origins(configured(_config(given)), given, Settings.environment_source())
    settings, warnings = _checked(lambda: Settings(**given), findings_of_settings, origins)
    return settings.model_copy(update={"notes": tuple(map(str, warnings))})


def load_configuration(config: Path | None = None) -> tuple[Configuration, tuple[Problem, ...]]:
    """What the file says by itself, with its warnings: for all that needs neither a server nor secrets.

    Raises ConfigurationError, which holds all that can be said to be wrong at once, or that there is no file.
    """
    document = configured(config or _config({}) or DEFAULT_FILE)
    written = settings_in(document, Configuration.model_fields)
    return _checked(lambda: Configuration(**written), findings_of_configuration, Origins(document))


def _config(flags: Mapping[str, Any]) -> Path | None:
    config = flags.get("config") or Settings.environment_source().value("config")
    return Path(config) if config else None


def _checked(make: Callable[[], C], find: Callable[[C], Iterable[Finding]], origins: Origins) -> tuple[C, tuple[Problem, ...]]:
    """What `make` makes, with the warnings that `find` has for it. Raises ConfigurationError."""
    unknown = list(_unknown(origins.document))
    try:
        configuration = make()
    except ValidationError as error:
        findings = [*unknown, *findings_of(error, Configuration)]
        # Without its cause: what pydantic keeps of the input may be a secret.
        raise ConfigurationError([origins.problem(finding) for finding in findings]) from None
    mistyped = origins.environment.mistyped() if origins.environment else []
    return configuration, (*origins.accept([*unknown, *find(configuration)]), *mistyped)


def _unknown(document: Document) -> Iterator[Finding]:
    for name in document.data:
        if name not in Configuration.model_fields:
            yield unknown_key((name,), list(Configuration.model_fields))
