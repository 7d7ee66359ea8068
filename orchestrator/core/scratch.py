"""Rooms in which something is tried out for a moment: no route wants an agent in them."""

import json
from typing import Final

from orchestrator import contract
from orchestrator.core.session import Session

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


def hidden(session: Session) -> bool:
    """Whether no list shows it: one in which nobody is wanted is of interest only to those who know its name.

    Into some an agent was sent all the same, through Rollcall, for a burst: those are sessions as any other.
    """
    return is_scratch(session.room) and not session.placements
