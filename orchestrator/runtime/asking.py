"""Asking participants whether they answer, and writing down what that tells of those who are only listed."""

import asyncio
from collections.abc import Iterable

import structlog

from orchestrator.core.evidence import unproven
from orchestrator.core.facts import AgentLeft, Fact, PulseAnswered, PulseUnsupported
from orchestrator.core.session import Agent
from orchestrator.runtime.owner import SessionOwner
from orchestrator.runtime.ports import LiveKit, Pulse, PulseReply

log = structlog.get_logger()


class Asker:
    """Questions through LiveKit. A server that knows none of them is asked once.

    `routine` waits for its turn behind everything else that LiveKit is asked for; `urgent` does not.
    """

    def __init__(self, routine: LiveKit, urgent: LiveKit, timeout: float) -> None:
        self.timeout = timeout
        """Seconds that an agent is given to answer."""
        self._routine = routine
        self._urgent = urgent
        self._unsupported = False

    async def ask(self, room: str, identity: str, *, urgent: bool, timeout: float | None = None) -> PulseReply:
        """One question; it never raises for anybody's silence."""
        if self._unsupported:
            return PulseReply(Pulse.UNSUPPORTED, 0.0)
        livekit = self._urgent if urgent else self._routine
        reply = await livekit.pulse(room, identity, timeout=self.timeout if timeout is None else timeout)
        if reply.pulse is Pulse.UNSUPPORTED and not self._unsupported:
            self._unsupported = True
            log.warning("pulse_unsupported", fix="Upgrade livekit-server: this one knows no PerformRpc, so nobody is asked.")
        return reply

    async def ask_the_unproven(self, owner: SessionOwner) -> dict[str, Pulse]:
        """Ask everybody who is listed and wanted; what each said, by participant sid. Raises Superseded."""
        agents = unproven(owner.session)
        replies = await asyncio.gather(*(self.ask(owner.session.room, a.identity, urgent=True) for a in agents))
        facts = [fact for agent, reply in zip(agents, replies, strict=True) if (fact := told(agent, reply))]
        if facts:
            await owner.record(*facts)
        return {agent.participant_sid: reply.pulse for agent, reply in zip(agents, replies, strict=True)}

    async def without_the_living(self, room: str, facts: Iterable[Fact]) -> tuple[Fact, ...]:
        """Facts of a listing, without those that say of an agent which answers that it has left.

        A listing may lack half of a room by mistake. Who cannot be asked for a reason of the server's has not left, either.
        """
        facts = tuple(facts)
        gone = [fact for fact in facts if isinstance(fact, AgentLeft)]
        replies = await asyncio.gather(*(self.ask(room, fact.identity, urgent=True) for fact in gone))
        doubted = {f.participant_sid for f, r in zip(gone, replies, strict=True) if r.pulse in (Pulse.ALIVE, Pulse.UNKNOWN)}
        return tuple(fact for fact in facts if not (isinstance(fact, AgentLeft) and fact.participant_sid in doubted))


def told(agent: Agent, reply: PulseReply) -> Fact | None:
    """What a reply tells of an agent that was only listed; None: nothing yet."""
    if reply.pulse is Pulse.ALIVE:
        return PulseAnswered(agent.identity, reply.rtt_ms)
    return PulseUnsupported(agent.identity) if reply.pulse is Pulse.UNSUPPORTED else None
