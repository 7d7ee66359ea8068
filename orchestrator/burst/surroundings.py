"""Where a burst takes place: the LiveKit server of the environment, and what it may do there."""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_core import PydanticCustomError

from orchestrator.client.errors import CommandFailed
from orchestrator.configuration.entries import check_secret, check_url
from orchestrator.configuration.environment import variable
from orchestrator.configuration.problems import ConfigurationError
from orchestrator.exits import ExitCode
from orchestrator.settings import Settings
from orchestrator.settings.surroundings import is_cloud


@dataclass(frozen=True, slots=True)
class Server:
    """A LiveKit server with the pair that its API takes."""

    url: str
    key: str
    secret: SecretStr

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def cloud(self) -> bool:
        return is_cloud(self.url)

    @property
    def on_this_machine(self) -> bool:
        try:
            return self.host == "localhost" or ip_address(self.host).is_loopback
        except ValueError:
            return False


def server() -> Server:
    """What LIVEKIT_URL, LIVEKIT_API_KEY and LIVEKIT_API_SECRET say. Raises CommandFailed, which names all that is missing."""
    environment = Settings.environment_source()
    names = ("livekit_url", "livekit_api_key", "livekit_api_secret")
    try:
        url, key, secret = (environment.value(name) or "" for name in names)
    except ConfigurationError as error:
        raise CommandFailed(ExitCode.USAGE, " ".join(map(str, error.problems))) from None
    missing = [variable(name) for name, value in zip(names, (url, key, secret), strict=True) if not value]
    if missing:
        fix = "A burst makes and removes rooms, and looks into them, with LiveKit's own API: set what `rollcall serve` has."
        raise CommandFailed(ExitCode.USAGE, f"{' and '.join(missing)} must be set.", fix)
    try:
        check_url(url, ("ws", "wss", "http", "https"), "wss://livekit.example")
    except PydanticCustomError as error:
        raise CommandFailed(ExitCode.USAGE, f"LIVEKIT_URL: {error.message()}.") from None
    try:
        return Server(url, key, check_secret(SecretStr(secret)))
    except PydanticCustomError as error:
        raise CommandFailed(ExitCode.USAGE, f"LIVEKIT_API_SECRET: {error.message()}.") from None
