"""How an agent answers the roll: what the dispatch told it of us, and the pulse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from livekit import rtc

from orchestrator.contract import (
    ATTEMPT_ATTRIBUTE,
    ATTEMPT_ID_ATTRIBUTE,
    INSTEAD_OF,
    PLACEMENT_ATTRIBUTE,
    PULSE_METHOD,
    READY_ATTRIBUTE,
    RESERVED_KEY,
    SESSION_ATTRIBUTE,
    TRACEPARENT,
)
from worker.context import Json, parse_object

PRESENT = "here"
"""What the pulse is answered with. Any answer is life; this one is for people who look at the wire."""

_KEY_ATTRIBUTES = (SESSION_ATTRIBUTE, PLACEMENT_ATTRIBUTE, ATTEMPT_ATTRIBUTE, ATTEMPT_ID_ATTRIBUTE)


@dataclass(frozen=True, slots=True)
class Resumed:
    """The attempt whose agent was lost, and whose work this agent takes up."""

    attempt: int
    cause: str
    """One of Rollcall's causes, such as `left` or `silent`; empty where none is told."""
    identity: str
    """Of the agent that was lost; empty where none is told."""


@dataclass(frozen=True, slots=True)
class InsteadOf:
    """The agent that this one takes over from, and which is still in the room."""

    agent_name: str
    identity: str


def key_of(attributes: Mapping[str, str], metadata: str) -> dict[str, str]:
    """Our key of a dispatch, as attributes for the agent; empty when the dispatch is not ours.

    Servers before 1.13.2 drop a dispatch's attributes, which is why the metadata carries the key a second time.
    """
    carried = {name: attributes[name] for name in _KEY_ATTRIBUTES if name in attributes}
    return carried or _key_in(metadata)


def resumed_in(metadata: str) -> Resumed | None:
    """What the agent resumes, as its job's metadata tells; None when it begins anew."""
    told = _reserved(metadata).get("resumes")
    if not isinstance(told, dict) or not isinstance(attempt := told.get("attempt"), int):
        return None
    return Resumed(attempt, _text(told.get("cause")), _text(told.get("identity")))


def instead_of_in(metadata: str) -> InsteadOf | None:
    """Whom the agent takes over from, as its job's metadata tells; None when it takes over from nobody."""
    told = _reserved(metadata).get(INSTEAD_OF)
    if not isinstance(told, dict) or not (identity := _text(told.get("identity"))):
        return None
    return InsteadOf(_text(told.get("agent_name")), identity)


def traceparent_in(metadata: str) -> str:
    """The span of the attempt that brought the agent, as its job's metadata tells; empty where there are no traces."""
    return _text(_reserved(metadata).get(TRACEPARENT))


def answer_pulse(room: rtc.Room) -> None:
    """Answer from this event loop: an agent whose loop is stuck is then silent, as it is to its people.

    Without the method LiveKit's native client would go on answering "not supported" for an agent that can do nothing.
    """

    async def answer(_: rtc.RpcInvocationData) -> str:
        return PRESENT

    room.local_participant.register_rpc_method(PULSE_METHOD, answer)


async def report_ready(room: rtc.Room) -> None:
    """Tell whoever looks that this agent can serve now."""
    await room.local_participant.set_attributes({READY_ATTRIBUTE: "true"})


def _key_in(metadata: str) -> dict[str, str]:
    key = _reserved(metadata)
    named = {name: key.get(name.removeprefix(f"{RESERVED_KEY}.")) for name in _KEY_ATTRIBUTES}
    return {name: str(value) for name, value in named.items() if isinstance(value, str | int)}


def _reserved(metadata: str) -> dict[str, Json]:
    fields = parse_object(metadata)
    reserved = fields.get(RESERVED_KEY) if isinstance(fields, dict) else None
    return reserved if isinstance(reserved, dict) else {}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
