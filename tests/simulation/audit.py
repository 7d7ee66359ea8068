"""The ports of a replica, with somebody beside them who writes down and judges what goes through.

A call travels by itself: once sent it is executed and answered, whatever becomes of the replica that sent it.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from orchestrator.core.facts import CandidateSpec, Fact, RoomOpened
from orchestrator.core.listing import ListedDispatch, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key
from orchestrator.core.session import Session
from orchestrator.runtime.ports import Alert, AppendReply, Committed, LiveKit, Loaded, Pulse, PulseReply
from tests.fakes.store import Line, MemoryAlerts, MemoryLeases, MemoryStore
from tests.simulation.judging import Judge, Write

if TYPE_CHECKING:
    from tests.simulation.world import World

T = TypeVar("T")


class AuditedLiveKit:
    def __init__(self, livekit: LiveKit, replica: str, world: "World") -> None:
        self._livekit = livekit
        self._replica = replica
        self._world = world
        self._judge: Judge = world.judge

    async def room(self, name: str) -> ListedRoom | None:
        return await self._send(self._livekit.room(name))

    async def rooms(self) -> tuple[ListedRoom, ...]:
        return await self._send(self._livekit.rooms())

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]:
        return await self._send(self._listed(room))

    async def _listed(self, room: str) -> tuple[ListedParticipant, ...]:
        listed = await self._livekit.participants(room)
        self._world.evidence.listed(room, listed)
        return listed

    async def dispatches(self, room: str) -> tuple[ListedDispatch, ...]:
        return await self._send(self._dispatched(room))

    async def _dispatched(self, room: str) -> tuple[ListedDispatch, ...]:
        listed = await self._livekit.dispatches(room)
        self._judge.looked(self._replica, room)
        return listed

    async def create_dispatch(self, room: str, agent: CandidateSpec, key: Key) -> str:
        write = Write("create_dispatch", room, agent_name=agent.agent_name, key=key)
        return await self._write(write, self._livekit.create_dispatch(room, agent, key))

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        await self._write(
            Write("delete_dispatch", room, dispatch_id=dispatch_id), self._livekit.delete_dispatch(room, dispatch_id)
        )

    async def remove_participant(self, room: str, identity: str) -> None:
        await self._write(
            Write("remove_participant", room, identity=identity), self._livekit.remove_participant(room, identity)
        )

    async def create_room(self, name: str, *, metadata: str, agents: Sequence[CandidateSpec]) -> ListedRoom:
        """Nobody in particular does this, so nobody is fenced from it."""
        self._world.trace.note(self._replica, name, "create_room ...")
        return await self._send(self._livekit.create_room(name, metadata=metadata, agents=agents))

    async def update_room_metadata(self, name: str, metadata: str) -> ListedRoom:
        return await self._send(self._livekit.update_room_metadata(name, metadata))

    async def delete_room(self, room: str) -> None:
        await self._write(Write("delete_room", room), self._livekit.delete_room(room))

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        reply = await self._send(self._livekit.pulse(room, identity, timeout=timeout))
        self._world.evidence.asked(room, identity, reply.pulse)
        if reply.pulse is not Pulse.ALIVE:
            self._world.trace.note(self._replica, room, f"pulse of {identity}: {reply.pulse}")
        return reply

    async def _write(self, write: Write, call: Coroutine[Any, Any, T]) -> T:
        note = self._world.trace.note
        self._judge.writes(self._replica, write)
        note(self._replica, write.room, f"{write} ...")
        try:
            answer = await self._send(call)
        except Exception as error:
            note(self._replica, write.room, f"{write}: {type(error).__name__}: {error}")
            raise
        note(self._replica, write.room, f"{write}: {answer or 'done'}")
        return answer

    async def _send(self, call: Coroutine[Any, Any, T]) -> T:
        return await asyncio.shield(self._world.send(call))


class AuditedStore(MemoryStore):
    def __init__(self, line: Line, replica: str, judge: Judge) -> None:
        super().__init__(line)
        self._replica = replica
        self._judge = judge

    def _append(self, opening: RoomOpened, facts: Sequence[Fact], event_id: str | None, replica: str) -> AppendReply:
        before = self.stored.get(opening.sid)
        reply = super()._append(opening, facts, event_id, replica)
        self._judge.appended(self._replica, opening, facts, event_id, reply)
        after = self.stored.get(opening.sid)
        if after is not None and (before is None or before.epoch != after.epoch):
            self._judge.granted(self._replica, opening.room, opening.sid, after.epoch)
        return reply

    def _take(self, sid: str, replica: str, from_owner: str | None) -> Loaded | None:
        loaded = super()._take(sid, replica, from_owner)
        if loaded is not None:
            self._judge.granted(self._replica, self.stored[sid].room, sid, loaded.epoch)
        return loaded

    def _commit(self, session: Session, epoch: int, trim: int) -> Committed:
        before = self.stored.get(session.sid)
        committed = super()._commit(session, epoch, trim)
        if committed is Committed.COMMITTED and before is not None:
            self._judge.committed(self._replica, before, session, epoch)
        return committed


class AuditedLeases(MemoryLeases):
    def __init__(self, line: Line, replica: str, world: "World") -> None:
        super().__init__(line)
        self._replica = replica
        self._world = world

    async def renew(self, replica: str, ttl: float) -> None:
        sent_at = self._world.loop.time()
        await super().renew(replica, ttl)
        self._world.judge.renewed(replica, sent_at)


class AuditedAlerts(MemoryAlerts):
    def __init__(self, line: Line, judge: Judge) -> None:
        super().__init__(line)
        self._judge = judge

    def _queue(self, alert: Alert) -> None:
        if alert.id not in self.queued:
            self._judge.alerted(alert)
        super()._queue(alert)
