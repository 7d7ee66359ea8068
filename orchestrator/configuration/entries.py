"""What rollcall.yaml holds besides settings: agents, routes, alerts and keys, each entry checked by itself.

What entries say about each other is checked in `checks`.
"""

import base64
import binascii
import math
from collections.abc import Callable, Iterator
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
    model_validator,
)
from pydantic_core import PydanticCustomError

from orchestrator.configuration.document import DEEPEST
from orchestrator.configuration.problems import Location
from orchestrator.configuration.values import Seconds, SomeSeconds
from orchestrator.contract import RESERVED_KEY
from orchestrator.core.patterns import PatternError, glob, regex
from orchestrator.core.policy import OnLeave
from orchestrator.core.proof import Proof
from orchestrator.core.templates import TemplateError, parts_of

SHORTEST_SECRET: Final = 32
"""Characters of a LiveKit API secret: HS256 wants 256 bits, and livekit-server refuses to start with fewer."""

_SHORTEST_WEBHOOK_SECRET: Final = 24
"""Bytes, as the Standard Webhooks specification says."""

_VERIFYING: Final = {proof.label: proof for proof in (Proof.JOINED, Proof.ANSWERING, Proof.READY)}


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


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


def _room_metadata(value: dict[str, Any]) -> dict[str, Any]:
    for path, wanted in value.items():
        if not isinstance(wanted, None | bool | int | float | str) or (isinstance(wanted, float) and not math.isfinite(wanted)):
            message = "it must be text, a number, true, false or null. Write a field of a nested object as {example}"
            raise PydanticCustomError("room_metadata", message, {"at": (path,), "example": f'"{path}.field": value'})
    return value


RoomMetadata = Annotated[
    dict[str, Any],
    Field(min_length=1),
    AfterValidator(_room_metadata),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        }
    ),
]
"""Fields of the room's JSON metadata, nested ones by a dotted path, and the values that they must have."""


def _pattern(compile_pattern: Callable[[str], object]) -> AfterValidator:
    def check(value: str) -> str:
        try:
            compile_pattern(value)
        except PatternError as error:
            raise PydanticCustomError("pattern", "{error}", {"error": str(error)}) from None
        return value

    return AfterValidator(check)


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


def _check_webhook_secret(secret: SecretStr) -> SecretStr:
    prefix, _, encoded = secret.get_secret_value().partition("_")
    try:
        strong = prefix == "whsec" and len(base64.b64decode(encoded, validate=True)) >= _SHORTEST_WEBHOOK_SECRET
    except binascii.Error:
        strong = False
    if not strong:
        message = "the secret must be whsec_ and the base64 of at least {least} bytes, as `openssl rand -base64 32` makes it"
        raise PydanticCustomError("webhook_secret", message, {"least": _SHORTEST_WEBHOOK_SECRET})
    return secret


def check_url(url: str, schemes: tuple[str, ...], example: str) -> str:
    """Refuse what is no URL of one of these schemes. The message leaves the URL out: it may hold a password."""
    if not _is_url(url, schemes):
        raise PydanticCustomError("url", "it is no URL of this kind. Write it like {example}", {"example": example})
    return url


def _is_url(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and parts.port != 0 and bool(parts.hostname or parts.scheme == "unix")
    except ValueError:
        return False


def _check_sink(url: str) -> str:
    return check_url(url, ("http", "https"), "https://alerts.example/hook")


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
    policy: PolicyEntry = Field(default_factory=PolicyEntry)
    fallback: tuple[str, ...] = ()
    """Agents that serve instead, in this order, when this one's attempts or deadline have run out."""


def _agent(value: Any) -> Any:
    return {} if value is None else value


Agent = Annotated[AgentEntry, BeforeValidator(_agent, json_schema_input_type=AgentEntry | None)]
"""`tom:` with nothing behind it is an agent with nothing special."""


# --- routes ---------------------------------------------------------------------------------------------------------


class RouteAgentEntry(Entry):
    """One agent of a route; or several of which one is to serve, chosen by what their workers announce."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": ["agent"]}, {"required": ["any"]}],
            "dependentRequired": {"capabilities": ["any"], "region": ["any"]},
        }
    )

    agent: str | None = None
    any: Annotated[tuple[str, ...], Field(min_length=1)] | None = None
    """Agents of which one serves: one whose workers have all capabilities, are in the region and have room; of those who
    do alike, and where nothing is announced, the one that is written first. The others are its fallbacks, in that order;
    the fallbacks of each agent alone are not added."""
    capabilities: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """What a worker must have announced that it can do; only with `any`."""
    region: str = ""
    """Where a worker should have announced that it is; only with `any`."""
    metadata: Metadata = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The agents that the entry itself names."""
        return self.any if self.any is not None else () if self.agent is None else (self.agent,)

    @model_validator(mode="after")
    def _one_or_any(self) -> "RouteAgentEntry":
        if self.agent is None and self.any is None:
            raise PydanticCustomError("route_agent", "it names no agent. Write {example}", {"example": "agent: mary"})
        if self.agent is not None and self.any is not None:
            message = "it has both agent and any. Keep one of them"
            raise PydanticCustomError("route_agent", message, {"at": ("any",)})
        for condition in ("capabilities", "region"):
            if self.any is None and getattr(self, condition):
                message = "it chooses between several, and there is one. Write {example}"
                context = {"at": (condition,), "example": "any: [mary, tom]"}
                raise PydanticCustomError("route_agent", message, context)
        return self


def _route_agent(value: Any) -> Any:
    return {"agent": value} if isinstance(value, str) else value


RouteAgent = Annotated[RouteAgentEntry, BeforeValidator(_route_agent, json_schema_input_type=str | RouteAgentEntry)]
"""A name alone, or a name with metadata."""


class RouteEntry(Entry):
    """Which rooms, and which agents they should have."""

    room: Annotated[str, _pattern(glob)] | None = None
    room_regex: Annotated[str, _pattern(regex)] | None = None
    room_metadata: RoomMetadata | None = None
    agents: tuple[RouteAgent, ...]
    metadata: Metadata = {}
    priority: int = Field(0, ge=-100, le=100)

    @model_validator(mode="after")
    def _one_pattern(self) -> "RouteEntry":
        if self.room is not None and self.room_regex is not None:
            raise PydanticCustomError("pattern", "it has both room and room_regex. Keep one of them", {"at": ("room_regex",)})
        return self


# --- alerts and keys ------------------------------------------------------------------------------------------------


class WebhookEntry(Entry):
    """Where alerts are posted to, signed as Standard Webhooks says."""

    url: Annotated[str, AfterValidator(_check_sink)]
    secret: Annotated[SecretStr, AfterValidator(_check_webhook_secret)]


class AlertEntry(Entry):
    webhook: WebhookEntry


class KeyEntry(Entry):
    """A further API key whose webhooks are accepted, while keys are rotated."""

    key: str = Field(min_length=1)
    secret: Annotated[SecretStr, AfterValidator(check_secret)]
