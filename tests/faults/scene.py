"""What a scenario plays on: a LiveKit with workers, three replicas on one Redis, and the wires between them."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from livekit import api

from tests.e2e.harness.alerts import AlertSink, alert_sink
from tests.e2e.harness.api_proxy import Accidents, ApiProxy, api_proxy
from tests.e2e.harness.balancer import Balancer, balancer
from tests.e2e.harness.configs import Config
from tests.e2e.harness.listing import Sampler, sampler
from tests.e2e.harness.livekit import LiveKitServer
from tests.e2e.harness.orchestrator import Json, Orchestrator, webhook_url
from tests.e2e.harness.redis import Flavour, RedisServer, redis_server
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import Behaviour, Seen, TestWorkers

WORKERS: Final[Mapping[str, Behaviour]] = {"light": "light", "process": "in_processes", "slow": "joining_late"}
"""The agent names, each with what its worker does: a thread for each job, a process, five seconds until it joins."""

SPARE: Final = "spare"
"""An agent name for the workers that a scenario starts for itself."""

AGENTS: Final = (*WORKERS, SPARE)

REPLICAS: Final = 3
SEED: Final = 5

DRIVEN: Final = re.compile(r'^rollcall_sessions\{state="\w+"\} (\S+)$', re.MULTILINE)
"""The metric that counts the sessions which a replica drives, by state."""


def agent_of(room: str) -> str:
    """Rooms are named after the agent that they want: `light-3` wants `light`."""
    return room.partition("-")[0]


@dataclass(frozen=True)
class Replica:
    """One `rollcall serve`, and its way to LiveKit's API."""

    rollcall: Orchestrator
    proxy: ApiProxy

    async def start(self) -> None:
        """Run it until it is ready."""
        await self.rollcall.start()

    async def kill(self) -> None:
        """End it at once."""
        await self.rollcall.process.kill()

    def calls_about(self, room: str, *, since: float = float("-inf")) -> list[float]:
        """When it called LiveKit about this room, by the monotonic clock."""
        return [call.at for call in self.proxy.calls if call.at >= since and call.about(room)]


@dataclass(frozen=True)
class Scene:
    """Everything that can fail, and what is needed to judge it."""

    server: LiveKitServer
    workers: TestWorkers
    store: RedisServer
    replicas: tuple[Replica, ...]
    accidents: Accidents
    """On the way from any replica to LiveKit."""
    balancer: Balancer
    watched: Sampler
    alerts: AlertSink
    more_workers: list[TestWorkers]
    """Those that a scenario started besides."""

    def owner(self, room: str) -> Replica:
        """The replica that drives this room's session: the one that called LiveKit about it last."""
        return max(self.replicas, key=lambda replica: max(replica.calls_about(room), default=float("-inf")))

    def replica_behind(self, proxy: ApiProxy) -> Replica:
        """The replica that calls LiveKit through this proxy."""
        return next(replica for replica in self.replicas if replica.proxy is proxy)

    async def taken_over(self, room: str, *, from_: Replica, since: float) -> float:
        """When another replica first called LiveKit about this room, by the monotonic clock."""

        def calls() -> list[float]:
            return [at for other in self.replicas if other is not from_ for at in other.calls_about(room, since=since)]

        return min(await wait_until(calls, timeout=30.0, description=f"another replica drives {room}"))

    async def create(self, *rooms: str) -> None:
        """Open these rooms at once, with nobody in them."""
        async with self.server.api() as livekit:
            await asyncio.gather(*(livekit.room.create_room(api.CreateRoomRequest(name=room)) for room in rooms))

    async def calls(self, method: str, *rooms: str, number: int = 1) -> None:
        """Wait until so many such calls about these rooms were seen on their way to LiveKit."""

        def made() -> bool:
            return number <= sum(
                call.method == method and any(call.about(room) for room in rooms)
                for replica in self.replicas
                for call in replica.proxy.calls
            )

        await wait_until(made, every=0.01, description=f"{number} {method} about {', '.join(rooms)}")

    async def reconciled(self) -> None:
        """Wait until some replica has listed all rooms once: what is found later is new, and not what was there before."""

        def listed() -> bool:
            return any(call.method == "ListRooms" and not call.body for r in self.replicas for call in r.proxy.calls)

        await wait_until(listed, description="a replica lists all rooms")

    async def watch(self, seconds: float) -> None:
        """Go on looking at the listings for so long: that nothing happens can only be seen in time."""
        until = time.monotonic() + seconds
        await wait_until(lambda: time.monotonic() >= until, timeout=seconds + 1, description=f"{seconds:g} s of looks")

    async def drive(self, number: int, replicas: Sequence[Replica]) -> None:
        """Wait until these replicas drive so many sessions between them."""

        async def driven() -> bool:
            metrics = [await replica.rollcall.metrics() for replica in replicas]
            return number == sum(float(count) for text in metrics for count in DRIVEN.findall(text))

        await wait_until(driven, description=f"the replicas that are left drive {number} sessions")

    def jobs(self, room: str) -> list[Seen]:
        """The jobs of this room that workers began, in the order in which they began."""
        crowds = (self.workers, *self.more_workers)
        return sorted((job for crowd in crowds for job in crowd.seen("entered", room=room)), key=lambda job: job.at)

    async def session(self, room: str) -> Json | None:
        """What Rollcall says of this room."""
        running = next(replica for replica in self.replicas if replica.rollcall.process.running)
        return await running.rollcall.session(room)


@asynccontextmanager
async def scene_on(stage: Stage, directory: Path, *, environment: Mapping[str, str] | None = None) -> AsyncIterator[Scene]:
    """Three replicas that are ready on a Redis of their own, ended at the exit; `environment` is added to theirs."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(redis_server(directory, Flavour.REDIS))
        sink = await stack.enter_async_context(alert_sink())
        accidents = Accidents()
        replicas = []
        for _ in range(REPLICAS):
            proxy = await stack.enter_async_context(api_proxy(stage.server, accidents))
            rollcall = Orchestrator(directory, proxy, routes(sink), redis_url=store.url, environment=environment)
            replicas.append(Replica(rollcall, proxy))
        stack.push_async_callback(_clear_away, replicas)
        await asyncio.gather(*(replica.start() for replica in replicas))
        targets = [webhook_url(replica.rollcall.port) for replica in replicas]
        between = await stack.enter_async_context(balancer(stage.webhook_port, targets, seed=SEED))
        watched = await stack.enter_async_context(sampler(stage.server))
        yield Scene(stage.server, stage.workers, store, tuple(replicas), accidents, between, watched, sink, [])


def routes(sink: AlertSink) -> Config:
    """Every room has the agent after which it is named."""
    return {
        "agents": {name: {} for name in AGENTS},
        "routes": [{"room": f"{name}-*", "agents": [name]} for name in AGENTS],
        "alerts": sink.config(),
    }


async def _clear_away(replicas: list[Replica]) -> None:
    await asyncio.gather(*(replica.rollcall.process.clear_away(timeout=5.0) for replica in replicas))
