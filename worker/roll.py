"""How an agent answers the roll: by our key in its attributes, by the pulse, and by saying that it can serve."""

from __future__ import annotations

from collections.abc import Mapping

from livekit import rtc

from orchestrator.contract import (
    ATTEMPT_ATTRIBUTE,
    ATTEMPT_ID_ATTRIBUTE,
    PLACEMENT_ATTRIBUTE,
    PULSE_METHOD,
    READY_ATTRIBUTE,
    RESERVED_KEY,
    SESSION_ATTRIBUTE,
)
from worker.context import parse_object

PRESENT = "here"
"""What the pulse is answered with. Any answer is life; this one is for people who look at the wire."""

_KEY_ATTRIBUTES = (SESSION_ATTRIBUTE, PLACEMENT_ATTRIBUTE, ATTEMPT_ATTRIBUTE, ATTEMPT_ID_ATTRIBUTE)


def key_of(attributes: Mapping[str, str], metadata: str) -> dict[str, str]:
    """Our key of a dispatch, as attributes for the agent; empty when the dispatch is not ours.

    Servers before 1.13.2 drop a dispatch's attributes, which is why the metadata carries the key a second time.
    """
    carried = {name: attributes[name] for name in _KEY_ATTRIBUTES if name in attributes}
    return carried or _key_in(metadata)


def _key_in(metadata: str) -> dict[str, str]:
    fields = parse_object(metadata)
    key = fields.get(RESERVED_KEY) if isinstance(fields, dict) else None
    if not isinstance(key, dict):
        return {}
    named = {name: key.get(name.removeprefix(f"{RESERVED_KEY}.")) for name in _KEY_ATTRIBUTES}
    return {name: str(value) for name, value in named.items() if isinstance(value, str | int)}


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
