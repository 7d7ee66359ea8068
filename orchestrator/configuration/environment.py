"""Settings from environment variables, and from the files that variables ending in _FILE name."""

import difflib
import os
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from orchestrator.configuration.problems import ConfigurationError, Problem, Severity

PREFIX: Final = "ROLLCALL_"
_FILE: Final = "_FILE"

UNPREFIXED: Final = frozenset(
    {
        "livekit_url",
        "livekit_api_key",
        "livekit_api_secret",
        "redis_url",
        "otel_exporter_otlp_endpoint",
        "otel_exporter_otlp_traces_endpoint",
        "otel_sdk_disabled",
        "otel_traces_exporter",
    }
)
"""Settings whose variables mean the same to other software around LiveKit, or that exports traces."""

SECRET: Final = frozenset({"livekit_api_key", "livekit_api_secret", "redis_url", "api_tokens"})
"""Settings that may be in a file of their own."""

CALLERS: Final = ("ROLLCALL_URL", "ROLLCALL_API_TOKEN", "ROLLCALL_API_TOKEN_FILE")
"""By what those find the service that call it, workers and commands: no settings of the service itself."""

_NEARLY: Final = 0.85
"""How alike (difflib's ratio) a variable is that must be a typing error; Kubernetes' ROLLCALL_SERVICE_PORT is 0.76."""

_SERVICE_LINK: Final = re.compile(r"(tcp|udp|sctp)://.*")


def state_home() -> Path:
    """Where a user's programs keep what must outlive a restart, by the XDG Base Directory Specification."""
    return Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser()


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return name.upper() if name in UNPREFIXED else PREFIX + name.upper()


def service_url() -> str | None:
    """Where a running service is, for whoever calls it."""
    return os.environ.get("ROLLCALL_URL", "").strip() or None


def service_token() -> SecretStr | None:
    """The bearer token for a running service. Raises ConfigurationError for a file that cannot be read."""
    token, path = (os.environ.get(name, "").strip() for name in ("ROLLCALL_API_TOKEN", "ROLLCALL_API_TOKEN_FILE"))
    token = _text(Path(path), "ROLLCALL_API_TOKEN_FILE") if path else token
    return SecretStr(token) if token else None


class EnvironmentSource(PydanticBaseSettingsSource):
    """The settings that the environment has. Raises ConfigurationError for a file that cannot be read."""

    def __init__(self, settings_cls: type[BaseSettings], names: Collection[str]) -> None:
        super().__init__(settings_cls)
        self._names = names

    def __call__(self) -> dict[str, Any]:
        found = {name: self.value(name) for name in self._names}
        return {name: value for name, value in found.items() if value is not None}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return self.value(field_name), field_name, False

    def where(self, name: str) -> str | None:
        """The variable that a setting came from, as a sentence names it; None when it is in none."""
        if name not in self._names:
            return None
        if self._variable(name):
            return f"environment variable {variable(name)}"
        path = self._file(name)
        return f"{path}, which {variable(name)}{_FILE} names" if path else None

    def mistyped(self) -> list[Problem]:
        """Variables that look like one of ours and are none: they would have no effect, in silence."""
        known = [variable(name) for name in self._names] + [variable(name) + _FILE for name in SECRET] + list(CALLERS)
        unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
        near = {name: difflib.get_close_matches(name, known, n=1, cutoff=_NEARLY) for name in unknown}
        return [
            Problem("There is no such setting.", name, fix=f"Did you mean {match[0]}?", severity=Severity.WARNING)
            for name, match in near.items()
            if match
        ]

    def value(self, name: str) -> str | None:
        """A setting's text, from its variable or the file that one names; None when neither is there."""
        value, path = self._variable(name), self._file(name)
        if value and path:
            message = f"{variable(name)} is set, too, and nobody can tell which of them you mean."
            raise ConfigurationError(
                [Problem(message, f"environment variable {variable(name)}{_FILE}", fix="Unset one of them.")]
            )
        return _text(Path(path), variable(name) + _FILE) if path else value

    def _variable(self, name: str) -> str | None:
        """A variable's text. An empty one is as good as none, which is what compose files make of unset variables."""
        value = os.environ.get(variable(name), "").strip()
        # Kubernetes gives every pod ROLLCALL_PORT=tcp://… as soon as a service is called rollcall.
        if name == "port" and _SERVICE_LINK.fullmatch(value):
            return None
        return value or None

    def _file(self, name: str) -> str | None:
        return os.environ.get(variable(name) + _FILE, "").strip() or None if name in SECRET else None


def _text(path: Path, named_by: str) -> str:
    """What stands in a file that a variable names. Raises ConfigurationError."""
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        where = f"environment variable {named_by}"
        raise ConfigurationError([Problem(f"{path} cannot be read: {why}.", where, fix="Name a file that can.")]) from None
