"""After an agent was verified: is it alone, is nothing of ours left that could still bring a second one."""

from typing import Final

import structlog

from orchestrator.core.belonging import evictions
from orchestrator.core.duplicates import SETTLED_AFTER, judge, surplus_dispatches
from orchestrator.core.facts import AgentRetired, ForeignAgentServes, StrangerSeen
from orchestrator.core.session import Agent, PlacementState
from orchestrator.runtime.attempt import AttemptRunner
from orchestrator.runtime.looking import Looker, LookFailed, RoomGone
from orchestrator.runtime.owner import SessionOwner, Superseded
from orchestrator.runtime.ports import Clock

log = structlog.get_logger()

SECOND_LOOK: Final = 10.0
"""Seconds after verification when a create that was ambiguous and came late must have shown itself."""

_LEAVING: Final = 5.0
"""Seconds that a removed agent's `left` may take before it is removed again."""


class Aftercare:
    """What follows a verification. Each method ends by itself and raises nothing but Superseded inside."""

    def __init__(self, looker: Looker, attempts: AttemptRunner, clock: Clock) -> None:
        self._looker = looker
        self._attempts = attempts
        self._clock = clock

    async def attend(self, owner: SessionOwner, name: str, identity: str) -> None:
        """Ten seconds after the agent was verified see that it is alone."""
        try:
            if not await owner.until(lambda s: not s.serves(name, identity), timeout=SECOND_LOOK):
                await self._tidy(owner, name)
        except (Superseded, RoomGone, LookFailed):
            return

    async def examine(self, owner: SessionOwner, extra: Agent) -> None:
        """A further agent of a verified placement's name: look at once, and again when its job must be listed."""
        try:
            for pause in (0.0, SETTLED_AFTER + 0.5):
                if await owner.until(lambda s: s.present_agent(extra.identity) is None, timeout=pause):
                    return
                if not await self._judge(owner):
                    return
        except (Superseded, RoomGone, LookFailed):
            return

    async def evict(self, owner: SessionOwner) -> None:
        """Remove agents of given-up attempts that came after all."""
        try:
            while unwanted := evictions(owner.session):
                for agent in unwanted:
                    log.info("late_agent_removed", room=owner.session.room, sid=owner.sid, identity=agent.identity)
                    await self._attempts.remove(owner.session.room, agent.identity)
                gone = {agent.participant_sid for agent in unwanted}
                await owner.until(
                    lambda s, gone=gone: not any(a.participant_sid in gone for a in evictions(s)),  # type: ignore[misc]
                    timeout=_LEAVING,
                )
        except Superseded:
            return

    async def _tidy(self, owner: SessionOwner, name: str) -> None:
        look = await self._looker.look(owner)
        placement = owner.session.placement(name)
        if placement.state is PlacementState.VERIFIED:
            for dispatch in surplus_dispatches(owner.session, placement, look):
                await self._attempts.delete(owner.session.room, dispatch.dispatch_id)
        await self._attempts.clear(owner, name)
        await self._judge(owner)

    async def _judge(self, owner: SessionOwner) -> bool:
        """Whether somebody must be looked at again."""
        look = await self._looker.look(owner)
        judgement = judge(owner.session, look, self._clock.now())
        for agent in judgement.remove:
            await owner.record(AgentRetired(agent.identity, "a second agent of ours"))
        for placement, agent in judgement.foreign:
            await owner.record(ForeignAgentServes(placement.agent_name, agent.identity))
            for attempt in owner.session.placement(placement.agent_name).attempts:
                if attempt.ours and attempt.dispatch_id and not attempt.deleted:
                    await self._attempts.delete(owner.session.room, attempt.dispatch_id)
        for placement, agent in judgement.strangers:
            await owner.record(StrangerSeen(placement.agent_name, agent.identity))
        return bool(judgement.undecided)
