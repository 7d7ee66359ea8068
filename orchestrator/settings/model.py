"""Every setting, once: unit, default, reason. One frozen object, passed whole.

A setting is a flag, an environment variable (ROLLCALL_ and its name; LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET
and REDIS_URL without the prefix) or a key of rollcall.yaml; the first of these that has it counts. Secrets may be in
files that variables ending in _FILE name. Durations become seconds, however they are written ("1.5s", "2m", "1h").
"""

from pathlib import Path
from typing import Any, Final

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from orchestrator.configuration.environment import EnvironmentSource
from orchestrator.configuration.file import FileSource
from orchestrator.configuration.traces import TraceSettings
from orchestrator.settings.agents import AgentSettings
from orchestrator.settings.surroundings import EVERYWHERE, Surroundings, is_cloud
from orchestrator.settings.workings import Workings

CLOUD_DEFAULTS: Final = {"pulse_period": "30s", "api_budget": "10/s", "accept_window": "0s"}
"""On *.livekit.cloud, where quotas are small and when a job is listed has not been measured."""

DEVELOPMENT_DEFAULTS: Final = {"host": "127.0.0.1", "drain": "0s"}

FILE_ONLY: Final = frozenset({"agents", "routes", "alerts", "alert_policy", "keys", "token", "screen", "canary"})
"""What is too large for an environment variable."""

_TRUE: Final = frozenset({"true", "t", "yes", "y", "on", "1"})
"""What pydantic takes for true, which must be known before anything else is read."""


class Configuration(TraceSettings, Workings, AgentSettings, Surroundings):
    """All that may be written in rollcall.yaml. Documents show the last base first, as pydantic has it."""

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_place(cls, data: dict[str, Any]) -> dict[str, Any]:
        """On LiveKit Cloud, and for development, some defaults differ."""
        cloud = CLOUD_DEFAULTS if is_cloud(data.get("livekit_url")) else {}
        development = DEVELOPMENT_DEFAULTS if str(data.get("dev")).lower() in _TRUE else {}
        return {**cloud, **development, **data}


class Settings(Configuration, BaseSettings):
    """All that `rollcall serve` goes by: what the constructor is given, over the environment, over the file.

    The constructor raises pydantic's errors; `load_settings` says what they mean, and checks the rest.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    config: Path | None = Field(None, description="The configuration file. Default: rollcall.yaml, if it is there.")
    notes: tuple[str, ...] = Field((), description="What a person should know when the service starts, a sentence each.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings' own sources know no _FILE
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - a .env file is not read by surprise
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, cls.environment_source(), FileSource(settings_cls, Configuration.model_fields.keys())

    @classmethod
    def environment_source(cls) -> EnvironmentSource:
        """Of every setting that is small enough for a variable."""
        names = ["config", *(name for name in Configuration.model_fields if name not in FILE_ONLY)]
        return EnvironmentSource(cls, names)

    @property
    def cloud(self) -> bool:
        """Whether the server is LiveKit Cloud."""
        return is_cloud(self.livekit_url)

    @property
    def base_url(self) -> str:
        """Where people reach this service, without a slash at the end."""
        host = "localhost" if self.host in (EVERYWHERE, "::") else self.host
        return self.public_url or f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def webhook_secrets(self) -> dict[str, str]:
        """The secret of every API key whose webhooks are accepted. For the verifier alone: these are no SecretStr."""
        pairs = {self.livekit_api_key: self.livekit_api_secret} | {entry.key: entry.secret for entry in self.keys}
        return {key: secret.get_secret_value() for key, secret in pairs.items()}
