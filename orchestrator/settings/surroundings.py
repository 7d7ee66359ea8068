"""Where the service stands: what it talks to, where it listens, and how it is found."""

from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from orchestrator.configuration.credentials import ApiTokens
from orchestrator.configuration.entries import Entry, check_url, web_url
from orchestrator.configuration.environment import state_home
from orchestrator.configuration.values import Seconds

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - a service in a container is reached from outside of it, or not at all


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


class Surroundings(Entry):
    """A part of `Configuration`."""

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
