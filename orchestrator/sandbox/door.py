"""The way of every call into the server and out again, and what may happen to it on the way."""

import random
from collections.abc import Callable
from types import TracebackType
from typing import Final, TypeVar

from orchestrator.runtime.ports import Clock
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.model import ApiError
from orchestrator.sandbox.timing import Timing

T = TypeVar("T")

_REFUSALS: Final = (
    (429, "resource_exhausted", "too many requests"),
    (500, "internal", "twirp error unknown: internal error"),
    (503, "unknown", ""),  # a proxy's in front of LiveKit, which knows no codes of LiveKit's
)


class Door:
    """Lets calls in while the server is up. `boot` counts its lives: a call that one has begun, no other one answers."""

    def __init__(self, clock: Clock, chance: random.Random, timing: Timing, faults: Callable[[], Faults]) -> None:
        self.boot = 0
        self._up = True
        self._clock = clock
        self._chance = chance
        self._timing = timing
        self._faults = faults

    # --- the server ---------------------------------------------------------------------------------------------------

    def shut(self) -> None:
        """The server is killed."""
        self._up = False
        self.boot += 1

    def open(self) -> None:
        self._up = True

    def must_be_up(self) -> None:
        """Raises ApiError 0 while nobody is there to take a connection."""
        if not self._up:
            raise ApiError(0, message="the server is down")

    # --- calls --------------------------------------------------------------------------------------------------------

    def call(self) -> "Call":
        """Around what a call does: it is reached, or not, and its answer gets back, or not."""
        return Call(self)

    async def arrives(self) -> None:
        self.must_be_up()
        faults = self._faults()
        await self._clock.sleep(self._timing.travel + faults.slow_api)
        self.must_be_up()
        if self._strikes(faults.api_hang):
            await self._hang()
        if faults.rejects_credentials:
            raise ApiError(401, "unknown")
        if self._strikes(faults.api_error):
            raise ApiError(*self._chance.choice(_REFUSALS))

    async def returns(self, boot: int) -> None:
        if self._strikes(self._faults().lost_reply):
            await self._hang()
        await self._clock.sleep(self._timing.travel)
        if self.boot != boot:
            raise ApiError(0, message="the server was killed")

    async def _hang(self) -> None:
        await self._clock.sleep(self._timing.hang)
        raise ApiError(0, message="the connection was lost")

    # --- within a call ------------------------------------------------------------------------------------------------

    def listed(self, items: list[T]) -> list[T]:
        """What a listing shows of these."""
        faults = self._faults()
        if self._strikes(faults.empty_listing):
            return []
        if self._strikes(faults.partial_listing):
            return [item for item in items if self._strikes(0.5)]
        return items

    async def nobody_answers(self) -> ApiError:
        """What LiveKit says when nobody on its message bus takes a question: a missing room's, a dead node's."""
        await self._clock.sleep(self._timing.no_response)
        return ApiError(503, "unavailable", "twirp error unknown: no response from servers")

    async def takes_pulse(self) -> None:
        """Raises what a server says that cannot ask its participants."""
        faults = self._faults()
        if faults.no_perform_rpc:
            raise ApiError(404, "bad_route", 'no handler for path "/twirp/livekit.RoomService/PerformRpc"')
        if faults.pulse_unavailable:
            raise await self.nobody_answers()
        if faults.pulse_slow:
            await self._clock.sleep(faults.pulse_slow)

    def _strikes(self, probability: float) -> bool:
        return self._chance.random() < probability


class Call:
    """One call, between its arrival and its answer. A refusal is an answer, too."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._boot = door.boot

    async def __aenter__(self) -> None:
        await self._door.arrives()
        self._boot = self._door.boot

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is None or isinstance(error, ApiError):
            await self._door.returns(self._boot)
