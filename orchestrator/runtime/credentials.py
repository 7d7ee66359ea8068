"""When LiveKit refuses our key: one alert, no hot retry, and on as soon as it takes the key again.

While it is refused nothing is sent but one question every few seconds. Whoever calls gets the refusal at once, and waits.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import structlog

from orchestrator.core import causes
from orchestrator.core.alerts import AlertType
from orchestrator.core.causes import Cause
from orchestrator.core.facts import CandidateSpec
from orchestrator.core.listing import ListedDispatch, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key
from orchestrator.runtime.answering import Answering
from orchestrator.runtime.ports import (
    Clock,
    LiveKit,
    LiveKitError,
    LiveKitRejectedCredentials,
    Pulse,
    PulseReply,
    StoreUnavailable,
)
from orchestrator.runtime.standing import Standing

log = structlog.get_logger()

T = TypeVar("T")

ALERT: Final = AlertType.LIVEKIT_REJECTED_CREDENTIALS

_PROBE_PERIOD: Final = 5.0
_STORE_RETRY: Final = 1.0

_PROBED: Final = "rollcall-probe"
"""The name of a room that need not exist: one is asked for it to see whether the key is taken."""


class CredentialGate:
    """Open while LiveKit takes our key."""

    def __init__(self, livekit: LiveKit, standing: Standing, clock: Clock, on_open: Callable[[], None]) -> None:
        """`livekit` is asked to see whether the key works; `on_open` is told when it does again."""
        self._livekit = livekit
        self._standing = standing
        self._clock = clock
        self._on_open = on_open
        self.open = True
        self.answering = Answering(clock)

    def refused(self) -> None:
        """LiveKit has answered 401 or 403."""
        if self.open:
            self.open = False
            log.error("livekit_refuses_the_key", fix=causes.fix(Cause.LIVEKIT_REJECTED_CREDENTIALS, ""))

    async def run(self) -> None:
        """For ever: tell when the key is refused, ask again, and tell when it works."""
        told: bool | None = None
        while True:
            if not self.open or told is None:
                await self._probe()
            if told != self.open and await self._told():
                told = self.open
            await self._clock.sleep(_PROBE_PERIOD if told is self.open else _STORE_RETRY)

    async def _probe(self) -> None:
        try:
            await self._livekit.room(_PROBED)
        except LiveKitRejectedCredentials:
            self.refused()
        except LiveKitError:
            return  # it did not say
        else:
            if not self.open:
                self.open = True
                self._on_open()

    async def _told(self) -> bool:
        cause = Cause.LIVEKIT_REJECTED_CREDENTIALS
        try:
            if self.open:
                await self._standing.resolve(ALERT, "LiveKit takes our API key again.")
            else:
                await self._standing.fire(ALERT, causes.sentence(cause, ""), causes.fix(cause, ""))
        except StoreUnavailable:
            return False
        return True


class GatedLiveKit:
    """LiveKit's API, which is not called while it refuses our key."""

    def __init__(self, livekit: LiveKit, gate: CredentialGate) -> None:
        self._livekit = livekit
        self._gate = gate

    async def rooms(self) -> tuple[ListedRoom, ...]:
        with self._gate.answering.listening():
            return await self._call(self._livekit.rooms)

    async def room(self, name: str) -> ListedRoom | None:
        with self._gate.answering.listening():
            return await self._call(lambda: self._livekit.room(name))

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]:
        return await self._call(lambda: self._livekit.participants(room))

    async def dispatches(self, room: str) -> tuple[ListedDispatch, ...]:
        return await self._call(lambda: self._livekit.dispatches(room))

    async def create_dispatch(self, room: str, agent: CandidateSpec, key: Key) -> str:
        return await self._call(lambda: self._livekit.create_dispatch(room, agent, key))

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        await self._call(lambda: self._livekit.delete_dispatch(room, dispatch_id))

    async def remove_participant(self, room: str, identity: str) -> None:
        await self._call(lambda: self._livekit.remove_participant(room, identity))

    async def create_room(self, name: str, *, metadata: str, agents: Sequence[CandidateSpec]) -> ListedRoom:
        return await self._call(lambda: self._livekit.create_room(name, metadata=metadata, agents=agents))

    async def update_room_metadata(self, name: str, metadata: str) -> ListedRoom:
        return await self._call(lambda: self._livekit.update_room_metadata(name, metadata))

    async def delete_room(self, room: str) -> None:
        await self._call(lambda: self._livekit.delete_room(room))

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        if not self._gate.open:
            return PulseReply(Pulse.UNKNOWN, 0.0)
        return await self._livekit.pulse(room, identity, timeout=timeout)

    async def _call(self, call: Callable[[], Awaitable[T]]) -> T:
        if not self._gate.open:
            raise LiveKitRejectedCredentials("LiveKit refuses our API key")
        try:
            return await call()
        except LiveKitRejectedCredentials:
            self._gate.refused()
            raise
