"""LiveKit's API."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from orchestrator.core.facts import CandidateSpec
from orchestrator.core.listing import ListedDispatch, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key


class Pulse(StrEnum):
    """What one question to a participant tells."""

    ALIVE = "alive"
    SILENT = "silent"
    NOT_THERE = "not_there"
    """503: no such participant, no such room, or a node that is gone."""
    UNKNOWN = "unknown"
    UNSUPPORTED = "unsupported"
    """This server knows no PerformRpc."""


@dataclass(frozen=True, slots=True)
class PulseReply:
    pulse: Pulse
    rtt_ms: float


class LiveKit(Protocol):
    """LiveKit's API. Every method raises a LiveKitError; none is repeated inside."""

    async def room(self, name: str) -> ListedRoom | None:
        """The live room of this name. None: a complete answer that lacks it."""
        ...

    async def rooms(self) -> tuple[ListedRoom, ...]:
        """Every live room: a complete answer or an error."""
        ...

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]: ...

    async def dispatches(self, room: str) -> tuple[ListedDispatch, ...]:
        """Hangs for 3 s and raises LiveKitUnavailable when the room does not exist: ask for the room first."""
        ...

    async def create_dispatch(self, room: str, agent: CandidateSpec, key: Key) -> str:
        """One call, never repeated by the SDK; the dispatch id. After LiveKitUnavailable it may have been executed.

        `agent.metadata` is the job's, with the key already in it.
        """
        ...

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        """Raises NotFound when it is already gone."""
        ...

    async def remove_participant(self, room: str, identity: str) -> None:
        """Raises NotFound when it is already gone."""
        ...

    async def create_room(self, name: str, *, metadata: str, agents: Sequence[CandidateSpec]) -> ListedRoom:
        """The room of this name as it is afterwards. Of one that exists, metadata and agents stay as they are, in silence."""
        ...

    async def update_room_metadata(self, name: str, metadata: str) -> ListedRoom:
        """Raises NotFound when there is no such room."""
        ...

    async def delete_room(self, room: str) -> None: ...

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        """Ask a participant whether it answers; never raises for the participant's or the server's silence."""
        ...
