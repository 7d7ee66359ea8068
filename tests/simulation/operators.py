"""Operators, clients that ask for tokens, and agents that hand over: what they ask of a replica, as its routes serve it.

What orchestrator/web refuses is refused here by the same rules: an agent that is there already, or that may come as the
fallback of another one. Two that ask at the same moment pass them both.
"""

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from orchestrator.core.facts import (
    AgentDismissed,
    AgentWanted,
    CandidateSpec,
    Fact,
    PlacementSpec,
    RoomListed,
    RoomOpened,
    RoundWanted,
    Source,
)
from orchestrator.core.operations import may_begin
from orchestrator.core.pauses import Pause
from orchestrator.core.session import Session
from orchestrator.runtime.ports import LiveKitError, StoreUnavailable
from orchestrator.web.commands import opening_of
from tests.simulation.wishes import Asks, Wish

if TYPE_CHECKING:
    from tests.simulation.replica import Replica
    from tests.simulation.world import World

_TRIES: Final = 3
_ASKS_AGAIN: Final = 1.0
"""Seconds before somebody asks again who was told that it cannot be done now."""

_LOOKS: Final = 0.5
_HANDS_OVER_WITHIN: Final = 60.0
"""Seconds for which an agent that hands over waits for the new one."""

_DONE, _NOT_FOUND, _CONFLICT, _LIVEKIT_DOWN, _STORE_DOWN = 200, 404, 409, 502, 503


class Operators:
    def __init__(self, world: "World", chance: random.Random) -> None:
        self._world = world
        self._chance = chance

    async def live(self, wish: Wish) -> None:
        """All that becomes of one wish."""
        await self._world.until(wish.at)
        if wish.again_after is not None:
            self._world.spawn("operator", self._again(wish, wish.again_after))
        if await self._ask(wish) and wish.asks is Asks.SWITCH:
            await self._hand_over(wish)

    async def _again(self, wish: Wish, after: float) -> None:
        await self._world.clock.sleep(after)
        await self._ask(wish)

    async def _ask(self, wish: Wish) -> bool:
        """Whether it was accepted."""
        for _ in range(_TRIES):
            status = await self._answer(wish)
            self._world.trace.note("operator", wish.room, f"{wish}: {status}")
            if status in (_DONE, _NOT_FOUND, _CONFLICT):
                return status == _DONE
            await self._world.clock.sleep(_ASKS_AGAIN)
        return False

    async def _answer(self, wish: Wish) -> int:
        ready = [replica for replica in self._world.replicas if replica.ready and replica.process.alive]
        if not ready:
            return _STORE_DOWN
        replica = self._chance.choice(ready)
        return await self._world.patiently(replica.asked(lambda: _Desk(replica).serve(wish)))

    async def _hand_over(self, wish: Wish) -> None:
        """The relieved agent introduces the new one, and leaves by itself."""
        world = self._world
        until = world.loop.time() + _HANDS_OVER_WITHIN
        while world.loop.time() < until:
            session = world.session_of(wish.room)
            relieved = next((p for p in session.placements if p.leaves_at is not None), None) if session else None
            if relieved is not None and relieved.identity is not None:
                await world.clock.sleep(min(wish.goes_after, _HANDS_OVER_WITHIN))
                agent = world.agent(wish.room, relieved.identity)
                if agent is not None and agent.alive:
                    world.trace.note("agent", wish.room, f"{relieved.identity} has handed over, and leaves")
                    agent.leave()
                return
            await world.clock.sleep(_LOOKS)


class _Refused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Desk:
    """The routes of one replica."""

    def __init__(self, replica: "Replica") -> None:
        self._replica = replica
        self._store = replica.store
        self._rooms = replica.runtime.rooms

    async def serve(self, wish: Wish) -> int:
        """What is answered."""
        try:
            match wish.asks:
                case Asks.ADD:
                    await self._add(wish)
                case Asks.REMOVE:
                    await self._remove(wish)
                case Asks.SWITCH:
                    await self._switch(wish)
                case Asks.TOKEN:
                    await self._token(wish)
                case Asks.REDISPATCH:
                    await self._redispatch(wish)
                case Asks.PAUSE | Asks.RESUME:
                    await self._pause(wish)
        except _Refused as refused:
            return refused.status
        except StoreUnavailable:
            return _STORE_DOWN
        except LiveKitError:
            return _LIVEKIT_DOWN
        return _DONE

    async def _add(self, wish: Wish) -> None:
        session = await self._live(wish.room)
        wanted = AgentWanted(self._spec(wish), Source.OPERATOR)
        if session is None:
            self._refuse_a_fallback(wish)
            await self._store.expect(wish.room, [wanted])
            opening, _ = await self._rooms.opening(wish.room)
            session = await self._store.read(opening.sid)
        else:
            opening = opening_of(session)
        if session is not None:
            _refuse_a_second(session, wish.agent_name)
        lives = RoomListed(requested_at=self._replica.clock.now())
        await self._tell(opening, *((lives, wanted) if session is None or session.ended else (wanted,)))

    async def _remove(self, wish: Wish) -> None:
        session = await self._live(wish.room)
        if session is None or not session.placements:
            raise _Refused(_NOT_FOUND)
        placement = session.placements[wish.target % len(session.placements)]
        if not placement.over:
            await self._tell(opening_of(session), AgentDismissed(placement.agent_name, Source.OPERATOR))

    async def _switch(self, wish: Wish) -> None:
        session = await self._live(wish.room)
        there = [p.agent_name for p in session.placements if not p.over and p.agent_name != wish.agent_name] if session else []
        if session is None or not there:
            raise _Refused(_NOT_FOUND)
        relieved = there[wish.target % len(there)]
        _refuse_a_second(session, wish.agent_name, relieved)
        wanted = AgentWanted(self._spec(wish), Source.WORKER, instead_of=relieved, grace=wish.grace)
        await self._tell(opening_of(session), wanted)

    async def _redispatch(self, wish: Wish) -> None:
        session = await self._live(wish.room)
        if session is None:
            raise _Refused(_NOT_FOUND)
        begun = [p for p in session.placements if may_begin(session, p, named=False)]
        if not begun:
            raise _Refused(_CONFLICT)
        for agent_name in sorted({p.candidates[0].agent_name for p in begun}):
            await self._replica.runtime.pacing.welcome(agent_name)
        await self._tell(opening_of(session), RoundWanted(None, f"{wish}", Source.OPERATOR))

    async def _pause(self, wish: Wish) -> None:
        """Or the end of one."""
        replica, name = self._replica, wish.agent_name
        board, now = replica.runtime.pauses, replica.clock.now()
        if wish.asks is Asks.RESUME:
            await board.resume(name)
            return
        pause = Pause(now, now + wish.lasts)
        await board.pause(name, pause)
        if replica.world.paused.get(name) == pause:
            replica.world.paused[name] = replace(pause, by=replica.name)  # which knows of it from now on

    async def _token(self, wish: Wish) -> None:
        wanted = AgentWanted(self._spec(wish), Source.TOKEN)
        self._refuse_a_fallback(wish)
        await self._store.expect(wish.room, [wanted])
        opening = (await self._rooms.ensure(wish.room)).opening
        session = await self._store.read(opening.sid)
        facts: list[Fact] = []
        if session is None or session.ended:
            facts.append(RoomListed(requested_at=self._replica.clock.now()))
        if session is None or _may_be_placed(session, wish.agent_name):
            facts.append(wanted)
        if facts:
            await self._tell(opening, *facts)

    def _refuse_a_fallback(self, wish: Wish) -> None:
        """Of an agent that the room's route wants, should the room have to be made."""
        routed = self._replica.world.plan.route(wish.room, "").placements
        if any(c.agent_name == wish.agent_name for p in routed if p.agent_name != wish.agent_name for c in p.candidates):
            raise _Refused(_CONFLICT)

    def _spec(self, wish: Wish) -> PlacementSpec:
        candidates = tuple(CandidateSpec(name) for name in dict.fromkeys((wish.agent_name, *wish.fallback)))
        return PlacementSpec(candidates, self._replica.world.plan.policy)

    async def _live(self, room: str) -> Session | None:
        sid = await self._store.find(room)
        session = None if sid is None else await self._store.read(sid)
        return None if session is None or session.ended else session

    async def _tell(self, opening: RoomOpened, *facts: Fact) -> None:
        await self._replica.runtime.intake.receive(opening, facts, event_id=None)


def _refuse_a_second(session: Session, agent_name: str, relieved: str | None = None) -> None:
    for placement in session.placements:
        if placement.over or placement.agent_name == relieved:
            continue
        if any(candidate.agent_name == agent_name for candidate in placement.candidates):
            raise _Refused(_CONFLICT)


def _may_be_placed(session: Session, agent_name: str) -> bool:
    placement = session.find_placement(agent_name)
    if placement is not None and not placement.over:
        return not placement.attempts
    _refuse_a_second(session, agent_name)
    return True
