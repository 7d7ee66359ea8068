"""Rooms in which something is tried out for a moment: no route wants an agent in them, and no list of sessions shows them."""

import json
from typing import Final

from orchestrator import contract

METADATA: Final = json.dumps({contract.RESERVED_KEY: {"scratch": True}}, separators=(",", ":"))
"""Of such a room. By it whoever meets one, or is dispatched into it, knows what it is."""

SCRATCH_ROUTE: Final = "a scratch room"
"""What stands in the place of a route's label in the session of such a room."""


def name_of(unique: str) -> str:
    """The room's name. `unique`: of chance, so that no two trials share a room."""
    return contract.SCRATCH_PREFIX + unique


def is_scratch(room: str) -> bool:
    """By its name: an agent that joins when its room is gone opens it anew, and then without metadata."""
    return room.startswith(contract.SCRATCH_PREFIX)
