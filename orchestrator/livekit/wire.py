"""A webhook's JSON, as typed records of only what we use.

It is protobuf JSON: camelCase, 64-bit integers as strings, default values left out, fields and enum values of later
protocols mixed in. The room's `turnPassword` is a secret, and therefore no field here.
"""

from typing import Annotated, Final

import msgspec

from orchestrator.runtime.ports import RollcallError

_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999: a later time is no time, and could not be shown to anybody."""

Seconds = Annotated[int, msgspec.Meta(ge=0, le=_LAST_SECOND)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=_LAST_SECOND * 1000)]
Enum = str | int
"""A name, or the bare number of a value that the server itself had no name for."""


class Malformed(RollcallError):
    """Permanent: the sender signed what is no webhook. The message holds no value of the body."""


class Room(msgspec.Struct, rename="camel", gc=False):
    sid: str = ""
    name: str = ""
    metadata: str = ""
    creation_time: Seconds = 0
    creation_time_ms: Milliseconds = 0


class Participant(msgspec.Struct, rename="camel", gc=False):
    sid: str = ""
    identity: str = ""
    kind: Enum = "STANDARD"
    state: Enum = "JOINING"
    joined_at: Seconds = 0
    joined_at_ms: Milliseconds = 0
    disconnect_reason: Enum = "UNKNOWN_REASON"
    attributes: dict[str, str] = {}


class JobState(msgspec.Struct, rename="camel", gc=False):
    status: Enum = "JS_PENDING"
    error: str = ""
    participant_identity: str = ""


class Job(msgspec.Struct, rename="camel", gc=False):
    id: str = ""
    dispatch_id: str = ""
    agent_name: str = ""
    attributes: dict[str, str] = {}
    state: JobState | None = None


class Webhook(msgspec.Struct, rename="camel", gc=False):
    event: str = ""
    id: str = ""
    created_at: Seconds = 0
    room: Room | None = None
    participant: Participant | None = None
    job: Job | None = None


_WEBHOOK: Final = msgspec.json.Decoder(Webhook, strict=False)
"""Not strict: integers may be strings."""


def decode(body: bytes) -> Webhook:
    """Raises Malformed for whatever is no JSON object of this shape."""
    try:
        return _WEBHOOK.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(str(error)) from error
