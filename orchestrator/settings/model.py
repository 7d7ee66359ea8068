"""Every setting, once: unit, default, reason. One frozen object, passed whole.

A setting is a flag, an environment variable (ROLLCALL_ and its name; LIVEKIT_URL, LIVEKIT_API_KEY, LIVEKIT_API_SECRET
and REDIS_URL without the prefix) or a key of rollcall.yaml; the first of these that has it counts. Secrets may be in
files that variables ending in _FILE name. Durations become seconds, however they are written ("1.5s", "2m", "1h").
"""

import dataclasses
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from orchestrator.configuration.alerts import AlertEntry, AlertPolicyEntry
from orchestrator.configuration.canaries import CanaryEntry
from orchestrator.configuration.credentials import ApiTokens
from orchestrator.configuration.entries import (
    Agent,
    KeyEntry,
    VerifyAt,
    check_url,
    web_url,
)
from orchestrator.configuration.environment import EnvironmentSource, state_home
from orchestrator.configuration.file import FileSource
from orchestrator.configuration.route_entries import RouteEntry
from orchestrator.configuration.routes import compile_routes
from orchestrator.configuration.screen import ScreenEntry
from orchestrator.configuration.token import TokenEntry
from orchestrator.configuration.traces import TraceSettings
from orchestrator.configuration.values import Bytes, PerSecond, Seconds, SomeSeconds
from orchestrator.core.alerts import AlertType
from orchestrator.core.policy import OnLeave, Policy
from orchestrator.core.routing import Routes

_POLICY: Final = Policy()

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - a service in a container is reached from outside of it, or not at all

CLOUD_DEFAULTS: Final = {"pulse_period": "30s", "api_budget": "10/s", "accept_window": "0s"}
"""On *.livekit.cloud, where quotas are small and when a job is listed has not been measured."""

DEVELOPMENT_DEFAULTS: Final = {"host": "127.0.0.1", "drain": "0s"}

FILE_ONLY: Final = frozenset({"agents", "routes", "alerts", "alert_policy", "keys", "token", "screen", "canary"})
"""What is too large for an environment variable."""

_TRUE: Final = frozenset({"true", "t", "yes", "y", "on", "1"})
"""What pydantic takes for true, which must be known before anything else is read."""


def _livekit_url(url: str) -> str:
    return check_url(url, ("ws", "wss", "http", "https"), "wss://livekit.example") if url else url


def _redis_url(url: SecretStr) -> SecretStr:
    check_url(url.get_secret_value(), ("redis", "rediss", "unix"), "redis://redis.example:6379/0")
    return url


def is_cloud(livekit_url: object) -> bool:
    """Whether a URL, which nobody has checked yet, is LiveKit Cloud's, by its host."""
    try:
        return isinstance(livekit_url, str) and (urlsplit(livekit_url).hostname or "").endswith(".livekit.cloud")
    except ValueError:
        return False


class Configuration(TraceSettings):
    """All that may be written in rollcall.yaml."""

    # --- where things are ---
    livekit_url: Annotated[str, AfterValidator(_livekit_url)] = Field("", description="The LiveKit server. Must be set.")
    livekit_api_key: str = Field("", description="Must be set. Webhooks that LiveKit signs with it are accepted.")
    livekit_api_secret: SecretStr = Field(SecretStr(""), description="Must be set, with at least 32 characters.")
    redis_url: Annotated[SecretStr, AfterValidator(_redis_url)] | None = Field(
        None,
        description="Where sessions are kept. Without it an embedded Valkey is started, which is for one machine only.",
    )
    state_dir: Annotated[Path, AfterValidator(Path.expanduser)] = Field(
        default_factory=lambda: state_home() / "rollcall",
        description="Where the embedded Valkey keeps its data. Default: rollcall in the user's XDG state directory.",
    )
    host: str = Field(EVERYWHERE, description="The address to listen on. 127.0.0.1 with dev, which asks nobody for a token.")
    port: int = Field(8080, ge=0, le=65535, description="The port to listen on; 0 takes a free one.")
    public_url: Annotated[str, AfterValidator(web_url)] | None = Field(
        None, description="How people reach this service, for the links in alerts. Default: host and port."
    )
    runbook_url: Annotated[str, AfterValidator(web_url)] | None = Field(
        None,
        description="The page whose anchors explain the causes, for links in alerts and sessions. Default: our own /runbook.",
    )
    api_tokens: ApiTokens = Field(
        (), description="Who may call the API: read:<token>,operate:<token>,mint:<token>,worker:<token>."
    )
    dev: bool = Field(
        default=False,
        description="For one's own machine: no tokens are needed, and the devkey/secret pair is accepted.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Events below it are not written.")
    log_format: Literal["json", "console"] = Field("json", description="JSON lines for programs, console for eyes.")

    drain: Seconds = Field(
        1.0,
        description="From SIGTERM, when the sessions are handed over and readyz answers 503, until nobody is listened to"
        " any more: time for whoever sends webhooks here to notice. 0s with dev.",
    )

    # --- agents, routes, alerts, keys ---
    agents: dict[str, Agent] = Field({}, description="By agent_name. The empty name is nameless dispatch.")
    routes: tuple[RouteEntry, ...] = Field((), description="The first that matches a room wins; all of its agents are placed.")
    alerts: tuple[AlertEntry, ...] = Field((), description="Who is told when a room lacks its agent.")
    alert_policy: dict[AlertType, AlertPolicyEntry] = Field(
        {}, description="How bad each type of alert is, and after how long it is told, where it differs from the default."
    )
    keys: tuple[KeyEntry, ...] = Field((), description="Further API keys whose webhooks are accepted, while keys are rotated.")
    token: TokenEntry = Field(TokenEntry(), description="Who may ask for tokens with which people join rooms, and for which.")

    screen: ScreenEntry = Field(ScreenEntry(), description="Who gets to the screen without logging in by an API token.")
    canary: CanaryEntry | None = Field(
        None, description="How often which agents are tried out in a scratch room. Default: not at all."
    )

    # --- the policy of every agent that does not say otherwise ---
    attempts: int = Field(_POLICY.attempts, ge=1, description="Attempts before the fallbacks, and then a person, are asked.")
    accept_window: Seconds = Field(
        _POLICY.accept_window,
        description="From the call until a job must be listed: the server may need 5 s to learn that a worker exists,"
        " and asks it for 3 s. Off (0s) on LiveKit Cloud, where this is not measured.",
    )
    join_window: SomeSeconds = Field(
        _POLICY.join_window,
        description="From the call until the agent must be there: a worker that took the job must start a process. A"
        " shorter one makes the second agent that it should prevent.",
    )
    deadline: SomeSeconds = Field(_POLICY.deadline, description="From when an agent was wanted until a person must know.")
    verify_at: VerifyAt = Field(
        _POLICY.verify_at,
        description="The proof that counts: joined, answering or ready.",
        json_schema_extra={"default": _POLICY.verify_at.label},
    )
    on_leave: OnLeave = Field(_POLICY.on_leave, description="Whether an agent that leaves while people are there is replaced.")
    goodbye_grace: Seconds = Field(
        _POLICY.goodbye_grace,
        description="From an agent's goodbye until it is replaced: people hang up after one, and nobody is needed.",
    )
    replacements: int = Field(_POLICY.replacements, ge=0, description="Lost agents of one name replaced in one session.")
    keep_trying: Seconds = Field(
        _POLICY.keep_trying,
        description="Between attempts while unverified and people are there: LiveKit does not give an old dispatch to a"
        " worker that registers later. 0s: no more attempts.",
    )
    wait_for_people: bool = Field(
        _POLICY.wait_for_people, description="Whether nothing is dispatched before somebody is there."
    )
    backoff: SomeSeconds = Field(
        _POLICY.backoff, description="The longest wait after the first failed attempt; doubled after each, with full jitter."
    )
    backoff_cap: SomeSeconds = Field(_POLICY.backoff_cap, description="The longest wait between two attempts.")

    # --- webhooks ---
    webhook_body_limit: Bytes = Field(256 * 1024, description="Bytes of a webhook; LiveKit's have a few KiB.")
    webhook_body_timeout: SomeSeconds = Field(
        5.0, description="To send a webhook's body: the web server itself waits for ever."
    )
    webhook_token_lifetime: SomeSeconds = Field(
        360.0, description="From a webhook token's nbf to its exp; LiveKit signs for 5 min."
    )
    webhook_leeway: Seconds = Field(60.0, le=60, description="How far LiveKit's clock and ours may be apart.")
    webhooks_kept: int = Field(
        1_000,
        ge=0,
        le=10_000,
        description="Webhooks that the screen's inbox shows, and a fifth of as many that were refused; without secrets and"
        " the values of metadata. 0: none.",
    )
    late_webhooks: Seconds = Field(
        5.0,
        description="A webhook so old says that LiveKit's queue of that room is behind: attempts look by listing.",
    )
    late_webhooks_look: SomeSeconds = Field(2.0, description="Between those looks.")

    # --- the store ---
    dedupe_memory: SomeSeconds = Field(
        86_400.0, description="How long an event id is remembered: retries may come a day later."
    )
    session_memory: SomeSeconds = Field(86_400.0, description="How long a finished session is kept.")
    transcript_memory: SomeSeconds = Field(
        86_400.0, description="How long a transcript is kept after the last that was said; agents send none unless told to."
    )
    metadata_warning: Bytes = Field(4 * 1024, description="Bytes of a dispatch's metadata above which the check warns.")
    metadata_limit: Bytes = Field(
        64 * 1024, description="Bytes of a dispatch's metadata that are refused; LiveKit takes 512 KiB."
    )

    # --- the pulse ---
    pulse_period: Seconds = Field(
        3.0,
        description="Between two questions to a verified agent: a killed one is noticed in 7 to 10 s, where LiveKit"
        " needs 21 s. A question costs the server about 1 ms of CPU. 30s on LiveKit Cloud. 0s: each is asked only when it"
        " has joined.",
    )
    pulse_timeout: SomeSeconds = Field(1.5, description="For the answer, which takes 2 to 4 ms of a healthy agent.")
    pulse_silences: int = Field(3, ge=1, description="Unanswered questions in a row before an agent may count as silent.")
    pulse_patience: Seconds = Field(
        7.0, description="From the first unanswered question until an agent may count as silent: short freezes pass."
    )

    # --- the reconciler ---
    reconcile_period: Seconds = Field(
        15.0,
        description="Between two comparisons with LiveKit's listings: no webhooks, yet verified in 30 s. 0s: none.",
    )
    reconcile_jitter: float = Field(
        0.2, ge=0, lt=1, description="The part of the period by which it varies, so that replicas spread."
    )
    adopt: Literal["observe", "dispatch"] = Field(
        "observe",
        description="What becomes of rooms that lived before the first start: observe leaves those whose agent does not"
        " answer to an operator, dispatch treats them as all others.",
    )

    # --- pacing: a burst is what LiveKit loses ---
    slots_start: int = Field(4, ge=1, description="Dispatches under way per agent name at first.")
    slots_floor: int = Field(2, ge=1, description="The fewest, however many were lost.")
    slots_ceiling: int = Field(64, ge=1, description="The most, however many joined.")

    # --- the budget of API calls ---
    api_timeout: SomeSeconds = Field(5.0, description="For a call to LiveKit's API; a pulse has its own timeout.")
    api_budget: PerSecond = Field(
        200.0, description="Calls a second of all replicas together. 10/s on LiveKit Cloud, whose quotas are small."
    )

    # --- ownership ---
    lease_ttl: SomeSeconds = Field(10.0, description="A replica that has not renewed for so long is dead; others take over.")
    lease_renewal: SomeSeconds = Field(2.5, description="Between renewals: three may fail.")
    lease_fence: SomeSeconds = Field(
        6.5,
        description="From when the last renewal was sent until a replica stops by itself, before others take over.",
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_place(cls, data: dict[str, Any]) -> dict[str, Any]:
        """On LiveKit Cloud, and for development, some defaults differ."""
        cloud = CLOUD_DEFAULTS if is_cloud(data.get("livekit_url")) else {}
        development = DEVELOPMENT_DEFAULTS if str(data.get("dev")).lower() in _TRUE else {}
        return {**cloud, **development, **data}

    @property
    def default_policy(self) -> Policy:
        """The policy of an agent whose entry says nothing."""
        return Policy(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Policy)})

    @cached_property
    def compiled_routes(self) -> Routes:
        """What the routes come to. Only of a configuration whose findings hold no error."""
        return compile_routes(self.agents, self.routes, self.default_policy)


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
