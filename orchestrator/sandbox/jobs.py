"""From a dispatch to an agent: LiveKit asks the workers after it has answered, and tells nobody how that went."""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from orchestrator.core.proof import identity_of_job
from orchestrator.runtime.ports import Clock
from orchestrator.sandbox.agents import SandboxAgent
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.fleet import Fleet
from orchestrator.sandbox.ids import Ids
from orchestrator.sandbox.model import Dispatch, Job, Participant
from orchestrator.sandbox.rooms import OpenDispatch, OpenRoom, Rooms
from orchestrator.sandbox.tally import Tally
from orchestrator.sandbox.timing import Timing
from orchestrator.sandbox.webhooks import Spawn
from orchestrator.sandbox.workers import Worker, chosen

_NAME_ATTRIBUTES: Final = ("lk.agent.name", "lk.agent_name")
"""Stamped by the SDK and by the server."""


class Jobs:
    """The jobs of all dispatches. `boot` numbers the server's lives: what one has begun, the next one knows nothing of."""

    def __init__(
        self,
        clock: Clock,
        chance: random.Random,
        ids: Ids,
        spawn: Spawn,
        timing: Timing,
        *,
        faults: Callable[[], Faults],
        boot: Callable[[], int],
        fleet: Fleet,
        rooms: Rooms,
        tally: Tally,
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._ids = ids
        self._spawn = spawn
        self._timing = timing
        self._faults = faults
        self._boot = boot
        self._fleet = fleet
        self._rooms = rooms
        self._tally = tally
        self._in_rooms: dict[str, SandboxAgent] = {}
        self._holders: dict[str, Worker] = {}

    def agent_of(self, participant: Participant) -> SandboxAgent | None:
        """The agent that is this participant; None: it is a person."""
        return self._in_rooms.get(participant.sid)

    def crash(self) -> None:
        """The server was killed: nobody is in a room any more."""
        self._in_rooms.clear()

    def removed(self, participant: Participant) -> None:
        if agent := self._in_rooms.pop(participant.sid, None):
            agent.removed()

    # --- launching ----------------------------------------------------------------------------------------------------

    def launch(self, room: OpenRoom, dispatch: OpenDispatch) -> None:
        """Begin to ask the workers, beside the caller."""
        faults = self._faults()
        lost = self._chance.random() < faults.drop_dispatch
        unlisted = self._chance.random() < faults.late_joiners
        if dispatch.dispatch.agent_name:
            now = self._clock.monotonic()
            twin = now - room.last_dispatch_at < self._timing.twins
            lost = lost or (twin and self._chance.random() < self._timing.twin_loss)
            room.last_dispatch_at = now
            self._tally.dispatches += 1
        self._spawn(f"launch {dispatch.dispatch.id}", self._launch(dispatch, lost=lost, unlisted=unlisted))

    async def _launch(self, dispatch: OpenDispatch, *, lost: bool, unlisted: bool) -> None:
        boot = self._boot()
        known = self._fleet.known()
        job = None
        if not lost and dispatch.dispatch.agent_name in known.names:
            late = self._chance.uniform(*self._timing.late_joiner) if unlisted else 0.0
            job = await self._ask(dispatch.dispatch, late, boot)
            if job and not unlisted:
                await self._clock.sleep(max(0.0, known.collected_at - self._clock.monotonic()))
                dispatch.list_job(job)
        if job is None and dispatch.dispatch.agent_name:
            self._tally.dispatches_lost += 1
        dispatch.launching = False
        if dispatch.deleted:
            self._terminate(dispatch)

    async def _ask(self, dispatch: Dispatch, late: float, boot: int) -> Job | None:
        """One worker after another, within one RPC's time. None: the job is lost, and nobody is told."""
        job = Job(
            self._ids.new("AJ_"),
            dispatch.id,
            dispatch.room,
            dispatch.agent_name,
            dispatch.metadata,
            dispatch.attributes,
        )
        time_is_up = self._clock.monotonic() + self._timing.job_rpc
        asked: list[Worker] = []
        while worker := self._fleet.choose(dispatch.agent_name, asked):
            asked.append(worker)
            answer_after = chosen(worker.behaviour.answer_after, job)
            left = time_is_up - self._clock.monotonic()
            worker.asked += 1
            await self._clock.sleep(min(answer_after, left))
            worker.asked -= 1
            if answer_after >= left or self._boot() != boot:
                return None
            refusal = chosen(worker.behaviour.refuses, job)
            if not worker.registered or refusal == "keep":
                continue
            if refusal == "terminate":
                return replace(job, status="JS_SUCCESS", worker_id=worker.id)
            identity = chosen(worker.behaviour.identity, job) or identity_of_job(job.id)
            job = replace(job, status="JS_RUNNING", worker_id=worker.id, participant_identity=identity)
            self._start(worker, job, late)
            return job
        return None

    # --- running ------------------------------------------------------------------------------------------------------

    def _start(self, worker: Worker, job: Job, late: float) -> None:
        def ended(agent: SandboxAgent) -> None:
            worker.ended(agent)
            self._holders.pop(job.id, None)

        knows_pulse = chosen(worker.behaviour.knows_pulse, job)
        agent = SandboxAgent(job, self._rooms, self._clock, self._spawn, self._timing, knows_pulse=knows_pulse, ended=ended)
        worker.took(agent)
        self._holders[job.id] = worker
        self._spawn(f"run {job.id}", self._run(worker, agent, late))

    async def _run(self, worker: Worker, agent: SandboxAgent, late: float) -> None:
        """The life of a job's process, from its start to what its worker's behaviour has in mind for it."""
        job, behaviour, connecting = agent.job, worker.behaviour, self._timing.connecting
        crashes = chosen(behaviour.crashes, job)
        if not await self._works(agent, late + max(0.0, chosen(behaviour.start_after, job) - connecting)):
            return
        if crashes == "before_join":
            agent.kill()
            return
        # By its name: LiveKit opens a room that has ended meanwhile once more for the agent that still comes.
        room = self._rooms.open(job.room)
        stamped = not chosen(behaviour.joins_without_attributes, job)
        attributes = dict.fromkeys(_NAME_ATTRIBUTES, job.agent_name) if stamped else {}
        participant = self._rooms.enter(room, agent.identity, kind="AGENT", attributes=attributes)
        self._in_rooms[participant.sid] = agent
        agent.entered(room, participant)
        if not await self._works(agent, connecting):
            return
        self._rooms.activate(room, participant)
        if crashes == "after_join":
            agent.kill()
        leaves_after = chosen(behaviour.leaves_after, job)
        if leaves_after is not None and await self._works(agent, leaves_after):
            agent.leave()

    async def _works(self, agent: SandboxAgent, seconds: float) -> bool:
        """Whether, so much later, its process is there to go on: one that is frozen goes on when it thaws."""
        await self._clock.sleep(seconds)
        while agent.alive and 0 < agent.silent_for < math.inf:
            await self._clock.sleep(agent.silent_for)
        return agent.alive and agent.answers

    # --- ending -------------------------------------------------------------------------------------------------------

    def delete(self, dispatch: OpenDispatch) -> None:
        """Terminate the jobs of a dispatch that is off the list, as soon as all that it will have are known."""
        dispatch.deleted = True
        if not dispatch.launching:
            self._terminate(dispatch)

    def _terminate(self, dispatch: OpenDispatch) -> None:
        """Only what is in the room leaves: a job that waits for its process misses the word, and joins later all the same."""
        for job in dispatch.dispatch.jobs:
            holder = self._holders.get(job.id)
            agent = holder.agent_of(job) if holder and holder.registered else None
            if agent:
                agent.terminated()
