"""Everything of one seed: LiveKit, the store, three replicas, people, workers, and what breaks."""

import asyncio
import contextvars
import random
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

from orchestrator.core.pauses import Pause
from orchestrator.core.placement import Placement
from orchestrator.core.proof import agent_name_of
from orchestrator.core.session import Session
from orchestrator.core.transitions import fold
from orchestrator.sandbox.agents import SandboxAgent
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.model import Webhook
from orchestrator.sandbox.rooms import OpenRoom
from orchestrator.sandbox.wire import body
from tests.fakes.store import Line, Server
from tests.simulation.clocks import WorldClock
from tests.simulation.evidence import Evidence
from tests.simulation.faults import KINDS, Fault
from tests.simulation.invariants import ALL
from tests.simulation.judging import Broken, Judge
from tests.simulation.loop import SimulatedLoop, Stuck
from tests.simulation.operators import Operators
from tests.simulation.people import People
from tests.simulation.plan import SETTLED, Plan
from tests.simulation.replica import Composition, Replica
from tests.simulation.trace import Trace
from tests.simulation.workforce import Workforce

T = TypeVar("T")

REPLICAS: Final = 3

_PROXY_PATIENCE: Final = 10.0
"""Seconds that the load balancer in front of the replicas waits for an answer."""

_GATEWAY_TIMEOUT: Final = 504
_HEALING: Final = 30.0
"""Seconds after a fault in which what it broke may still be away."""

_BEFORE: Final = 12.0
"""Seconds of life before the first room opens: workers register, replicas start."""


class World:
    def __init__(self, loop: SimulatedLoop, plan: Plan, composition: Composition) -> None:
        self.loop = loop
        self.plan = plan
        self._context = contextvars.copy_context()
        self.clock = WorldClock(loop)
        self.trace = Trace(loop.time)
        self.server = Server(self.clock)
        self.sandbox = Sandbox(self.clock, self.chance("sandbox"), self.spawn)
        self.sandbox.deliver = self._deliver
        self.evidence = Evidence(self)
        self.judge = Judge(self, ALL)
        self.must_be_quiet = False
        """Whether the faults are so long over that nothing may move any more."""
        self._composition = composition
        self._network = self.chance("network")
        self._balancer = self.chance("balancer")
        self._people = People(self, self.chance("people"))
        self.workforce = Workforce(self)
        self.paused: dict[str, Pause] = {}
        """Agent names that operators have paused, for all replicas."""
        self._operators = Operators(self, self.chance("operators"))
        self._striking = 0
        self._struck_at = 0.0
        self._switched: list[tuple[str, float | bool]] = []
        self._starts = 0
        self._processes: list[Replica] = []
        self.replicas: list[Replica] = []

    def chance(self, what: str) -> random.Random:
        """A stream of its own, so that more of one thing does not change another."""
        return random.Random(f"{self.plan.seed}/{what}")  # noqa: S311  # a simulation keeps no secrets

    def latency(self) -> float:
        """One way of a trip to the store."""
        return self._network.uniform(0.0002, 0.002)

    def send(self, call: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """A call of a replica, on its way: in the world's own context, whoever asks."""
        return self.loop.create_task(call, name="call", context=self._context)

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        """Something of the world's own; when it fails, the simulation is wrong, and says so."""
        task = self.loop.create_task(work, name=name, context=self._context)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        if not task.cancelled() and (error := task.exception()):
            self.loop.fail(error if isinstance(error, Exception) else Stuck(repr(error)))

    # --- the story ----------------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """From the first worker to the end of the quiet time. Raises Broken."""
        for worker in self.plan.workers:
            self.spawn("worker", self.workforce.live(worker))
        for number in range(REPLICAS):
            self.replicas.append(self._new_replica(number))
        for room in self.plan.rooms:
            self.spawn("room", self._people.live(room))
        for fault in self.plan.faults:
            self.spawn("fault", self._fault(fault))
        for wish in self.plan.wishes:
            self.spawn("operator", self._operators.live(wish))
        await self.until(self.plan.faulty_until)
        self.trace.note("world", "", "the faults are over")
        await self.until(self.plan.faulty_until + SETTLED)
        self.must_be_quiet = True
        await self.until(self.plan.ends_at)
        self.judge.at_the_end()

    async def until(self, time: float) -> None:
        """Of the plan: its zero is when the world has come to life."""
        await self.clock.until(_BEFORE + time)

    def is_before(self, time: float) -> bool:
        """Whether it is earlier than this time of the plan."""
        return self.loop.time() < _BEFORE + time

    async def _fault(self, fault: Fault) -> None:
        await self.until(fault.at)
        self.trace.note("fault", "", f"{fault}")
        self._striking, self._struck_at = self._striking + 1, self.loop.time()
        await KINDS[fault.kind].strike(self, fault)
        self._striking, self._struck_at = self._striking - 1, self.loop.time()
        self.trace.note("fault", "", f"over: {fault}")

    def calm_since(self, time: float) -> bool:
        """Whether nothing has been broken since then, nor was anything that had to heal first."""
        return not self._striking and self._struck_at + _HEALING < time

    # --- what breaks --------------------------------------------------------------------------------------------------

    @contextmanager
    def sandbox_fault(self, switch: str, value: float | bool) -> Iterator[None]:
        self._switched.append((switch, value))
        self._switch()
        try:
            yield
        finally:
            self._switched.remove((switch, value))
            self._switch()

    def _switch(self) -> None:
        self.sandbox.faults = replace(Faults(), **dict(self._switched))  # type: ignore[arg-type]

    def pick_agent(self, number: int) -> SandboxAgent | None:
        agents = [a for name in self.sandbox.rooms for a in self.sandbox.living_agents(name)]
        agent = agents[number % len(agents)] if agents else None
        if agent:
            self.trace.note("fault", agent.room, f"strikes {agent.identity}")
        return agent

    def replica(self, number: int) -> Replica:
        return self.replicas[number % REPLICAS]

    def _new_replica(self, place: int) -> Replica:
        self._starts += 1
        replica = Replica(f"r{place + 1}.{self._starts}", self, self._composition)
        self._processes.append(replica)
        replica.start()
        self.trace.note(replica.name, "", "starts")
        return replica

    async def lose_replica(self, number: int, *, down: float) -> None:
        """kill -9, and start again after a while."""
        replica = self.replica(number)
        if not replica.process.alive:
            return
        self.trace.note(replica.name, "", "is killed")
        replica.process.kill()
        await self._replace(replica, down)

    async def stop_replica(self, number: int, *, down: float) -> None:
        """SIGTERM, and start again after a while."""
        replica = self.replica(number)
        if not replica.process.alive:
            return
        self.trace.note(replica.name, "", "is told to stop")
        await replica.process.spawn("stop", replica.stop())
        replica.process.kill()
        await self._replace(replica, down)

    async def _replace(self, replica: Replica, down: float) -> None:
        self.server.subscribers.pop(replica.name, None)
        replica.ready = False
        await self.clock.sleep(down)
        place = self.replicas.index(replica)
        self.replicas[place] = self._new_replica(place)

    def lose_data(self, seconds: float | None) -> None:
        """The store goes back so many seconds in time; None: it has nothing any more."""
        self.judge.data_lost()
        if seconds is None:
            self.server.wipe()
        else:
            self.server.restart(lost=seconds)

    def heard_again(self, line: Line) -> None:
        for replica in self.replicas:
            if replica.line is line and replica.process.alive:
                replica.hear_again()

    def crashed(self, replica: str, task: str, error: BaseException) -> None:
        """A task of a replica ended by a defect."""
        self.loop.fail(Broken("I18", "No unhandled exception, whatever happens", "", f"{replica}, {task}: {error!r}"))

    # --- webhooks -----------------------------------------------------------------------------------------------------

    async def _deliver(self, webhook: Webhook) -> int:
        """Through a load balancer, which knows who is ready and gives up after a while."""
        ready = [r for r in self.replicas if r.ready and r.process.alive and r.name not in self.sandbox.unreachable]
        if not ready:
            return 0
        replica = self._balancer.choice(ready)
        self.evidence.told(webhook)
        status = await self.patiently(replica.receive(body(webhook)))
        who = f" {webhook.participant.identity}" if webhook.participant else ""
        self.trace.note("webhook", webhook.room.name, f"{webhook.event}{who} to {replica.name}: {status}")
        self.judge.acknowledged(webhook, status)
        return status

    async def patiently(self, request: Coroutine[Any, Any, int]) -> int:
        """What a replica answers, or the load balancer in its place."""
        answer = self.spawn("request", request)
        patience = self.loop.call_later(_PROXY_PATIENCE, answer.cancel)
        try:
            return int(await answer)
        except asyncio.CancelledError:
            return _GATEWAY_TIMEOUT
        finally:
            patience.cancel()

    # --- what is true -------------------------------------------------------------------------------------------------

    def agent(self, room: str, identity: str) -> SandboxAgent | None:
        try:
            return self.sandbox.agent(room, identity)
        except KeyError:
            return None

    def bears_its_name(self, agent: SandboxAgent) -> bool:
        room = self.sandbox._rooms.served(agent.room)
        participant = room.participants.get(agent.identity) if room else None
        return participant is not None and agent_name_of(participant.attributes) is not None

    def served_rooms(self) -> list[OpenRoom]:
        """The rooms that a server has: no ghosts."""
        served = (self.sandbox._rooms.served(name) for name in self.sandbox.rooms)
        return [room for room in served if room is not None]

    def sessions(self) -> list[Session]:
        """As everybody may see them."""
        found = []
        for stored in self.server.sessions.values():
            session = stored.record
            for delivered in stored.inbox:
                session = fold(session, delivered.fact, delivered.at)
            if session is not None:
                found.append(session)
        return found

    def session_of(self, room: str) -> Session | None:
        live = self.sandbox.rooms.get(room)
        stored = self.server.sessions.get(live.sid) if live else None
        return stored.record if stored else None

    def asks_for_an_agent(self, session: Session, placement: Placement) -> bool:
        """Whether somebody should have been verified or told about by now."""
        if session.ended or session.observed or session.empty or not placement.wanting:
            return False
        return not (placement.policy.wait_for_people and session.people <= 0)
