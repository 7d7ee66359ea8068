"""One replica of the real service, put together as orchestrator/app does, on the model of the store and the sandbox."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Final

from orchestrator.livekit.webhook import Event, Ignored, parse
from orchestrator.runtime.assembly import Ports, Runtime, Times
from orchestrator.runtime.budget import Allowance
from orchestrator.runtime.ports import LiveKit, StoreUnavailable
from orchestrator.runtime.tasks import Tasks
from orchestrator.sandbox.direct import DirectLiveKit
from tests.fakes.store import (
    Line,
    MemoryHearing,
    MemoryIncidents,
    MemoryPauses,
    MemoryRounds,
    MemoryShares,
    MemorySlots,
    MemoryWorkers,
    Subscriber,
)
from tests.simulation.audit import AuditedAlerts, AuditedLeases, AuditedLiveKit, AuditedStore
from tests.simulation.clocks import ReplicaClock
from tests.simulation.loop import Process
from tests.unit.runtime.service import Unobserved

if TYPE_CHECKING:
    from tests.simulation.world import World

_CALLS_PER_SECOND: Final = 200.0
_STORE_RETRY: Final = 1.0
_CLOCK_PERIOD: Final = 5.0
_STORING: Final = 5.0
"""As orchestrator/app and orchestrator/web/webhooks have them."""

_ACKNOWLEDGED, _UNAVAILABLE = 200, 503


class Chance:
    """The runtime's randomness, from the seed."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def fraction(self) -> float:
        return self._chance.random()

    def attempt_id(self) -> str:
        return f"{self._chance.getrandbits(64):016x}"


class Composition:
    """What a replica is made of. A planted bug is one of these with a part put in another's place."""

    name: str = ""

    def in_place(self) -> AbstractContextManager[None]:
        """Around the whole run."""
        return nullcontext()

    def store(self, line: Line, replica: str, world: "World") -> AuditedStore:
        return AuditedStore(line, replica, world.judge)

    def livekit(self, livekit: LiveKit) -> LiveKit:
        return livekit

    def runtime(self, replica: "Replica", ports: Ports) -> Runtime:
        clock = ports.clock
        return Runtime(
            replica.name,
            ports,
            Times(),
            route=replica.world.plan.route,
            tasks=replica.tasks,
            allowance=Allowance(_CALLS_PER_SECOND, clock, replica.tasks),
        )

    def read(self, body: bytes) -> Event | Ignored:
        return parse(body)


class Replica:
    """A process. Everything in it is made and runs in its context, and is gone with it."""

    def __init__(self, name: str, world: "World", composition: Composition) -> None:
        self.name = name
        self.world = world
        self.process = Process(world.loop, name)
        self.line = Line(world.server, latency=world.latency)
        self.ready = False
        self._composition = composition
        self.clock = ReplicaClock(world.loop, wrong_by=world.chance(f"clock/{name}").uniform(-30.0, 30.0))
        self.tasks = Tasks(lambda task, error: world.crashed(name, task, error))
        self.process.context.run(self._build)

    def _build(self) -> None:
        line, world, composition = self.line, self.world, self._composition
        self.store = composition.store(line, self.name, world)
        direct = DirectLiveKit(world.sandbox, world.clock, replica=self.name)
        self._ports = Ports(
            store=self.store,
            slots=MemorySlots(line),
            leases=AuditedLeases(line, self.name, world),
            rounds=MemoryRounds(line),
            hearing=MemoryHearing(line),
            shares=MemoryShares(line),
            workers=MemoryWorkers(line),
            pauses=MemoryPauses(line, world.paused),
            incidents=MemoryIncidents(line),
            alerts=AuditedAlerts(line, world.judge),
            livekit=composition.livekit(AuditedLiveKit(direct, self.name, world)),
            clock=self.clock,
            randomness=Chance(world.chance(f"replica/{self.name}")),
            observer=Unobserved(),
        )
        self.runtime = composition.runtime(self, self._ports)
        world.server.subscribers[self.name] = Subscriber(
            on_session=lambda sid: self._hear(self.runtime.ownership.wake, sid),
            on_slots=lambda agent_name: self._hear(self.runtime.pacing.freed, agent_name),
            on_reconnect=self.hear_again,
            on_worker=lambda agent_name: self._hear(self.runtime.fleet.arrived, agent_name),
        )

    def start(self) -> None:
        self.process.spawn("begin", self._begin())

    async def _begin(self) -> None:
        while True:
            try:
                await self._read_clock()
                await self.runtime.start()
            except StoreUnavailable:
                await self.clock.sleep(_STORE_RETRY)
            else:
                break
        self.ready = True
        self.tasks.spawn("clock", self._keep_time())

    async def _read_clock(self) -> None:
        asked_at = self.clock.monotonic()
        self.clock.learn(await self.store.now(), asked_at=asked_at)

    async def _keep_time(self) -> None:
        while True:
            await self.clock.sleep(_CLOCK_PERIOD)
            try:
                await self._read_clock()
            except StoreUnavailable:
                continue

    async def stop(self) -> None:
        """As SIGTERM does."""
        self.ready = False
        await self.runtime.stop()
        await self.tasks.cancel()

    # --- what comes from outside --------------------------------------------------------------------------------------

    async def receive(self, body: bytes) -> int:
        """What the webhook's sender is answered. The caller waits in its own context, whatever becomes of this process."""
        return await self.asked(lambda: self._acknowledge(body))

    async def asked(self, work: Callable[[], Coroutine[Any, Any, int]]) -> int:
        """The status with which this process answers; 0: it died before."""
        answer: asyncio.Future[int] = self.world.loop.create_future()
        self.process.connect(answer, 0)
        self.process.spawn("request", self._answer(work, answer))
        return await answer

    async def _answer(self, work: Callable[[], Coroutine[Any, Any, int]], answer: asyncio.Future[int]) -> None:
        try:
            status = await work()
        except Exception as error:  # a task's top: a defect in a request must not look like a lost answer
            self.world.crashed(self.name, "request", error)
            raise
        if not answer.done():
            answer.set_result(status)

    async def _acknowledge(self, body: bytes) -> int:
        event = self._composition.read(body)
        if isinstance(event, Event):
            try:
                async with asyncio.timeout(_STORING):
                    await self.runtime.intake.receive(event.opening, event.facts, event_id=event.event_id)
            except (StoreUnavailable, TimeoutError):
                return _UNAVAILABLE
        return _ACKNOWLEDGED

    def _hear(self, told: Callable[[str], object], what: str) -> None:
        """A message of another replica, through the store; lost when nobody hears it."""
        if not (self.line.cut or self.line.deaf):
            self.world.loop.call_later(self.world.latency(), told, what, context=self.process.context)

    def hear_again(self) -> None:
        """The connection for messages is back: what was missed is looked for."""
        self.world.loop.call_later(self.world.latency(), self.runtime.ownership.wake_all, context=self.process.context)
