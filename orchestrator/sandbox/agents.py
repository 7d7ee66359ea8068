"""One agent: the process of one job, and the participant that it is."""

import math
from collections.abc import Callable

from orchestrator import contract
from orchestrator.runtime.ports import Clock
from orchestrator.sandbox.model import Job, Participant
from orchestrator.sandbox.rooms import OpenRoom, Rooms
from orchestrator.sandbox.timing import Timing
from orchestrator.sandbox.webhooks import Spawn


class SandboxAgent:
    """A job's process: starting, in its room, or ended. `ended` is called once, when it is over."""

    def __init__(
        self,
        job: Job,
        rooms: Rooms,
        clock: Clock,
        spawn: Spawn,
        timing: Timing,
        *,
        knows_pulse: bool,
        ended: Callable[["SandboxAgent"], None],
    ) -> None:
        self.job = job
        self.knows_pulse = knows_pulse
        """Whether it has registered Rollcall's method."""
        self.alive = True
        """Whether its process exists; one that is frozen does."""
        self._rooms = rooms
        self._clock = clock
        self._spawn = spawn
        self._timing = timing
        self._ended = ended
        self._place: tuple[OpenRoom, str] | None = None
        self._silent_since = math.inf
        self._silent_until = -math.inf

    def __repr__(self) -> str:
        return f"<SandboxAgent {self.identity} in {self.room}>"

    @property
    def identity(self) -> str:
        return self.job.participant_identity

    @property
    def agent_name(self) -> str:
        return self.job.agent_name

    @property
    def room(self) -> str:
        return self.job.room

    @property
    def in_room(self) -> bool:
        return self._place is not None

    @property
    def answers(self) -> bool:
        """Whether a question would get an answer now."""
        return self.silent_for == 0

    @property
    def silent_for(self) -> float:
        """Seconds until it answers again: 0 when it answers, infinite when it never will."""
        return max(0.0, self._silent_until - self._clock.monotonic())

    # --- what befalls it ----------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """As kill -9 does: the process is gone, the participant stays until LiveKit notices."""
        if self.alive:
            self._end()
            self._fall_silent(math.inf)

    def freeze(self, seconds: float | None) -> None:
        """Stop the process, network and all, for so long; None: for good."""
        if self.alive:
            self._fall_silent(math.inf if seconds is None else seconds)

    def leave(self, reason: str = "CLIENT_INITIATED") -> None:
        """The process ends in order and says goodbye."""
        self._end()
        if self._place:
            room, sid = self._place
            self._rooms.remove(room, sid, reason)

    def declare_done(self) -> None:
        """Say that its leaving will be no loss."""
        self._amend(contract.DONE_ATTRIBUTE)

    def set_ready(self) -> None:
        """Say that it can serve."""
        self._amend(contract.READY_ATTRIBUTE)

    # --- what the server sees of it -----------------------------------------------------------------------------------

    def entered(self, room: OpenRoom, participant: Participant) -> None:
        self._place = room, participant.sid

    def removed(self) -> None:
        """Its participant is out, for whatever reason; without one the process ends."""
        self._place = None
        self._end()

    def terminated(self) -> None:
        """The room's server wants it to leave: it needs a while, and one that does not react is removed."""
        if self._place:
            self._spawn(f"terminate {self.identity}", self._terminate(*self._place))

    # --- within -------------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        if self.alive:
            self.alive = False
            self._ended(self)

    def _amend(self, attribute: str) -> None:
        if self._place:
            room, sid = self._place
            self._rooms.amend(room, sid, attribute, "true")

    def _fall_silent(self, seconds: float) -> None:
        now = self._clock.monotonic()
        if self.answers:
            self._silent_since = now
        self._silent_until = max(self._silent_until, now + seconds)
        dropped_at = self._silent_since + self._timing.dead
        if self._place and self._silent_until >= dropped_at:
            self._spawn(f"drop {self.identity}", self._drop(*self._place, dropped_at - now))

    async def _drop(self, room: OpenRoom, sid: str, delay: float) -> None:
        """LiveKit loses a participant of which it has heard nothing for so long."""
        await self._clock.sleep(delay)
        self._rooms.remove(room, sid, "CONNECTION_TIMEOUT")

    async def _terminate(self, room: OpenRoom, sid: str) -> None:
        await self._clock.sleep(self._timing.terminate)
        if self.answers:
            await self._clock.sleep(self._timing.goodbye - self._timing.terminate)
        if self.answers and self._place == (room, sid):
            self.leave()
        else:
            self._rooms.remove(room, sid, "PARTICIPANT_REMOVED")
