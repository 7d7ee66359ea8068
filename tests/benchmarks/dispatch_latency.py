"""From room_started to CreateDispatch on the wire: the service against a handler that only verifies and calls."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.benchmarks.figure import Figure
from tests.benchmarks.stub_livekit import StubLiveKit, stub_livekit
from tests.benchmarks.traffic import PATH, Webhook, life, of_event
from tests.e2e.harness.child import ChildProcess, clean_environment
from tests.e2e.harness.orchestrator import Orchestrator, orchestrator
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.redis import redis_server
from tests.e2e.harness.wait import wait_until

SAMPLES = 150
WARM_UP = 10

CONFIG = {
    "agents": {"mary": {"metadata": {"persona": "mary"}}},
    "routes": [{"agents": ["mary"]}],
    # One room after the other without a pause would wait for the budget of API calls, which is not what is measured.
    "api_budget": "10000/s",
}


async def measure(directory: Path) -> Sequence[Figure]:
    """One room at a time, of the one and of the other in turn."""
    async with (
        stub_livekit() as livekit,
        redis_server(directory) as store,
        orchestrator(directory, livekit, CONFIG, redis_url=store.url) as service,
        _bare_dispatcher(directory, livekit) as bare,
        aiohttp.ClientSession() as http,
    ):
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(WARM_UP + SAMPLES):
            webhooks = life()
            ours.append(await _until_dispatched(http, livekit, service.port, webhooks))
            await _end(http, livekit, service, webhooks)
            webhooks = life()
            theirs.append(await _until_dispatched(http, livekit, bare, webhooks))
    return [
        Figure(
            "room_started to CreateDispatch, p50, against verify and call",
            "ms",
            ours=1000 * statistics.median(ours[WARM_UP:]),
            baseline=1000 * statistics.median(theirs[WARM_UP:]),
            goal=3.0,
            samples=SAMPLES,
        )
    ]


async def _until_dispatched(http: aiohttp.ClientSession, livekit: StubLiveKit, port: int, webhooks: list[Webhook]) -> float:
    """Seconds from sending room_started to the arrival of CreateDispatch."""
    started = of_event(webhooks, "room_started")
    called = livekit.expect(started.room, started.sid)
    headers = started.headers()
    sent_at = time.perf_counter()
    await _post(http, port, started, headers)
    return await called - sent_at


async def _end(http: aiohttp.ClientSession, livekit: StubLiveKit, service: Orchestrator, webhooks: list[Webhook]) -> None:
    """Let the agent come and the room end, so that the next sample finds no slot taken and nothing under way."""
    for event, agent in (("participant_joined", True), ("room_finished", False)):
        webhook = of_event(webhooks, event, agent=agent)
        await _post(http, service.port, webhook, webhook.headers())
    await service.wait_for_state(webhooks[0].sid, "ended")
    livekit.close(webhooks[0].room)


async def _post(http: aiohttp.ClientSession, port: int, webhook: Webhook, headers: dict[str, str]) -> None:
    async with http.post(f"http://{LOOPBACK}:{port}{PATH}", data=webhook.body, headers=headers) as answer:
        answer.raise_for_status()


@asynccontextmanager
async def _bare_dispatcher(directory: Path, livekit: StubLiveKit) -> AsyncIterator[int]:
    """The port of a bare dispatcher that listens."""
    port = free_port()
    process = ChildProcess(
        [sys.executable, "-m", "tests.benchmarks.bare_dispatcher", str(port)],
        log=directory / "bare-dispatcher.log",
        environment=clean_environment(**livekit.environment()),
    )
    try:
        process.start()
        await wait_until(lambda: "Running on" in process.logged(), timeout=15.0, description="the bare dispatcher listens")
        yield port
    finally:
        await process.clear_away()
