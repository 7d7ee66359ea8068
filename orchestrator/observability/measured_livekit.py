"""LiveKit's API with a stopwatch: every call by method, outcome and duration."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from orchestrator.core.facts import CandidateSpec
from orchestrator.core.listing import ListedDispatch, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key
from orchestrator.observability.metrics import Metrics
from orchestrator.runtime.ports import (
    Clock,
    LiveKit,
    LiveKitError,
    LiveKitRejectedCredentials,
    LiveKitRejectedRequest,
    LiveKitUnavailable,
    NotFound,
    PulseReply,
)

_OUTCOMES: Final[dict[type[LiveKitError], str]] = {
    LiveKitUnavailable: "unavailable",
    LiveKitRejectedCredentials: "rejected_credentials",
    LiveKitRejectedRequest: "rejected_request",
    NotFound: "not_found",
}


class MeasuredLiveKit:
    """Passes every call on to another LiveKit, and measures it."""

    def __init__(self, livekit: LiveKit, metrics: Metrics, clock: Clock) -> None:
        self._livekit = livekit
        self._metrics = metrics
        self._clock = clock

    async def room(self, name: str) -> ListedRoom | None:
        with self._measured("room"):
            return await self._livekit.room(name)

    async def rooms(self) -> tuple[ListedRoom, ...]:
        with self._measured("rooms"):
            return await self._livekit.rooms()

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]:
        with self._measured("participants"):
            return await self._livekit.participants(room)

    async def dispatches(self, room: str) -> tuple[ListedDispatch, ...]:
        with self._measured("dispatches"):
            return await self._livekit.dispatches(room)

    async def create_dispatch(self, room: str, agent: CandidateSpec, key: Key) -> str:
        with self._measured("create_dispatch"):
            return await self._livekit.create_dispatch(room, agent, key)

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        with self._measured("delete_dispatch"):
            await self._livekit.delete_dispatch(room, dispatch_id)

    async def remove_participant(self, room: str, identity: str) -> None:
        with self._measured("remove_participant"):
            await self._livekit.remove_participant(room, identity)

    async def create_room(self, name: str, *, metadata: str, agents: Sequence[CandidateSpec]) -> ListedRoom:
        with self._measured("create_room"):
            return await self._livekit.create_room(name, metadata=metadata, agents=agents)

    async def update_room_metadata(self, name: str, metadata: str) -> ListedRoom:
        with self._measured("update_room_metadata"):
            return await self._livekit.update_room_metadata(name, metadata)

    async def delete_room(self, room: str) -> None:
        with self._measured("delete_room"):
            await self._livekit.delete_room(room)

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        """A pulse raises nothing: its outcome is what it told."""
        begun = self._clock.monotonic()
        reply = await self._livekit.pulse(room, identity, timeout=timeout)
        self._observe("pulse", reply.pulse.value, begun)
        return reply

    @contextmanager
    def _measured(self, method: str) -> Iterator[None]:
        begun = self._clock.monotonic()
        try:
            yield
        except LiveKitError as error:
            self._observe(method, _OUTCOMES.get(type(error), "error"), begun)
            raise
        self._observe(method, "ok", begun)

    def _observe(self, method: str, outcome: str, begun: float) -> None:
        self._metrics.livekit_calls.labels(method, outcome).observe(self._clock.monotonic() - begun)
