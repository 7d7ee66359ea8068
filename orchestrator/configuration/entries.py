"""What rollcall.yaml holds besides settings: agents and keys, each entry checked by itself.

Routes are in `route_entries`, alerts in `alerts`, the token block in `token`. What entries say about each other is checked
in `checks`.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from orchestrator.configuration.document import DEEPEST
from orchestrator.configuration.problems import Location
from orchestrator.configuration.values import Seconds, SomeSeconds
from orchestrator.contract import RESERVED_KEY
from orchestrator.core.policy import OnLeave
from orchestrator.core.proof import Proof
from orchestrator.core.templates import TemplateError, parts_of

SHORTEST_SECRET: Final = 32
"""Characters of a LiveKit API secret: HS256 wants 256 bits, and livekit-server refuses to start with fewer."""

_VERIFYING: Final = {proof.label: proof for proof in (Proof.JOINED, Proof.ANSWERING, Proof.READY)}


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


# --- types ----------------------------------------------------------------------------------------------------------


def _verify_at(value: Any) -> Any:
    if isinstance(value, Proof):
        return value
    if not isinstance(value, str) or value not in _VERIFYING:
        raise PydanticCustomError("verify_at", "it must be joined, answering or ready: anything less proves nothing")
    return _VERIFYING[value]


VerifyAt = Annotated[Proof, BeforeValidator(_verify_at), WithJsonSchema({"enum": list(_VERIFYING)})]


def _metadata(value: dict[str, Any]) -> dict[str, Any]:
    if RESERVED_KEY in value:
        message = "the key is reserved for what Rollcall itself tells the worker. Choose another name"
        raise PydanticCustomError("metadata", message, {"at": (RESERVED_KEY,)})
    for location, part in _walk(value, ()):
        if len(location) > DEEPEST:
            raise PydanticCustomError("metadata", "it is nested too deeply. Flatten it", {"at": location[:3]})
        _check_json(location, part)
    return value


def _walk(value: Any, location: Location) -> Iterator[tuple[Location, Any]]:
    yield location, value
    if len(location) > DEEPEST:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, (*location, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, (*location, index))


def _check_json(location: Location, value: Any) -> None:
    match value:
        case str():
            try:
                value.encode()
                parts_of(value)
            except UnicodeEncodeError:
                raise PydanticCustomError("metadata", "it holds half of a character", {"at": location}) from None
            except TemplateError as error:
                raise PydanticCustomError("metadata", "{error}", {"at": location, "error": str(error)}) from None
        case float() if not math.isfinite(value):
            raise PydanticCustomError("metadata", "JSON has no such number. Write it in quotes", {"at": location})
        case None | bool() | int() | float() | list() | dict():
            pass
        case _:
            raise PydanticCustomError("metadata", "JSON has no such value. Write it in quotes", {"at": location})


Metadata = Annotated[dict[str, Any], AfterValidator(_metadata)]
"""A JSON object whose strings may hold `{part}` of the room's name."""


def check_secret(secret: SecretStr) -> SecretStr:
    """Refuse a LiveKit API secret that is too short to be one."""
    length = len(secret.get_secret_value())
    if length < SHORTEST_SECRET:
        raise PydanticCustomError(
            "secret",
            "the secret has {length} characters, and needs at least {least}. Make one with `openssl rand -hex 32`",
            {"length": length, "least": SHORTEST_SECRET},
        )
    return secret


def check_url(url: str, schemes: tuple[str, ...], example: str) -> str:
    """Refuse what is no URL of one of these schemes. The message leaves the URL out: it may hold a password."""
    if not _is_url(url, schemes):
        raise PydanticCustomError("url", "it is no URL of this kind. Write it like {example}", {"example": example})
    return url


def web_url(url: str) -> str:
    """Of HTTP, without a slash at its end."""
    return check_url(url, ("http", "https"), "https://rollcall.example").rstrip("/")


def _is_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and parts.port != 0 and bool(parts.hostname or parts.scheme == "unix")
    except ValueError:
        return False


# --- agents ---------------------------------------------------------------------------------------------------------


class PolicyEntry(Entry):
    """How hard an agent is tried. What is left out is as the settings of the same names say."""

    attempts: int | None = Field(default=None, ge=1)
    accept_window: Seconds | None = None
    join_window: SomeSeconds | None = None
    deadline: SomeSeconds | None = None
    verify_at: VerifyAt | None = None
    on_leave: OnLeave | None = None
    goodbye_grace: Seconds | None = None
    replacements: int | None = Field(default=None, ge=0)
    keep_trying: Seconds | None = None
    wait_for_people: bool | None = None
    backoff: SomeSeconds | None = None
    backoff_cap: SomeSeconds | None = None


class AgentEntry(Entry):
    """An agent, by the agent_name under which its workers register."""

    metadata: Metadata = {}
    """What it is told as job metadata; strings may hold {room} and what the route's pattern binds."""
    policy: PolicyEntry = Field(default_factory=PolicyEntry)
    fallback: tuple[str, ...] = ()
    """Agents that serve instead, in this order, when this one's attempts or deadline have run out."""


def _agent(value: Any) -> Any:
    return {} if value is None else value


Agent = Annotated[AgentEntry, BeforeValidator(_agent, json_schema_input_type=AgentEntry | None)]
"""`tom:` with nothing behind it is an agent with nothing special."""


# --- keys ----------------------------------------------------------------------------------------------------------------


class KeyEntry(Entry):
    """A further API key whose webhooks are accepted, while keys are rotated."""

    key: str = Field(min_length=1)
    """The API key, as LiveKit has it."""
    secret: Annotated[SecretStr, AfterValidator(check_secret)]
    """Its secret, of at least 32 characters."""
