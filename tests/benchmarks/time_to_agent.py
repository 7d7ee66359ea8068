"""From CreateRoom to the agent in the room, on an idle real server: through Rollcall against LiveKit's own dispatch."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from livekit import api

from tests.benchmarks.figure import Figure
from tests.e2e.harness.listening import listening
from tests.e2e.harness.livekit import livekit_server
from tests.e2e.harness.orchestrator import orchestrator, webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.redis import redis_server
from tests.e2e.harness.workers import TestWorkers, workers

SAMPLES = 20
WARM_UP = 2

CONFIG = {"agents": {"mary": {}}, "routes": [{"room": "rollcall-*", "agents": ["mary"]}, {"agents": []}]}
"""Rooms of the baseline are nobody's: no call of ours delays their agent."""

AGENT_SECONDS = 15.0


class Listener:
    """Hears what LiveKit tells everybody whose address it has: when which room got its agent."""

    def __init__(self) -> None:
        self.port = free_port()
        self._joined: dict[str, asyncio.Future[float]] = {}

    def agent_of(self, room: str) -> asyncio.Future[float]:
        """When its agent became ACTIVE, as `time.perf_counter` read on hearing of it."""
        return self._joined.setdefault(room, asyncio.get_running_loop().create_future())

    async def post(self, request: web.Request) -> web.Response:
        heard_at = time.perf_counter()
        event = json.loads(await request.read())
        if event["event"] == "participant_joined" and event["participant"].get("kind") == "AGENT":
            joined = self.agent_of(event["room"]["name"])
            if not joined.done():
                joined.set_result(heard_at)
        return web.Response()


async def measure(directory: Path) -> Sequence[Figure]:
    """One room at a time, of the one and of the other in turn."""
    port = free_port()
    async with (
        _listener() as listener,
        redis_server(directory) as store,
        livekit_server(directory, webhook_urls=[webhook_url(port), webhook_url(listener.port)]) as server,
        workers(directory, server, {"mary": "light"}) as crowd,
        orchestrator(directory, server, CONFIG, port=port, redis_url=store.url),
        server.api() as livekit,
    ):
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(WARM_UP + SAMPLES):
            ours.append(await _sample(livekit, listener, crowd, "rollcall", []))
            theirs.append(await _sample(livekit, listener, crowd, "livekit", [api.RoomAgentDispatch(agent_name="mary")]))
    return [
        Figure(
            "time to agent, p50, against CreateRoom with agents",
            "ms",
            ours=1000 * statistics.median(ours[WARM_UP:]),
            baseline=1000 * statistics.median(theirs[WARM_UP:]),
            goal=1.1,
            samples=SAMPLES,
        )
    ]


async def _sample(
    livekit: api.LiveKitAPI, listener: Listener, crowd: TestWorkers, kind: str, agents: Sequence[api.RoomAgentDispatch]
) -> float:
    """Seconds from the call that creates the room to the news that its agent is ACTIVE; all is quiet again afterwards."""
    room = f"{kind}-{uuid.uuid4().hex[:8]}"
    joined = listener.agent_of(room)
    began = time.perf_counter()
    await livekit.room.create_room(api.CreateRoomRequest(name=room, agents=agents))
    async with asyncio.timeout(AGENT_SECONDS):
        took = await joined - began
    await livekit.room.delete_room(api.DeleteRoomRequest(room=room))
    await crowd.wait_for("ended", room=room)
    return took


@asynccontextmanager
async def _listener() -> AsyncIterator[Listener]:
    listener = Listener()
    async with listening(listener.port, web.post("/webhooks/livekit", listener.post)):
        yield listener
