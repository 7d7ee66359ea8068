"""How many calls to LiveKit's API per second, and whose call goes first when they do not suffice.

Dispatching is what Rollcall is for; a pulse can wait. So when calls are short, canaries slow down first, then pulses, then
the reconciler, then looks; within one purpose, who came first goes first. A 429 halves what the three first may spend.

An allowance is this process's own: of several replicas, each is given its share of the project's budget (`shares`).
"""

import asyncio
from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from orchestrator.core.facts import CandidateSpec
from orchestrator.core.listing import ListedDispatch, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key
from orchestrator.runtime.ports import Clock, LiveKit, PulseReply
from orchestrator.runtime.tasks import Tasks


class Purpose(IntEnum):
    """What a call is for. The smaller number goes first."""

    DISPATCH = 0
    LOOK = 1
    RECONCILE = 2
    PULSE = 3
    CANARY = 4
    """A trial of an agent that nobody waits for."""


_BACKGROUND: Final = (Purpose.RECONCILE, Purpose.PULSE, Purpose.CANARY)
"""What slows down when LiveKit says that there are too many calls."""

RECOVERY: Final = 30.0
"""Seconds without a 429 after which the background's rate doubles again."""

_ALREADY_UNDER_WAY: Final = 1.0
"""Seconds after a 429 in which further ones tell nothing new: their calls were sent before the rate was cut."""

_MOST_HALVINGS: Final = 5
"""At a 32nd of the budget agents are still asked, now and then: stopping altogether would hide that they are gone."""

_LONGEST_SLEEP: Final = 0.25
"""Seconds. A share may be small, and the rate be raised while a call waits for it."""

_SHORTEST_SLEEP: Final = 0.0001
"""Seconds. What rounding leaves of a token may be less than a clock can tell: to sleep for that is to spin."""

_ROUNDING: Final = 1e-6
"""Tokens that count as none: what is missing is slept for, and may be rounded away from the clock's next reading."""


class TokenBucket:
    """So many turns per second, at most one second's worth at once; waiters are served by purpose, then in order."""

    def __init__(self, name: str, rate: float, clock: Clock, tasks: Tasks) -> None:
        self._name = name
        self._rate = rate
        self._clock = clock
        self._tasks = tasks
        self._tokens = self._capacity
        self._filled_at = clock.monotonic()
        self._lines: dict[Purpose, dict[asyncio.Future[None], None]] = {purpose: {} for purpose in Purpose}
        self._serving = False

    async def take(self, purpose: Purpose) -> None:
        """Wait for a turn."""
        if not any(self._lines[other] for other in Purpose if other <= purpose) and self._missing() <= 0:
            self._tokens -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line = self._lines[purpose]
        line[turn] = None
        if not self._serving:
            self._serving = True
            self._tasks.spawn(self._name, self._serve())
        try:
            await turn
        finally:
            line.pop(turn, None)

    def waiting(self, purpose: Purpose) -> int:
        return len(self._lines[purpose])

    def change_rate(self, rate: float) -> None:
        self._missing()  # what has come in so far came in at the old rate
        self._rate = rate
        self._tokens = min(self._tokens, self._capacity)

    @property
    def _capacity(self) -> float:
        return max(self._rate, 1.0)

    def _missing(self) -> float:
        """The part of a token that the next turn still lacks; 0 or less: none."""
        now = self._clock.monotonic()
        self._tokens = min(self._tokens + (now - self._filled_at) * self._rate, self._capacity)
        self._filled_at = now
        return 1.0 - _ROUNDING - self._tokens

    async def _serve(self) -> None:
        """Give turns for as long as somebody waits."""
        try:
            while line := next((line for line in self._lines.values() if line), None):
                if (missing := self._missing()) > 0:
                    await self._clock.sleep(min(max(missing / self._rate, _SHORTEST_SLEEP), _LONGEST_SLEEP))
                    continue  # somebody with a better purpose may have come meanwhile
                turn = next(iter(line))
                del line[turn]
                if not turn.done():  # cancelled, and not yet gone from its line
                    turn.set_result(None)
                    self._tokens -= 1
        finally:
            self._serving = False


class Allowance:
    """The calls per second that one process may make to LiveKit's API, whoever makes them."""

    def __init__(self, per_second: float, clock: Clock, tasks: Tasks) -> None:
        self._per_second = per_second
        self._clock = clock
        self._all = TokenBucket("budget", per_second, clock, tasks)
        self._background = TokenBucket("budget:background", per_second, clock, tasks)
        self._halvings = 0
        self._throttled_at = float("-inf")
        self._taken = 0

    @property
    def per_second(self) -> float:
        """Calls that may be made in all."""
        return self._per_second

    @property
    def taken(self) -> int:
        """How many calls have been made so far."""
        return self._taken

    def change_rate(self, per_second: float) -> None:
        """Allow so many from now on, to those that wait already too."""
        self._per_second = per_second
        self._all.change_rate(per_second)
        self._background.change_rate(self.background_rate)

    async def take(self, purpose: Purpose) -> None:
        """Wait until one call for this purpose may be made."""
        if purpose in _BACKGROUND:
            self._background.change_rate(self.background_rate)
            await self._background.take(purpose)
        await self._all.take(purpose)
        self._taken += 1

    def throttled(self) -> None:
        """LiveKit answered 429."""
        now = self._clock.monotonic()
        if now - self._throttled_at >= _ALREADY_UNDER_WAY:
            self._halvings = min(self._halvings_at(now) + 1, _MOST_HALVINGS)
            self._throttled_at = now
            self._background.change_rate(self.background_rate)

    @property
    def background_rate(self) -> float:
        """Calls per second that reconciler, pulse and canaries may make at most."""
        return self._per_second * 0.5 ** self._halvings_at(self._clock.monotonic())

    def waiting(self, purpose: Purpose) -> int:
        """How many calls wait for their turn, for metrics."""
        return self._all.waiting(purpose) + self._background.waiting(purpose)

    def _halvings_at(self, now: float) -> int:
        if not self._halvings:
            return 0
        return max(self._halvings - int((now - self._throttled_at) / RECOVERY), 0)


class Budget:
    """LiveKit's API within an allowance. What is fenced must be fenced behind it: a call may wait here for long.

    `listings` is what the user of this object lists for: LOOK, unless it is the reconciler; `questions` what it asks
    agents for: PULSE, unless a verification waits for the answer; `making` what it makes rooms and dispatches for. What
    removes or deletes is never put off.
    """

    def __init__(
        self,
        livekit: LiveKit,
        allowance: Allowance,
        *,
        listings: Purpose = Purpose.LOOK,
        questions: Purpose = Purpose.PULSE,
        making: Purpose = Purpose.DISPATCH,
    ) -> None:
        self._livekit = livekit
        self._allowance = allowance
        self._listings = listings
        self._questions = questions
        self._making = making

    async def room(self, name: str) -> ListedRoom | None:
        await self._allowance.take(self._listings)
        return await self._livekit.room(name)

    async def rooms(self) -> tuple[ListedRoom, ...]:
        await self._allowance.take(Purpose.RECONCILE)  # only the reconciler compares all rooms
        return await self._livekit.rooms()

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]:
        await self._allowance.take(self._listings)
        return await self._livekit.participants(room)

    async def dispatches(self, room: str) -> tuple[ListedDispatch, ...]:
        await self._allowance.take(self._listings)
        return await self._livekit.dispatches(room)

    async def create_dispatch(self, room: str, agent: CandidateSpec, key: Key) -> str:
        await self._allowance.take(self._making)
        return await self._livekit.create_dispatch(room, agent, key)

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        await self._allowance.take(Purpose.DISPATCH)
        await self._livekit.delete_dispatch(room, dispatch_id)

    async def remove_participant(self, room: str, identity: str) -> None:
        await self._allowance.take(Purpose.DISPATCH)
        await self._livekit.remove_participant(room, identity)

    async def create_room(self, name: str, *, metadata: str, agents: Sequence[CandidateSpec]) -> ListedRoom:
        await self._allowance.take(self._making)
        return await self._livekit.create_room(name, metadata=metadata, agents=agents)

    async def update_room_metadata(self, name: str, metadata: str) -> ListedRoom:
        await self._allowance.take(self._making)
        return await self._livekit.update_room_metadata(name, metadata)

    async def delete_room(self, room: str) -> None:
        await self._allowance.take(Purpose.DISPATCH)
        await self._livekit.delete_room(room)

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        await self._allowance.take(self._questions)
        return await self._livekit.pulse(room, identity, timeout=timeout)
