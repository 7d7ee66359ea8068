"""One replica of the real runtime on fakes, in virtual time."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from orchestrator.core.facts import CandidateSpec, Fact, PlacementSpec, RoomOpened, RoomStarted, Routed
from orchestrator.core.listing import ListedRoom
from orchestrator.core.policy import Policy
from orchestrator.core.session import Session
from orchestrator.runtime.assembly import Ports, Runtime, Times
from orchestrator.runtime.attempt import Traceparent, untold
from orchestrator.runtime.budget import Allowance
from orchestrator.runtime.owner import Route
from orchestrator.runtime.ports import Delivered
from orchestrator.runtime.reconciler import ReconcilerTimes
from orchestrator.runtime.tasks import Tasks
from tests.fakes.livekit import FakeLiveKit
from tests.fakes.slots import ScriptedSlots
from tests.fakes.store import (
    Line,
    MemoryAlerts,
    MemoryHearing,
    MemoryIncidents,
    MemoryLeases,
    MemoryPauses,
    MemoryRounds,
    MemoryShares,
    MemoryStore,
    MemoryWorkers,
    Server,
    Subscriber,
)

EPOCH = 1_700_000_000.0

UNLIMITED = 1_000_000.0
"""Calls per second: what a test is about is not the budget."""

UNRECONCILED = ReconcilerTimes(period=0.0)


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


def _unheard(_: str) -> None:
    """Replicas wake each other in the simulation; here they do without."""


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

    def __init__(
        self,
        route: Routed | Route,
        *,
        replica: str = "r1",
        shared: "Service | None" = None,
        times: Times | None = None,
        configured: Collection[str] = (),
        traceparent: Traceparent = untold,
    ) -> None:
        clock = VirtualClock()
        self.clock = clock
        self.store: MemoryStore = shared.store if shared else MemoryStore(Line(Server(clock)))
        self.slots: ScriptedSlots = shared.slots if shared else ScriptedSlots()
        self.alerts: MemoryAlerts = shared.alerts if shared else MemoryAlerts(self.store.line)
        self.leases: MemoryLeases = shared.leases if shared else MemoryLeases(self.store.line)
        self.livekit: FakeLiveKit = shared.livekit if shared else FakeLiveKit(clock, self.webhook)
        self.pauses: MemoryPauses = shared.pauses.beside(self.store.line) if shared else MemoryPauses(self.store.line)
        self.crashes: list[str] = []
        self._event_ids = itertools.count(1)
        self.tasks = Tasks(lambda name, error: self.crashes.append(f"{name}: {error!r}"))
        line = self.store.line
        ports = Ports(
            store=self.store,
            slots=self.slots,
            leases=self.leases,
            rounds=MemoryRounds(line),
            hearing=MemoryHearing(line),
            shares=MemoryShares(line),
            workers=MemoryWorkers(line),
            pauses=self.pauses,
            incidents=MemoryIncidents(line),
            alerts=self.alerts,
            livekit=self.livekit,
            clock=clock,
            randomness=Unrandom(),
            observer=Unobserved(),
        )
        self.runtime = Runtime(
            replica,
            ports,
            times or Times(reconciler=UNRECONCILED),
            route=(lambda _room, _metadata: route) if isinstance(route, Routed) else route,
            tasks=self.tasks,
            allowance=Allowance(UNLIMITED, clock, self.tasks),
            configured=configured,
            traceparent=traceparent,
        )
        line.server.subscribers[replica] = Subscriber(_unheard, _unheard, lambda: None, on_worker=self.runtime.fleet.arrived)
        self.ownership = self.runtime.ownership
        self.pacing = self.runtime.pacing
        self.intake = self.runtime.intake

    async def webhook(self, opening: RoomOpened, fact: Fact) -> None:
        await self.intake.receive(opening, [fact], event_id=f"EV_{next(self._event_ids)}")

    async def start_room(self, name: str = "support-17") -> RoomOpened:
        opening = self.livekit.open_room(name)
        await self.webhook(opening, RoomStarted(created_at=opening.started_at))
        return opening

    async def opened(self, name: str) -> None:
        """Wait until the room has a session, by whatever way."""
        async with asyncio.timeout(120):
            while await self.store.find(name) is None:
                await self.clock.sleep(0.05)

    async def tell_started(self, room: ListedRoom) -> None:
        """room_started, again."""
        await self.webhook(RoomOpened(room.name, room.sid, room.created_at), RoomStarted(created_at=self.clock.now()))

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
async def running(
    route: Routed | Route,
    *,
    replica: str = "r1",
    shared: Service | None = None,
    times: Times | None = None,
    configured: Collection[str] = (),
    traceparent: Traceparent = untold,
) -> AsyncIterator[Service]:
    service = Service(route, replica=replica, shared=shared, times=times, configured=configured, traceparent=traceparent)
    await service.runtime.start()
    try:
        yield service
    finally:
        await service.ownership.stop()
        await service.tasks.cancel()
        assert service.crashes == []
