"""After an agent was verified: is it alone, is nothing of ours left that could still bring a second one."""

from typing import Final

import structlog

from orchestrator.core.belonging import evictions
from orchestrator.core.causes import Cause
from orchestrator.core.duplicates import SETTLED_AFTER, judge, surplus_dispatches
from orchestrator.core.facts import (
    AgentDismissed,
    AgentReplaced,
    AgentRetired,
    AgentSilent,
    AttemptEnded,
    ForeignAgentServes,
    Source,
    StrangerSeen,
)
from orchestrator.core.listing import Look
from orchestrator.core.placement import Attempt, Placement, PlacementState
from orchestrator.core.proof import Proof
from orchestrator.core.relief import SHOWN_AFTER
from orchestrator.core.session import Agent, Session
from orchestrator.core.silence import lost_with_its_node
from orchestrator.runtime.asking import Asker, told
from orchestrator.runtime.attempt import AttemptRunner
from orchestrator.runtime.looking import Looker, LookFailed, RoomGone
from orchestrator.runtime.owner import SessionOwner, Superseded
from orchestrator.runtime.ports import Clock, Pulse

log = structlog.get_logger()

SECOND_LOOK: Final = 10.0
"""Seconds after verification when a create that was ambiguous and came late must have shown itself."""

SEEN_TO: Final = 60.0
"""Seconds after verification in which a replica that died may have left that undone."""

_LEAVING: Final = 5.0
"""Seconds that a removed agent's `left` may take before it is removed again."""

_LONGEST_PAUSE: Final = 60.0
"""Seconds between two tries to remove an agent when LiveKit cannot."""


class Aftercare:
    """What follows a verification. Each method ends by itself and raises nothing but Superseded inside.

    One look that does not find the room is not its end: that is the session's to tell.
    """

    def __init__(self, looker: Looker, unhurried: Looker, asker: Asker, attempts: AttemptRunner, clock: Clock) -> None:
        """`unhurried` looks after those that are verified: behind every look that somebody waits for."""
        self._asker = asker
        self._looker = looker
        self._unhurried = unhurried
        self._attempts = attempts
        self._clock = clock

    async def attend(self, owner: SessionOwner, name: str, identity: str) -> None:
        """Ten seconds after the agent was verified see that it is alone; long after, somebody has seen to that."""
        since = self._clock.now() - (owner.session.placement(name).verified_at or 0.0)
        if since > SEEN_TO:
            return
        pause = SECOND_LOOK - since
        try:
            while not await owner.until(lambda s: not s.serves(name, identity), timeout=pause):
                if await self._tidied(owner, name):
                    return
                pause = SECOND_LOOK
        except Superseded:
            return

    async def relieve(self, owner: SessionOwner, name: str) -> None:
        """Another agent serves in its place: it may introduce that one, and then goes, if it does not by itself."""
        placement = owner.session.placement(name)
        left = (placement.leaves_at or 0.0) - self._clock.now()
        try:
            if not await owner.until(lambda s: not _is_leaving(name, s), timeout=left):
                await owner.record(AgentDismissed(name, Source.ROLLCALL))
        except Superseded:
            return

    async def replace(self, owner: SessionOwner, name: str, identity: str) -> None:
        """An operator wanted another agent, and it is there: the one before goes as soon as clients can see the new one."""
        left = (owner.session.placement(name).verified_at or 0.0) + SHOWN_AFTER - self._clock.now()
        try:
            if not await owner.until(lambda s: s.ended or s.placement(name).replacing != identity, timeout=left):
                await owner.record(AgentReplaced(name, identity))
            await self._attempts.clear(owner, name)
        except Superseded:
            return

    async def dismiss(self, owner: SessionOwner, name: str) -> None:
        """Delete the dispatches that could still bring an agent which nobody wants any more.

        Whoever is in the room, or comes by one of them, is removed by `evict`; a look finds jobs that tell who that is.
        """
        try:
            while _is_dismissed(name, owner.session) and not await self._cleared(owner, name):
                await owner.until(lambda s: not _is_dismissed(name, s), timeout=SETTLED_AFTER + 0.5)
        except Superseded:
            return

    async def _cleared(self, owner: SessionOwner, name: str) -> bool:
        """Whether no dispatch of ours is left of a dismissed placement, nor any that may still show itself."""
        looked_at = self._clock.now()
        try:
            await self._looker.look(owner)
        except (LookFailed, RoomGone):
            return False
        if not _is_dismissed(name, owner.session):
            return True
        await self._attempts.clear(owner, name)
        return not any(_may_be_listed(attempt, looked_at) for attempt in owner.session.placement(name).attempts)

    async def examine(self, owner: SessionOwner, extra: Agent) -> None:
        """A further agent of a verified placement's name: look at once, and again when its job must be listed."""
        pause = 0.0
        try:
            while not await owner.until(lambda s: s.ended or s.present_agent(extra.identity) is None, timeout=pause):
                if not await self._undecided(owner):
                    return
                pause = SETTLED_AFTER + 0.5
        except Superseded:
            return

    async def evict(self, owner: SessionOwner) -> None:
        """Remove agents of given-up attempts that came after all."""
        pause = _LEAVING
        try:
            while unwanted := evictions(owner.session):
                removed = [await self._evicted(owner, agent) for agent in unwanted]
                pause = _LEAVING if all(removed) else min(2 * pause, _LONGEST_PAUSE)
                left = {agent.participant_sid for agent in unwanted}
                await owner.until(
                    lambda s, left=left: {a.participant_sid for a in evictions(s)} != left,  # type: ignore[misc]
                    timeout=pause,
                )
        except Superseded:
            return

    async def _evicted(self, owner: SessionOwner, agent: Agent) -> bool:
        """Whether it is out of the room, or never was in it: what a dead node left behind nobody can remove."""
        room = owner.session.room
        log.info("late_agent_removed", room=room, sid=owner.sid, identity=agent.identity)
        if await self._attempts.remove(room, agent.identity):
            return True
        if not lost_with_its_node(owner.session, agent, None):
            return False
        reply = await self._asker.ask(room, agent.identity, urgent=True)
        if reply.pulse is Pulse.NOT_THERE:
            await owner.record(AgentSilent(agent.participant_sid, self._clock.now(), Cause.NODE_LOST))
        return reply.pulse is Pulse.NOT_THERE

    async def _tidied(self, owner: SessionOwner, name: str) -> bool:
        """Whether LiveKit answered, and what was too much is gone."""
        try:
            look = await self._unhurried.look(owner)
        except (LookFailed, RoomGone):
            return False
        placement = owner.session.placement(name)
        if placement.state is PlacementState.VERIFIED:
            for dispatch in surplus_dispatches(owner.session, placement, look):
                await self._attempts.delete(owner.session.room, dispatch.dispatch_id)
            for attempt in placement.attempts:
                if attempt.open and attempt != placement.serving_attempt:
                    await owner.record(AttemptEnded(name, attempt.number, None))
        await self._attempts.clear(owner, name)
        await self._judge(owner, look)
        return True

    async def _undecided(self, owner: SessionOwner) -> bool:
        try:
            return await self._judge(owner, await self._looker.look(owner))
        except (LookFailed, RoomGone):
            return True

    async def _judge(self, owner: SessionOwner, look: Look) -> bool:
        """Whether somebody must be looked at again."""
        judgement = judge(owner.session, look, self._clock.now())
        for agent in judgement.remove:
            if agent.identity not in owner.session.retired:
                await owner.record(AgentRetired(agent.identity, "a second agent of ours"))
        doubted = [agent for placement, agent in judgement.foreign if not await self._gave_way(owner, placement, agent)]
        for placement, agent in judgement.strangers:
            await owner.record(StrangerSeen(placement.agent_name, agent.identity))
        return bool(judgement.undecided or doubted)

    async def _gave_way(self, owner: SessionOwner, placement: Placement, foreign: Agent) -> bool:
        """Whether it is settled who serves: a foreign agent, in place of ours, or ours, as that one is not there."""
        if foreign.proof < Proof.JOINED:  # only listed: it may be what a node that died has left
            reply = await self._asker.ask(owner.session.room, foreign.identity, urgent=True)
            answer = told(foreign, reply)
            if answer is None:
                return reply.pulse is Pulse.NOT_THERE
            await owner.record(answer)
        session = await owner.record(ForeignAgentServes(placement.agent_name, foreign.identity))
        if session.serves(placement.agent_name, foreign.identity):
            for attempt in session.placement(placement.agent_name).attempts:
                if attempt.ours and attempt.dispatch_id and not attempt.deleted:
                    await self._attempts.delete(session.room, attempt.dispatch_id)
        return True


def _is_dismissed(name: str, session: Session) -> bool:
    return not session.ended and session.placement(name).state is PlacementState.CANCELLED


def _is_leaving(name: str, session: Session) -> bool:
    placement = session.placement(name)
    return placement.leaves_at is not None and placement.state is PlacementState.VERIFIED


def _may_be_listed(attempt: Attempt, looked_at: float) -> bool:
    """Whether an attempt's dispatch is there, or its call may be under way still, or have been when one looked last."""
    if not attempt.ours or attempt.deleted:
        return False
    return attempt.dispatch_id is not None or looked_at < attempt.requested_at + SECOND_LOOK
