"""Tokens with which people join a room."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.facts import CandidateSpec


@dataclass(frozen=True, slots=True)
class Entrant:
    """Somebody who is to join one room, as others there will know them."""

    room: str
    identity: str
    name: str = ""
    metadata: str = ""
    attributes: tuple[tuple[str, str], ...] = ()


class Minter(Protocol):
    def mint(self, entrant: Entrant, *, room_metadata: str = "", agents: Sequence[CandidateSpec] = ()) -> str:
        """A token for this person and this room, with the rights of a participant and no others.

        Metadata and agents count only if the room is gone by the time of the joining, which then makes it anew.
        """
        ...
