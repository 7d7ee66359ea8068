"""Three ways to get an agent into a room that a caller has just opened: to ask once, to ask again, and Rollcall.

Each is entered before the first room opens, and is then told of every room, as the application that opens it would be.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from orchestrator.core.facts import CandidateSpec, PlacementSpec, Routed
from orchestrator.livekit.webhook import Event, parse
from orchestrator.runtime.assembly import Ports, Runtime, Times
from orchestrator.runtime.budget import Allowance
from orchestrator.runtime.ports import Clock
from orchestrator.runtime.tasks import Tasks
from orchestrator.sandbox.direct import DirectLiveKit
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.model import Webhook
from orchestrator.sandbox.wire import body
from tests.fakes.store import (
    Line,
    MemoryAlerts,
    MemoryHearing,
    MemoryIncidents,
    MemoryLeases,
    MemoryPauses,
    MemoryRounds,
    MemoryShares,
    MemorySlots,
    MemoryStore,
    MemoryWorkers,
    Server,
    Subscriber,
)
from tests.simulation.replica import Chance
from tests.unit.runtime.service import Unobserved

AGENT = "mary"

_CALLS_PER_SECOND = 200.0
"""Rollcall's own default; nobody counts the calls of the other two."""

_ASK_AGAIN = 5.0
_MOST_CALLS = 6
"""Rollcall's own limit of attempts."""

_REPLICA = "bench"


@dataclass(frozen=True, slots=True)
class Place:
    """Where it happens."""

    sandbox: Sandbox
    clock: Clock
    tasks: Tasks


Opened = Callable[[str], None]
Way = Callable[[Place], AbstractAsyncContextManager[Opened]]


@asynccontextmanager
async def once(place: Place) -> AsyncIterator[Opened]:
    """CreateDispatch answers 200, and that is that."""

    async def dispatch(room: str) -> None:
        await place.sandbox.create_dispatch(room, AGENT)

    yield lambda room: _begin(place, room, dispatch(room))


@asynccontextmanager
async def again(place: Place) -> AsyncIterator[Opened]:
    """CreateDispatch again and again, until a job or an agent is listed: what people write."""
    sandbox = place.sandbox

    async def dispatch(room: str) -> None:
        for _ in range(_MOST_CALLS):
            await sandbox.create_dispatch(room, AGENT)
            await place.clock.sleep(_ASK_AGAIN)
            if any(dispatch.jobs for dispatch in await sandbox.list_dispatch(room)):
                return
            if any(participant.is_agent for participant in await sandbox.list_participants(room)):
                return

    yield lambda room: _begin(place, room, dispatch(room))


@asynccontextmanager
async def rollcall(place: Place) -> AsyncIterator[Opened]:
    """One replica, as the service puts it together, told by LiveKit's webhooks alone."""
    runtime = _runtime(place)

    async def receive(webhook: Webhook) -> int:
        event = parse(body(webhook))
        if isinstance(event, Event):
            await runtime.intake.receive(event.opening, event.facts, event_id=event.event_id)
        return 200

    await runtime.start()
    place.sandbox.deliver = receive
    yield lambda _room: None
    await runtime.stop()


def _begin(place: Place, room: str, work: Coroutine[Any, Any, None]) -> None:
    place.tasks.spawn(f"dispatch to {room}", work)


def _runtime(place: Place) -> Runtime:
    clock, server = place.clock, Server(place.clock)
    line = Line(server)
    ports = Ports(
        store=MemoryStore(line),
        slots=MemorySlots(line),
        leases=MemoryLeases(line),
        rounds=MemoryRounds(line),
        hearing=MemoryHearing(line),
        shares=MemoryShares(line),
        workers=MemoryWorkers(line),
        pauses=MemoryPauses(line),
        incidents=MemoryIncidents(line),
        alerts=MemoryAlerts(line),
        livekit=DirectLiveKit(place.sandbox, clock),
        clock=clock,
        randomness=Chance(random.Random(_REPLICA)),  # noqa: S311  # a simulation's, and keeps no secrets
        observer=Unobserved(),
    )
    wanted = Routed((PlacementSpec((CandidateSpec(AGENT, json.dumps({"persona": AGENT})),)),), route="bench")
    runtime = Runtime(
        _REPLICA,
        ports,
        Times(),
        route=lambda _room, _metadata: wanted,
        tasks=place.tasks,
        allowance=Allowance(_CALLS_PER_SECOND, clock, place.tasks),
    )
    server.subscribers[_REPLICA] = Subscriber(
        on_session=runtime.ownership.wake,
        on_slots=runtime.pacing.freed,
        on_reconnect=runtime.ownership.wake_all,
    )
    return runtime
