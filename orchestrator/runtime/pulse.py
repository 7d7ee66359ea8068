"""The pulse: whether the agent that LiveKit lists still answers.

Each verified agent is asked right after it joined and then every few seconds. Whatever it answers is life; its silence,
if it lasts, is the end of it, long before LiveKit notices. Everything that the server says for itself (503, 429, an error
of its own, nothing at all) is unknown, and starts the count anew: silence of LiveKit is never taken for an agent's.
"""

from dataclasses import dataclass
from typing import Final

from orchestrator.core.causes import Cause
from orchestrator.core.evidence import unproven
from orchestrator.core.facts import AgentSilent, PulseAnswered
from orchestrator.core.session import Agent
from orchestrator.core.silence import Silence, lost_with_its_node
from orchestrator.runtime.asking import Asker
from orchestrator.runtime.looking import Looker, LookFailed, RoomGone
from orchestrator.runtime.owner import SessionOwner, Superseded
from orchestrator.runtime.ports import Clock, Pulse, PulseReply, Randomness

_ASK_AGAIN: Final = 1.0
"""Seconds before an agent that has not answered yet is asked again: one that is still JOINING cannot."""

_ASK_REMNANT: Final = 10.0
"""Seconds before those who are listed are asked again when nobody was there: what a dead node left never answers."""

_MOST_DOUBLINGS: Final = 4
"""Of the pause, while LiveKit says that nobody is there and does not say why: it may say so of all agents."""

_JITTER: Final = 0.2
"""The part of the period by which a question may come sooner. Never later: that would notice a death later."""

_SHORTEST_QUESTION: Final = 0.5
"""Seconds that an agent is given to answer at the least."""

_WRITTEN_PER_SECOND: Final = 20.0
"""About how many answers a replica writes into records per second: a record is more than an answer is worth."""

_WRITTEN_WITHIN: Final = 30.0
"""Seconds within which an agent's answer is written down, however many agents there are."""


_SMOOTHING: Final = 0.05
"""The weight of one agent's interval in what is shown of all."""


@dataclass(frozen=True, slots=True)
class PulseTimes:
    """Seconds, and unanswered questions in a row."""

    period: float = 3.0
    """0: an agent is asked until it has answered once, and never again."""
    silences: int = 3
    patience: float = 7.0


class PulseKeeper:
    """Keeps asking the agents of this replica's sessions. Its methods end by themselves and raise nothing."""

    def __init__(self, asker: Asker, looker: Looker, clock: Clock, randomness: Randomness, times: PulseTimes) -> None:
        self._asker = asker
        self._looker = looker
        self._clock = clock
        self._randomness = randomness
        self._times = times
        self._agents = 0
        self.interval = times.period
        """Seconds between two answers of one agent, lately: more than the period when the budget is short."""

    async def keep(self, owner: SessionOwner, name: str, identity: str) -> None:
        """Ask the agent that serves a placement, for as long as it does."""
        self._agents += 1
        try:
            try:
                await self._keep(owner, name, identity)
            except RoomGone:
                await self._looker.finish_if_gone(owner)
        except Superseded:
            return
        finally:
            self._agents -= 1

    async def _keep(self, owner: SessionOwner, name: str, identity: str) -> None:
        silence: Silence | None = None
        pause: float | None = 0.0
        answered_at: float | None = None
        absent = 0
        while agent := await self._still_serves(owner, name, identity, pause):
            reply = await self._question(owner, agent, silence)
            silence = self._counted(silence, reply)
            absent = absent + 1 if reply.pulse is Pulse.NOT_THERE else 0
            match reply.pulse:
                case Pulse.ALIVE:
                    answered_at = self._note_interval(answered_at)
                    await self._write_down(owner, agent, reply)
                    pause = self._next_pause()
                case Pulse.SILENT:
                    pause = max(_SHORTEST_QUESTION - reply.rtt_ms / 1000, 0.0)
                    if silence and self._lasts(silence) and not await self._declare_silent(owner, agent, silence):
                        silence, pause = None, self._next_pause()
                case Pulse.NOT_THERE:
                    pause = min(_ASK_AGAIN * 2 ** min(absent - 1, _MOST_DOUBLINGS), _ASK_REMNANT)
                    await self._see_whether_its_node_is_gone(owner, agent)
                case Pulse.UNKNOWN:
                    pause = self._next_pause() if agent.answered_at else _ASK_AGAIN
                case Pulse.UNSUPPORTED:
                    pause = None

    async def prove(self, owner: SessionOwner) -> None:
        """Ask those who are listed and wanted until they have answered: a listing alone is no proof."""
        try:
            while waiting := {agent.participant_sid for agent in unproven(owner.session)}:
                replies = await self._asker.ask_the_unproven(owner)
                nobody = all(pulse is Pulse.NOT_THERE for pulse in replies.values())
                await owner.until(
                    lambda s, waiting=waiting: {a.participant_sid for a in unproven(s)} != waiting,  # type: ignore[misc]
                    timeout=_ASK_REMNANT if nobody else _ASK_AGAIN,
                )
        except Superseded:
            return

    async def _still_serves(self, owner: SessionOwner, name: str, identity: str, pause: float | None) -> Agent | None:
        """The agent, after a pause, and not before somebody is there to miss it; None as soon as it serves no more.

        Without a pause nobody asks any more: it is only waited for its end.
        """
        if await owner.until(lambda s: not s.serves(name, identity), timeout=pause):
            return None
        await owner.until(lambda s: not s.serves(name, identity) or not s.empty)
        return owner.session.present_agent(identity) if owner.session.serves(name, identity) else None

    async def _question(self, owner: SessionOwner, agent: Agent, silence: Silence | None) -> PulseReply:
        asked_at, timeout = self._clock.monotonic(), self._asker.timeout
        if silence is not None:  # the last question ends when patience does
            left = silence.asked_at + self._times.patience - asked_at
            timeout = min(timeout, max(left, _SHORTEST_QUESTION))
        urgent = silence is not None or agent.answered_at is None
        return await self._asker.ask(owner.session.room, agent.identity, urgent=urgent, timeout=timeout)

    def _counted(self, silence: Silence | None, reply: PulseReply) -> Silence | None:
        if reply.pulse is not Pulse.SILENT:
            return None
        # The question may have waited for its turn: it was sent its own round trip ago.
        return silence.goes_on() if silence else Silence(self._clock.monotonic() - reply.rtt_ms / 1000)

    def _lasts(self, silence: Silence) -> bool:
        now = self._clock.monotonic()
        return silence.lasts(now, questions=self._times.silences, patience=self._times.patience)

    async def _declare_silent(self, owner: SessionOwner, agent: Agent, silence: Silence) -> bool:
        """After a look, which must have been answered; whether its placement has lost the agent."""
        if agent.answered_at is None and agent.key is None:
            return False  # it is believed as far as its webhook goes: it may be one that cannot answer. Our package can
        since = self._clock.now() - (self._clock.monotonic() - silence.asked_at)
        try:
            await self._looker.look(owner)
        except LookFailed:
            return False
        await owner.record(AgentSilent(agent.participant_sid, since, Cause.SILENT))
        return True

    async def _see_whether_its_node_is_gone(self, owner: SessionOwner, agent: Agent) -> None:
        since = self._clock.now()
        try:
            look = await self._looker.look(owner)
        except LookFailed:
            look = None  # undecided, unless the room was started again
        if lost_with_its_node(owner.session, agent, look):
            await owner.record(AgentSilent(agent.participant_sid, since, Cause.NODE_LOST))

    def _note_interval(self, answered_at: float | None) -> float:
        now = self._clock.monotonic()
        if answered_at is not None:
            self.interval += _SMOOTHING * (now - answered_at - self.interval)
        return now

    async def _write_down(self, owner: SessionOwner, agent: Agent, reply: PulseReply) -> None:
        """Not every answer: but the first, and so many that on-call sees the pulse beat."""
        now = self._clock.now()
        every = min(max(self._times.period, self._agents / _WRITTEN_PER_SECOND), _WRITTEN_WITHIN)
        if agent.answered_at is None or now - agent.answered_at >= every * (1 - _JITTER):
            await owner.record(PulseAnswered(agent.identity, reply.rtt_ms))

    def _next_pause(self) -> float | None:
        period = self._times.period
        return period * (1 - _JITTER * self._randomness.fraction()) if period > 0 else None
