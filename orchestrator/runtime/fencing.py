"""No LiveKit write after the self-fence: a replica whose lease may have lapsed must not act for sessions it may have lost."""

from collections.abc import Callable, Sequence

from orchestrator.core.facts import CandidateSpec
from orchestrator.core.listing import ListedDispatch, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key
from orchestrator.runtime.owner import Superseded
from orchestrator.runtime.ports import LiveKit, PulseReply


class FencedLiveKit:
    """LiveKit's API, whose writes raise Superseded once the fence is down. Reading does no harm and goes through."""

    def __init__(self, livekit: LiveKit, fenced: Callable[[], bool]) -> None:
        self._livekit = livekit
        self._fenced = fenced

    async def room(self, name: str) -> ListedRoom | None:
        return await self._livekit.room(name)

    async def rooms(self) -> tuple[ListedRoom, ...]:
        return await self._livekit.rooms()

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]:
        return await self._livekit.participants(room)

    async def dispatches(self, room: str) -> tuple[ListedDispatch, ...]:
        return await self._livekit.dispatches(room)

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        return await self._livekit.pulse(room, identity, timeout=timeout)

    async def create_dispatch(self, room: str, agent: CandidateSpec, key: Key) -> str:
        self._check()
        return await self._livekit.create_dispatch(room, agent, key)

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        self._check()
        await self._livekit.delete_dispatch(room, dispatch_id)

    async def remove_participant(self, room: str, identity: str) -> None:
        self._check()
        await self._livekit.remove_participant(room, identity)

    async def create_room(self, name: str, *, metadata: str, agents: Sequence[CandidateSpec]) -> ListedRoom:
        self._check()
        return await self._livekit.create_room(name, metadata=metadata, agents=agents)

    async def update_room_metadata(self, name: str, metadata: str) -> ListedRoom:
        self._check()
        return await self._livekit.update_room_metadata(name, metadata)

    async def delete_room(self, room: str) -> None:
        self._check()
        await self._livekit.delete_room(room)

    def _check(self) -> None:
        if self._fenced():
            raise Superseded("the lease may have lapsed")
