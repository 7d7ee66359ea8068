"""A LiveKit of one test: rooms, dispatches and agents in dictionaries, and what each dispatch is to bring."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.core.facts import (
    AgentJoined,
    AgentLeft,
    CandidateSpec,
    Fact,
    JobStatus,
    LeaveReason,
    PersonJoined,
    PersonLeft,
    RoomFinished,
    RoomOpened,
)
from orchestrator.core.listing import ListedDispatch, ListedJob, ListedParticipant, ListedRoom
from orchestrator.core.proof import Key
from orchestrator.runtime.ports import Clock, LiveKitError, LiveKitUnavailable, NotFound, Pulse, PulseReply
from orchestrator.runtime.tasks import Tasks

Webhook = Callable[[RoomOpened, Fact], Awaitable[None]]
Worker = Callable[["FakeLiveKit", ListedRoom, ListedDispatch], Coroutine[Any, Any, None]]


@dataclass
class _Room:
    room: ListedRoom
    participants: dict[str, ListedParticipant] = field(default_factory=dict)
    dispatches: dict[str, ListedDispatch] = field(default_factory=dict)


class FakeLiveKit:
    """What a dispatch brings is decided by `worker`, a coroutine of the test; without one, nobody takes the job."""

    def __init__(self, clock: Clock, webhook: Webhook) -> None:
        self.clock = clock
        self.webhook = webhook
        self.worker: Worker | None = None
        self.living: dict[str, _Room] = {}
        self.calls: list[str] = []
        self.metadata: list[str] = []
        self.fails: dict[str, LiveKitError] = {}
        self.lose_reply = False
        self.silent: set[str] = set()
        self.says: Pulse | None = None
        """What every question is answered with, whoever is asked."""
        self.lists_nothing = False
        """Whether a listing of all rooms is empty by mistake."""
        self.omits: set[str] = set()
        """Identities that listings lack by mistake."""
        self.gone_with_their_node: set[str] = set()
        """Identities that are listed for good, and of which nobody answers."""
        self.asked: list[tuple[float, str]] = []
        self._ids = itertools.count(1)
        self._jobs = Tasks(lambda _name, _error: None)

    # what a test does

    def open_room(self, name: str, *, age: float = 0.0) -> RoomOpened:
        sid = f"RM_{next(self._ids)}"
        self.living[name] = _Room(ListedRoom(sid, name, self.clock.now() - age, "", 0))
        return RoomOpened(name, sid, self.clock.now() - age)

    async def close_room(self, name: str) -> None:
        room = self.living.pop(name).room
        await self._tell(room, RoomFinished(created_at=self.clock.now()))

    def dispatch_by_hand(self, name: str, agent_name: str) -> ListedDispatch:
        return self._dispatch(self.living[name], agent_name, None)

    async def take_job(self, room: ListedRoom, dispatch: ListedDispatch) -> ListedJob:
        """A worker takes the job: it is listed as running, with an identity."""
        job_id = f"AJ_{next(self._ids)}"
        job = ListedJob(job_id, JobStatus.RUNNING, f"agent-{job_id}", "")
        self.list_job(room, dispatch, job)
        return job

    def list_job(self, room: ListedRoom, dispatch: ListedDispatch, job: ListedJob) -> None:
        found = self.living.get(room.name)
        if found and dispatch.dispatch_id in found.dispatches:
            found.dispatches[dispatch.dispatch_id] = replace(dispatch, jobs=(job,))

    async def join(
        self, room: ListedRoom, identity: str, agent_name: str, *, webhook: bool = True, key: Key | None = None
    ) -> None:
        """`key`: the agent itself carries ours, as those of our worker package do."""
        found = self.living.get(room.name)
        if found is None:
            return
        sid, now = f"PA_{next(self._ids)}", self.clock.now()
        found.participants[identity] = ListedParticipant(sid, identity, True, False, True, now, agent_name, key, False, False)
        if webhook:
            await self._tell(room, AgentJoined(sid, identity, agent_name, joined_at=now, created_at=now, key=key))

    async def say_joined(self, name: str, identity: str) -> None:
        """An agent's webhook, late."""
        found = self.living[name]
        there = found.participants[identity]
        now = self.clock.now()
        await self._tell(found.room, AgentJoined(there.sid, identity, there.agent_name, there.joined_at, created_at=now))

    def make_ready(self, name: str) -> None:
        """Every agent of the room says that it serves. LiveKit sends no webhook for an attribute."""
        participants = self.living[name].participants
        for identity, participant in participants.items():
            participants[identity] = replace(participant, ready=participant.is_agent)

    async def enter(self, name: str, identity: str) -> None:
        """A person joins."""
        room, sid, now = self.living[name].room, f"PA_{next(self._ids)}", self.clock.now()
        self.living[name].participants[identity] = ListedParticipant(
            sid, identity, False, True, True, now, None, None, False, False
        )
        await self._tell(room, PersonJoined(sid, identity, now))

    async def hang_up(self, name: str, identity: str) -> None:
        participant = self.living[name].participants.pop(identity)
        await self._tell(self.living[name].room, PersonLeft(participant.sid, identity, self.clock.now()))

    async def leave(self, room: ListedRoom, identity: str, leave: LeaveReason) -> None:
        participant = self.living[room.name].participants.pop(identity)
        now = self.clock.now()
        await self._tell(
            room,
            AgentLeft(participant.sid, identity, participant.agent_name, participant.joined_at, now, leave.name, leave),
        )

    def agents(self, name: str) -> list[str]:
        return [i for i, p in self.living[name].participants.items() if p.is_agent] if name in self.living else []

    async def _tell(self, room: ListedRoom, fact: Fact) -> None:
        await self.webhook(RoomOpened(room.name, room.sid, room.created_at), fact)

    # what Rollcall does

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if error := self.fails.get(name):
            raise error

    async def room(self, name: str) -> ListedRoom | None:
        self._called("room")
        found = self.living.get(name)
        return found.room if found else None

    async def rooms(self) -> tuple[ListedRoom, ...]:
        self._called("rooms")
        if self.lists_nothing:
            return ()
        return tuple(
            replace(found.room, num_participants=sum(p.is_person for p in found.participants.values()))
            for found in self.living.values()
        )

    async def participants(self, room: str) -> tuple[ListedParticipant, ...]:
        self._called("participants")
        if room not in self.living:
            return ()
        return tuple(p for p in self.living[room].participants.values() if p.identity not in self.omits)

    async def dispatches(self, room: str) -> tuple[ListedDispatch, ...]:
        self._called("dispatches")
        if room not in self.living:
            await asyncio.sleep(3)
            raise LiveKitUnavailable("no response from servers")
        return tuple(self.living[room].dispatches.values())

    async def create_dispatch(self, room: str, agent: CandidateSpec, key: Key) -> str:
        self._called("create_dispatch")
        if room not in self.living:
            self.open_room(room)  # as the real one does
        self.metadata.append(agent.metadata)
        dispatch = self._dispatch(self.living[room], agent.agent_name, key)
        if self.lose_reply:
            raise LiveKitUnavailable("timed out")
        return dispatch.dispatch_id

    def _dispatch(self, room: _Room, agent_name: str, key: Key | None) -> ListedDispatch:
        dispatch = ListedDispatch(f"AD_{next(self._ids)}", agent_name, key, ())
        room.dispatches[dispatch.dispatch_id] = dispatch
        if self.worker is not None:
            self._jobs.spawn(dispatch.dispatch_id, self.worker(self, room.room, dispatch))
        return dispatch

    async def delete_dispatch(self, room: str, dispatch_id: str) -> None:
        self._called("delete_dispatch")
        if room not in self.living or self.living[room].dispatches.pop(dispatch_id, None) is None:
            raise NotFound(dispatch_id)

    async def remove_participant(self, room: str, identity: str) -> None:
        self._called("remove_participant")
        found = self.living.get(room)
        if found is None or identity not in found.participants:
            raise NotFound(identity)
        await self.leave(found.room, identity, LeaveReason.WISH)

    async def create_room(self, name: str, *, metadata: str, agents: Sequence[CandidateSpec]) -> ListedRoom:
        self._called("create_room")
        if name not in self.living:
            self.open_room(name)
            self.living[name].room = replace(self.living[name].room, metadata=metadata)
            for agent in agents:
                self._dispatch(self.living[name], agent.agent_name, None)
        return self.living[name].room

    async def update_room_metadata(self, name: str, metadata: str) -> ListedRoom:
        self._called("update_room_metadata")
        if name not in self.living:
            raise NotFound(name)
        self.living[name].room = replace(self.living[name].room, metadata=metadata)
        return self.living[name].room

    async def delete_room(self, room: str) -> None:
        self._called("delete_room")
        await self.close_room(room)

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        self._called("pulse")
        self.asked.append((self.clock.monotonic(), identity))
        if self.says is not None:
            return PulseReply(self.says, 2.0)
        if identity in self.gone_with_their_node or room not in self.living or identity not in self.living[room].participants:
            return PulseReply(Pulse.NOT_THERE, 3000.0)
        if identity not in self.silent:
            return PulseReply(Pulse.ALIVE, 2.0)
        await self.clock.sleep(timeout)
        return PulseReply(Pulse.SILENT, timeout * 1000)


async def joins(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
    """A healthy worker: takes the job, and its agent joins 0.3 s later."""
    job = await livekit.take_job(room, dispatch)
    await asyncio.sleep(0.3)
    await livekit.join(room, job.identity or "", dispatch.agent_name)
