"""One replica of the real runtime on fakes, in virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from orchestrator.core.facts import CandidateSpec, Fact, PlacementSpec, RoomOpened, RoomStarted, Routed
from orchestrator.core.policy import Policy
from orchestrator.core.session import Session
from orchestrator.runtime.aftercare import Aftercare
from orchestrator.runtime.alarm import Alarm
from orchestrator.runtime.attempt import AttemptRunner, AttemptTimes
from orchestrator.runtime.dispatcher import Dispatcher
from orchestrator.runtime.fencing import FencedLiveKit
from orchestrator.runtime.ghosts import GhostGuard
from orchestrator.runtime.intake import Intake
from orchestrator.runtime.looking import Looker
from orchestrator.runtime.owner import OwnerParts
from orchestrator.runtime.ownership import LeaseTimes, Ownership
from orchestrator.runtime.pacing import Pacing
from orchestrator.runtime.ports import Delivered
from orchestrator.runtime.steward import Steward
from orchestrator.runtime.tasks import Tasks
from tests.fakes.livekit import FakeLiveKit
from tests.fakes.slots import ScriptedSlots
from tests.fakes.store import Line, MemoryAlerts, MemoryLeases, MemoryStore, Server

EPOCH = 1_700_000_000.0


class VirtualClock:
    """The running loop's own time; under looptime it flies."""

    def now(self) -> float:
        return EPOCH + asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Unrandom:
    """Always the middle, and counted ids."""

    def __init__(self) -> None:
        self._count = 0

    def fraction(self) -> float:
        return 0.5

    def attempt_id(self) -> str:
        self._count += 1
        return f"attempt-{self._count}"


class Unobserved:
    def folded(self, before: Session | None, after: Session, delivered: Delivered) -> None:
        return None


def wants(*names: str, policy: Policy | None = None, fallback: Sequence[str] = ()) -> Routed:
    """A route that places these agents, each with a metadata field that names it."""
    return Routed(
        placements=tuple(
            PlacementSpec(tuple(CandidateSpec(n, json.dumps({"persona": n})) for n in (name, *fallback)), policy or Policy())
            for name in names
        ),
        route="test",
    )


class Service:
    """What the composition root builds, on fakes."""

    def __init__(self, route: Routed, *, replica: str = "r1", shared: "Service | None" = None) -> None:
        clock = VirtualClock()
        self.clock = clock
        self.store: MemoryStore = shared.store if shared else MemoryStore(Line(Server(clock)))
        self.slots: ScriptedSlots = shared.slots if shared else ScriptedSlots()
        self.alerts: MemoryAlerts = shared.alerts if shared else MemoryAlerts(self.store.line)
        self.leases: MemoryLeases = shared.leases if shared else MemoryLeases(self.store.line)
        self.livekit: FakeLiveKit = shared.livekit if shared else FakeLiveKit(clock, self.webhook)
        self.crashes: list[str] = []
        self.tasks = Tasks(lambda name, error: self.crashes.append(f"{name}: {error!r}"))
        randomness = Unrandom()
        fenced = FencedLiveKit(self.livekit, self._fenced)
        looker = Looker(fenced, clock, 1.5)
        self.pacing = Pacing(self.slots, clock)
        attempts = AttemptRunner(fenced, looker, self.pacing, GhostGuard(fenced, self.store), clock, randomness, AttemptTimes())
        steward = Steward(
            Dispatcher(looker, attempts, self.pacing, clock, randomness),
            Aftercare(fenced, looker, attempts, clock, 1.5),
            Alarm(self.alerts, clock, lambda _: None),
            self.tasks,
            clock,
        )
        parts = OwnerParts(self.store, clock, lambda _room, _metadata: route, Unobserved(), replica)
        self.ownership: Ownership = Ownership(parts, self.leases, steward, self.tasks, clock, LeaseTimes())
        self.intake = Intake(self.store, replica, self.ownership.wake)

    def _fenced(self) -> bool:
        return self.ownership.fenced()

    async def webhook(self, opening: RoomOpened, fact: Fact) -> None:
        await self.intake.receive(opening, [fact], event_id=None)

    async def start_room(self, name: str = "support-17") -> RoomOpened:
        opening = self.livekit.open_room(name)
        await self.webhook(opening, RoomStarted(created_at=opening.started_at))
        return opening

    async def session(self, name: str = "support-17") -> Session:
        sid = await self.store.find(name)
        session = await self.store.read(sid or "")
        assert session is not None
        return session

    async def until(self, name: str, condition: Callable[[Session], Any], timeout: float = 300.0) -> Session:
        """The session as soon as it is so, in virtual time."""
        async with asyncio.timeout(timeout):
            while True:
                session = await self.session(name)
                if session.routed and condition(session):
                    return session
                await self.clock.sleep(0.05)


@asynccontextmanager
async def running(route: Routed, *, replica: str = "r1", shared: Service | None = None) -> AsyncIterator[Service]:
    service = Service(route, replica=replica, shared=shared)
    await service.ownership.start()
    service.tasks.spawn("lease", service.ownership.keep_lease())
    service.tasks.spawn("takeover", service.ownership.take_over())
    try:
        yield service
    finally:
        await service.ownership.stop()
        await service.tasks.cancel()
        assert service.crashes == []
