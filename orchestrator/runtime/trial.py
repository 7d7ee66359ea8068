"""A trial: an agent is dispatched by name into a scratch room, must be there in time, and must answer.

Doctor makes it from outside, the service's canaries from inside. Only listings and questions are evidence, so that it needs no
webhook; and LiveKit's silence is none of the agent's.
"""

from collections.abc import Callable
from typing import Final

from orchestrator.core import canary
from orchestrator.core.belonging import same_name
from orchestrator.core.canary import Subject, Tried
from orchestrator.core.fleet import NameState
from orchestrator.core.listing import ListedParticipant, ListedRoom
from orchestrator.core.proof import Key
from orchestrator.runtime.ports import Clock, LiveKit, LiveKitRejectedRequest, Pulse, PulseReply

_EARLY: Final = 2.0
"""Seconds after the dispatch in which a healthy agent comes: then one looks more often, since the time is measured."""

_LOOK_EARLY: Final = 0.1
_LOOK: Final = 0.5
_LOOK_ON_CLOUD: Final = 1.0
"""Seconds between two listings; on LiveKit Cloud calls are counted."""

_QUESTIONS: Final = 3
"""To an agent of which LiveKit cannot say at once whether it answers: its data channel opens a moment after it joined."""

_ASK_AGAIN: Final = 0.25


class Trials:
    """Each in a room that the caller has made, and deletes. `announced`: what workers of a name say of themselves."""

    def __init__(
        self, livekit: LiveKit, clock: Clock, announced: Callable[[str], NameState], *, pulse_timeout: float, cloud: bool
    ) -> None:
        self._livekit = livekit
        self._clock = clock
        self._announced = announced
        self._pulse_timeout = pulse_timeout
        self._cloud = cloud

    async def make(self, subject: Subject, room: ListedRoom, attempt_id: str) -> Tried:
        """Over when the agent answers, or why it did not come is known. Raises LiveKitError, of which nothing follows."""
        key = Key(session=room.sid, placement=subject.agent_name, attempt=1, attempt_id=attempt_id)
        began = self._clock.monotonic()
        try:
            dispatch_id = await self._livekit.create_dispatch(room.name, subject.candidate(room.name, key), key)
        except LiveKitRejectedRequest:
            return canary.refused(subject.agent_name)
        return await self._watch(subject, room.name, dispatch_id, began)

    async def _watch(self, subject: Subject, room: str, dispatch_id: str, began: float) -> Tried:
        window = subject.policy.join_window
        judge_at = min(subject.first_judged_after, window)
        while True:
            # Before the look: a call may have waited for the budget, and who came meanwhile has come in time.
            waited = self._clock.monotonic() - began
            agent = await self._agent(subject.agent_name, room)
            if agent is not None:
                return await self._asked(room, agent.identity, began)
            if waited >= judge_at:
                dispatches = await self._livekit.dispatches(room)
                announced = self._announced(subject.agent_name)
                tried = canary.missing(subject, dispatch_id, dispatches, announced, min(waited, window))
                if tried is not None:
                    return tried
                judge_at = window
            await self._clock.sleep(max(min(self._every(waited), judge_at - waited), 0.0))

    def _every(self, waited: float) -> float:
        if self._cloud:
            return _LOOK_ON_CLOUD
        return _LOOK_EARLY if waited < _EARLY else _LOOK

    async def _agent(self, agent_name: str, room: str) -> ListedParticipant | None:
        participants = await self._livekit.participants(room)
        return next((p for p in participants if p.is_agent and p.active and same_name(agent_name, p.agent_name)), None)

    async def _asked(self, room: str, identity: str, began: float) -> Tried:
        joined = self._clock.monotonic() - began
        reply = await self._ask(room, identity)
        match reply.pulse:
            case Pulse.ALIVE:
                return canary.answering(joined, self._clock.monotonic() - began, reply.rtt_ms)
            case Pulse.UNSUPPORTED:
                return canary.cannot_be_asked(joined)
            case Pulse.UNKNOWN:
                return canary.undecided(joined)
            case Pulse.SILENT:
                return canary.silent(joined)
            case Pulse.NOT_THERE:
                # Also what is said of everybody whose node is gone.
                listed = any(p.identity == identity and p.active for p in await self._livekit.participants(room))
                return canary.undecided(joined) if listed else canary.gone(joined)

    async def _ask(self, room: str, identity: str) -> PulseReply:
        for _ in range(_QUESTIONS - 1):
            reply = await self._livekit.pulse(room, identity, timeout=self._pulse_timeout)
            if reply.pulse is not Pulse.UNKNOWN:
                return reply
            await self._clock.sleep(_ASK_AGAIN)
        return await self._livekit.pulse(room, identity, timeout=self._pulse_timeout)
