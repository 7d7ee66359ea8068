"""The sandbox: LiveKit's rooms, dispatches, jobs, workers and webhook queues, and the API that shows and changes them."""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from orchestrator import contract
from orchestrator.runtime.ports import Clock
from orchestrator.sandbox.agents import SandboxAgent
from orchestrator.sandbox.door import Door
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.fleet import Fleet
from orchestrator.sandbox.ids import Ids
from orchestrator.sandbox.jobs import Jobs
from orchestrator.sandbox.model import NOTHING, AgentRequest, ApiError, Dispatch, Participant, Room, Webhook
from orchestrator.sandbox.rooms import OpenDispatch, OpenRoom, Rooms
from orchestrator.sandbox.tally import Tally
from orchestrator.sandbox.timing import Timing
from orchestrator.sandbox.webhooks import Deliver, Spawn, WebhookQueues
from orchestrator.sandbox.workers import Behaviour, Worker

METADATA_LIMIT: Final = 512 * 1024
"""Bytes of a dispatch's metadata that LiveKit takes."""


async def _nobody_listens(_: Webhook) -> int:
    return 0


class Sandbox:
    """One LiveKit. All time is the clock's, all chance is `chance`'s, and every task is started by `spawn`.

    The same clock, chance and calls bring the same events in the same order. `faults` may be replaced at any time;
    `deliver` takes one webhook to its receiver and says the HTTP status, 0 when there was no answer.
    """

    def __init__(
        self, clock: Clock, chance: random.Random, spawn: Spawn, *, faults: Faults = Faults(), timing: Timing = Timing()
    ) -> None:
        def stream() -> random.Random:
            return random.Random(chance.getrandbits(64))  # noqa: S311  # a simulation's, and keeps no secrets

        self.faults = faults
        self.deliver: Deliver = _nobody_listens
        self.unreachable: set[str] = set()
        """The replicas that are cut off from LiveKit."""
        self.tally = Tally()
        self._clock = clock
        self._spawn = spawn
        self._timing = timing
        ids = Ids(stream())
        self._queues = WebhookQueues(clock, stream(), spawn, timing, lambda: self.faults, self._deliver, self.tally)
        self._rooms = Rooms(
            clock,
            ids,
            spawn,
            self._queues.put,
            idle_check=timing.idle_check,
            dispatched=self._dispatched,
            removed=self._removed,
        )
        self._fleet = Fleet(clock, stream(), ids, spawn, timing)
        self._door = Door(clock, stream(), timing, lambda: self.faults)
        self._jobs = Jobs(
            clock,
            stream(),
            ids,
            spawn,
            timing,
            faults=lambda: self.faults,
            boot=lambda: self._door.boot,
            fleet=self._fleet,
            rooms=self._rooms,
            tally=self.tally,
        )

    async def _deliver(self, webhook: Webhook) -> int:
        return await self.deliver(webhook)

    def _dispatched(self, room: OpenRoom, dispatch: OpenDispatch) -> None:
        self._jobs.launch(room, dispatch)

    def _removed(self, participant: Participant) -> None:
        self._jobs.removed(participant)

    # --- rooms and people ---------------------------------------------------------------------------------------------

    @property
    def rooms(self) -> Mapping[str, Room]:
        return self._rooms

    def create_room(
        self,
        name: str,
        *,
        metadata: str = "",
        agents: Sequence[AgentRequest] = (),
        empty_timeout: float = 300.0,
        departure_timeout: float = 20.0,
    ) -> Room:
        """CreateRoom. Of a room that exists, metadata and agents stay as they are, and nobody says so."""
        self._door.must_be_up()
        room = self._rooms.open(
            name, metadata=metadata, agents=agents, empty_timeout=empty_timeout, departure_timeout=departure_timeout
        )
        return room.snapshot

    def delete_room(self, name: str) -> None:
        """End the room, if there is one."""
        self._door.must_be_up()
        if name in self._rooms:
            self._rooms.close(name, "ROOM_DELETED")

    def join(
        self,
        room: str,
        identity: str,
        *,
        kind: str = "STANDARD",
        name: str = "",
        metadata: str = "",
        attributes: Mapping[str, str] | None = None,
        agents: Sequence[AgentRequest] = (),
    ) -> Participant:
        """Somebody joins, and opens the room when it is missing: only then do the `agents` of the token count."""
        self._door.must_be_up()
        opened = self._rooms.open(room, agents=agents)
        participant = self._rooms.enter(
            opened, identity, kind=kind, name=name, metadata=metadata, attributes=attributes or NOTHING
        )
        return self._rooms.activate(opened, participant)

    def leave(self, room: str, identity: str, reason: str = "CLIENT_INITIATED") -> None:
        """Somebody leaves, if there."""
        opened = self._rooms.served(room)
        if opened and identity in opened.participants:
            self._rooms.remove(opened, opened.participants[identity].sid, reason)

    # --- workers and agents -------------------------------------------------------------------------------------------

    def start_worker(self, agent_name: str, *, capacity: int = 50, behaviour: Behaviour = Behaviour()) -> Worker:
        """Start a worker process, which takes some seconds to register."""
        return self._fleet.start(agent_name, capacity=capacity, behaviour=behaviour)

    def agent(self, room: str, identity: str) -> SandboxAgent:
        """The agent of this identity in this room. Raises KeyError when there is none."""
        opened = self._rooms.served(room)
        participant = opened.participants.get(identity) if opened else None
        agent = self._jobs.agent_of(participant) if participant else None
        if agent is None:
            raise KeyError(f"no agent {identity} in room {room}")
        return agent

    def living_agents(self, room: str, agent_name: str | None = None) -> list[SandboxAgent]:
        """What is true, whatever is listed: the agents that are in the room and whose process exists, frozen or not."""
        opened = self._rooms.served(room)
        participants = opened.participants.values() if opened else ()
        agents = (self._jobs.agent_of(p) for p in participants if p.state == "ACTIVE")
        return [a for a in agents if a and a.alive and agent_name in {None, a.agent_name}]

    # --- the server ---------------------------------------------------------------------------------------------------

    def restart(self, *, keeps_state: bool, down: float) -> None:
        """The server is killed, and starts again `down` seconds later with what its store kept, or with nothing.

        Whoever was connected is out, and comes back, if at all, as somebody new; workers register again by themselves.
        """
        self._door.shut()
        self._queues.forget()
        self._rooms.crash(keeps_state=keeps_state)
        self._jobs.crash()
        self._fleet.crash()
        self._spawn("restart", self._start(self._door.boot, down))

    async def _start(self, boot: int, down: float) -> None:
        await self._clock.sleep(down)
        if self._door.boot == boot:
            self._door.open()
            self._fleet.come_back()

    # --- LiveKit's API ------------------------------------------------------------------------------------------------

    async def list_rooms(self, names: Sequence[str] = ()) -> list[Room]:
        async with self._door.call():
            found = [self._rooms[name] for name in (dict.fromkeys(names) if names else self._rooms) if name in self._rooms]
            return self._door.listed(found)

    async def create_room_call(
        self,
        name: str,
        *,
        metadata: str = "",
        agents: Sequence[AgentRequest] = (),
        empty_timeout: float = 300.0,
        departure_timeout: float = 20.0,
    ) -> Room:
        async with self._door.call():
            return self.create_room(
                name, metadata=metadata, agents=agents, empty_timeout=empty_timeout, departure_timeout=departure_timeout
            )

    async def list_participants(self, room: str) -> list[Participant]:
        """Of a room that does not exist: nobody."""
        async with self._door.call():
            found = self._rooms.listed(room)
            return self._door.listed(found.listed() if found else [])

    async def list_dispatch(self, room: str) -> list[Dispatch]:
        async with self._door.call():
            served = await self._served(room)
            return self._door.listed([dispatch.dispatch for dispatch in served.dispatches.values()])

    async def create_dispatch(
        self, room: str, agent_name: str, metadata: str = "", attributes: Mapping[str, str] = NOTHING
    ) -> Dispatch:
        """Opens the room when it is missing. The workers are asked after the answer."""
        async with self._door.call():
            if len(metadata.encode()) > METADATA_LIMIT:
                raise ApiError(400, "invalid_argument", "metadata size exceeds limits")
            return self._rooms.dispatch(self._rooms.open(room), agent_name, metadata, attributes).dispatch

    async def delete_dispatch(self, room: str, dispatch_id: str) -> Dispatch:
        """The dispatch is off the list at once; its agents take their time."""
        async with self._door.call():
            served = await self._served(room)
            dispatch = served.dispatches.pop(dispatch_id, None)
            if dispatch is None:
                raise ApiError(404, "not_found", "twirp error unknown: dispatch ID not found")
            self._jobs.delete(dispatch)
            return dispatch.dispatch

    async def remove_participant(self, room: str, identity: str) -> None:
        async with self._door.call():
            found = self._rooms.listed(room)
            if found is None or identity not in found.participants | found.ghosts:
                raise ApiError(404, "not_found", "twirp error unknown: participant does not exist")
            participant = found.participants.get(identity)
            if participant is None:
                raise await self._door.nobody_answers()
            self._rooms.remove(found, participant.sid, "PARTICIPANT_REMOVED")

    async def delete_room_call(self, room: str) -> None:
        async with self._door.call():
            if room not in self._rooms:
                raise _room_missing()
            self._rooms.close(room, "ROOM_DELETED")

    async def update_room_metadata(self, room: str, metadata: str) -> Room:
        async with self._door.call():
            if room not in self._rooms:
                raise _room_missing()
            served = await self._served(room)
            self._rooms.describe(served, metadata)
            return served.snapshot

    async def perform_rpc(self, room: str, identity: str, method: str, payload: str = "", response_timeout: float = 0.0) -> str:
        """Ask a participant. Whatever it answers itself, not knowing the method included, is a sign of life."""
        async with self._door.call():
            await self._door.takes_pulse()
            served = self._rooms.served(room)
            participant = served.participants.get(identity) if served else None
            if participant is None:
                raise await self._door.nobody_answers()
            if participant.state != "ACTIVE":
                raise ApiError(500, "internal", "twirp error unknown: data channel is not available")
            agent = self._jobs.agent_of(participant)
            if agent:
                timeout = response_timeout or self._timing.rpc_timeout
                await self._clock.sleep(min(timeout, max(agent.silent_for, self._timing.rpc_answer)))
                if not agent.in_room:
                    raise ApiError(503, "unavailable", "twirp error unknown: RpcError 1503: Recipient disconnected")
                if not agent.answers:
                    raise ApiError(408, "canceled", "twirp error unknown: RpcError 1502: Response timeout")
                if agent.knows_pulse and method == contract.PULSE_METHOD:
                    return payload
            raise ApiError(400, "invalid_argument", "twirp error unknown: RpcError 1400: Method not supported at destination")

    async def _served(self, room: str) -> OpenRoom:
        """The room, if a server answers for it."""
        served = self._rooms.served(room)
        if served is None:
            raise await self._door.nobody_answers()
        return served


def _room_missing() -> ApiError:
    return ApiError(404, "not_found", "twirp error unknown: requested room does not exist")
