"""The two doors that are compared, each a process of its own: `python -m tests.benchmarks.doors ours|official PORT URL CORE`.

Both are aiohttp, listen for the same webhooks, store them with the same script, and answer 200 once that is done.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from livekit.api import TokenVerifier, WebhookReceiver
from livekit.protocol.models import ParticipantInfo
from livekit.protocol.webhook import WebhookEvent
from redis.asyncio import Redis

from orchestrator.observability.logs import configure
from orchestrator.observability.metrics import Metrics
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.intake import Intake
from orchestrator.runtime.tasks import Tasks
from orchestrator.serving import spare_the_collector
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script
from orchestrator.store.sessions import Retention, Sessions
from orchestrator.web.errors import answer_errors
from orchestrator.web.server import build_runner
from orchestrator.web.webhooks import PATH, WebhookDoor, WebhookLimits
from tests.benchmarks.cores import keep_to
from tests.e2e.harness.livekit import API_KEY, API_SECRET
from tests.e2e.harness.ports import LOOPBACK

REPLICA = "bench"
CPU_PATH = "/cpu"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def ours(redis_url: str) -> AsyncIterator[Handler]:
    """The service's own door: verifier, parser, intake, store. Nobody drives what it stores."""
    configure(sys.stderr, level="info", pretty=False)
    webhooks = Metrics((), "").webhooks
    tasks = Tasks(lambda _name, _error: None)
    connection = Connection(redis_url, tasks.spawn)
    spare_the_collector()  # as `rollcall serve` does
    intake = Intake(Sessions(connection, Keys(), Retention()), REPLICA, lambda _sid, _claimed: None)
    try:
        yield WebhookDoor(
            {API_KEY: API_SECRET},
            intake,
            StoreClock(),
            WebhookLimits(),
            lambda seen: webhooks.labels(seen.outcome).inc(),
        ).post
    finally:
        await tasks.cancel()
        await connection.close()


@asynccontextmanager
async def official(redis_url: str) -> AsyncIterator[Handler]:
    """What LiveKit's documentation shows, and one call of the script with what was received."""
    receiver = WebhookReceiver(TokenVerifier(API_KEY, API_SECRET))
    append = Script.load("append")
    keys = Keys()
    async with Redis.from_url(redis_url) as redis:
        script = redis.register_script(append.source)

        async def post(request: web.Request) -> web.Response:
            event = receiver.receive(await request.text(), request.headers["Authorization"])
            sid = event.room.sid
            names = (keys.session, keys.inbox, keys.people, keys.early, keys.buried)
            await script(
                keys=[*(name(sid) for name in names), keys.seen(sid, event.id)],
                args=[REPLICA, 1, sid, keys.wake_channel(""), 604_800, 86_400, _opening(event), *_fact(event)],
            )
            return web.Response()

        yield post


def _opening(event: WebhookEvent) -> str:
    room = event.room
    return json.dumps({"fact": "room_opened", "room": room.name, "sid": room.sid, "started_at": room.creation_time_ms / 1000})


def _fact(event: WebhookEvent) -> tuple[str, str, str]:
    """The effect on the people, the participant, and the fact."""
    participant = event.participant
    fact = json.dumps({"fact": event.event, "identity": participant.identity, "at": event.created_at})
    if participant.kind == ParticipantInfo.Kind.STANDARD and event.event in _EFFECTS:
        return _EFFECTS[event.event], participant.sid, fact
    return "", "", fact


_EFFECTS = {"participant_joined": "+", "participant_left": "-"}

DOORS = {"ours": ours, "official": official}


async def _cpu_seconds(_: web.Request) -> web.Response:
    """What this process has used so far."""
    return web.Response(text=str(time.process_time()))


async def serve(door: str, port: int, redis_url: str, core: int) -> None:
    """Serve until SIGTERM, on this core alone: what is measured is the work of one."""
    keep_to({core})
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with DOORS[door](redis_url) as post:
        app = web.Application(middlewares=[answer_errors] if door == "ours" else [])
        app.router.add_post(PATH, post)
        app.router.add_get(CPU_PATH, _cpu_seconds)
        runner = build_runner(app)
        await runner.setup()
        await web.TCPSite(runner, LOOPBACK, port).start()
        print("listening", flush=True)
        await stopping.wait()
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
