"""What a client of LiveKit's standard token endpoint sends: six fields, all optional, in snake_case or camelCase, or null."""

import difflib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import AfterValidator, Field, ValidationError

from orchestrator.contract import RESERVED_KEY
from orchestrator.web.problems import problem
from orchestrator.web.requests import Body, Refused, malformed, read_bytes

BODY_BYTES: Final = 128 * 1024

LONGEST_NAME: Final = 256
"""Bytes of a room's name, an identity and a name: what livekit-server takes by default."""

LARGEST_METADATA: Final = 16 * 1024
"""Bytes of a room's metadata. Every participant is sent it."""

LARGEST_PARTICIPANT: Final = 4 * 1024
"""Bytes of a participant's metadata, and of its attributes together: they travel in the token, which travels in a URL."""

LARGEST_AGENT_METADATA: Final = 64 * 1024
MOST_AGENTS: Final = 8
MOST_ATTRIBUTES: Final = 64

RESERVED_PREFIXES: Final = ("lk.", f"{RESERVED_KEY}.")
"""Attributes that LiveKit or Rollcall set, and believe."""

_OF_THE_ROOM: Final = (
    "name",
    "empty_timeout",
    "departure_timeout",
    "max_participants",
    "egress",
    "min_playout_delay",
    "max_playout_delay",
    "sync_streams",
    "tags",
)
"""Fields of LiveKit's RoomConfiguration that are not for callers to set."""

_OF_AN_AGENT: Final = ("restart_policy",)


# --- the model ------------------------------------------------------------------------------------------------------


def _bounded(limit: int) -> AfterValidator:
    def check(text: str) -> str:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise ValueError("it holds half of a character") from None
        if size > limit:
            raise ValueError(f"it has {size} bytes, and {limit} are allowed")
        return text

    return AfterValidator(check)


def _printable(name: str) -> str:
    if not all(character.isprintable() for character in name):
        raise ValueError("it holds a character that cannot be shown")
    return name


def _attributes(attributes: dict[str, str]) -> dict[str, str]:
    size = sum(len(f"{name}{value}".encode("utf-8", "surrogatepass")) for name, value in attributes.items())
    if size > LARGEST_PARTICIPANT:
        raise ValueError(f"they have {size} bytes together, and {LARGEST_PARTICIPANT} are allowed")
    return attributes


Name = Annotated[str, Field(max_length=LONGEST_NAME), _bounded(LONGEST_NAME), AfterValidator(_printable)]
Text = Annotated[str, Field(max_length=LARGEST_PARTICIPANT), _bounded(LARGEST_PARTICIPANT)]
Attributes = Annotated[
    dict[Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), _bounded(LONGEST_NAME)], Text],
    Field(max_length=MOST_ATTRIBUTES),
    AfterValidator(_attributes),
]


class AskedAgent(Body):
    """An agent that the room is to have, beside those of its route."""

    agent_name: Annotated[str, Field(max_length=LONGEST_NAME), _bounded(LONGEST_NAME)] | None = None
    """One of those that are configured; absent: the agent without a name."""
    metadata: Annotated[str, Field(max_length=LARGEST_AGENT_METADATA), _bounded(LARGEST_AGENT_METADATA)] | None = None
    """The job's metadata; text that is no JSON object arrives under the key `metadata`."""
    deployment: Name | None = None
    attributes: Attributes | None = None
    """Of the dispatch."""


class RoomConfig(Body):
    """What callers may say of the room. The other fields of LiveKit's RoomConfiguration are refused."""

    metadata: Annotated[str, Field(max_length=LARGEST_METADATA), _bounded(LARGEST_METADATA)] | None = None
    """The room has it before the answer, also when it existed before; absent: it keeps what it has."""
    agents: Annotated[tuple[AskedAgent, ...], Field(max_length=MOST_AGENTS)] | None = None


class TokenRequest(Body):
    """LiveKit's TokenSourceRequest. Field names may be in camelCase, too; null is as good as absent."""

    room_name: Name | None = None
    """Absent: a new name."""
    participant_identity: Name | None = None
    """Absent: a new one; of a caller with a JWT, its own."""
    participant_name: Name | None = None
    participant_metadata: Text | None = None
    participant_attributes: Attributes | None = None
    """None may begin with `lk.` or `rollcall.`."""
    room_config: RoomConfig | None = None


# --- reading --------------------------------------------------------------------------------------------------------


async def read_token_request(request: web.Request) -> TokenRequest:
    """The request's body; an empty one asks for nothing in particular. Raises Refused."""
    if request.can_read_body and request.content_type != "application/json":
        # Any page could send text/plain without asking first.
        raise Refused(problem(415, "Unsupported Media Type", "Send JSON, with Content-Type: application/json."))
    return parse(await read_bytes(request, at_most=BODY_BYTES))


def parse(body: bytes) -> TokenRequest:
    """Raises Refused."""
    try:
        sent = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        raise Refused(problem(400, "Bad Request", "The body is not JSON.")) from None
    if not isinstance(sent, dict):
        raise Refused(problem(400, "Bad Request", "The body is JSON, but no object."))
    fields = _snake_case(sent, TokenRequest, "")
    config = fields.get("room_config")
    if isinstance(config, dict):
        config = _snake_case(config, RoomConfig, "room_config.", refused=_OF_THE_ROOM)
        agents = config.get("agents")
        if isinstance(agents, list):
            config["agents"] = [
                _snake_case(agent, AskedAgent, f"room_config.agents.{index}.", refused=_OF_AN_AGENT)
                if isinstance(agent, dict)
                else agent
                for index, agent in enumerate(agents)
            ]
        fields["room_config"] = config
    try:
        return TokenRequest.model_validate(fields)
    except ValidationError as error:
        raise Refused(malformed(error)) from error


def refuse_reserved(attributes: Mapping[str, str] | None, field: str) -> None:
    """Raises Refused for attributes that others believe to come from LiveKit or from Rollcall."""
    for name in attributes or {}:
        if name.startswith(RESERVED_PREFIXES):
            shown = " or ".join(RESERVED_PREFIXES)
            detail = f"{field}: callers may not set attributes that begin with {shown}."
            raise Refused(problem(403, "Forbidden", detail, field=field))


def _snake_case(sent: Mapping[str, Any], model: type[Body], path: str, *, refused: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields by their names in snake_case, without those that are null. Raises Refused for all others."""
    spelled = {spelling: name for name in (*model.model_fields, *refused) for spelling in (name, _camel_case(name))}
    unknown = [name for name in sent if name not in spelled]
    if unknown:
        raise Refused(_unknown(unknown, list(model.model_fields), path))
    fields: dict[str, Any] = {}
    for spelling, value in sent.items():
        name = spelled[spelling]
        if name in refused and value:  # what a protobuf field is when nobody has set it says nothing
            detail = f"{path}{spelling}: callers may not set this."
            raise Refused(problem(403, "Forbidden", detail, field=f"{path}{spelling}"))
        if name in fields:
            raise Refused(problem(400, "Bad Request", f"{path}{name} is there twice, in two spellings.", field=f"{path}{name}"))
        if value is not None and name not in refused:
            fields[name] = value
    return fields


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)


def _unknown(names: list[str], known: list[str], path: str) -> web.Response:
    shown = [_shown(f"{path}{name}") for name in names[:5]]
    spelled = known if names[0].islower() else [_camel_case(name) for name in known]
    near = difflib.get_close_matches(names[0], spelled, n=1)
    hint = f' Did you mean "{near[0]}"?' if near else f" Known are {', '.join(known)}."
    return problem(400, "Bad Request", f"Unknown: {', '.join(shown)}.{hint}", fields=shown)


def _shown(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
