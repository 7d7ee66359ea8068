"""What a live session takes in the process that drives it: the memory of one replica with 10,000 of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.figure import Figure
from tests.benchmarks.fleet import connected, in_progress, leave_alone
from tests.benchmarks.resident import resident_megabytes
from tests.benchmarks.stub_livekit import stub_livekit
from tests.e2e.harness.orchestrator import orchestrator
from tests.e2e.harness.redis import redis_server
from tests.e2e.harness.wait import wait_until

SESSIONS = 10_000
TAKEN_OVER = 1_000
"""From one replica that died: they come one after the other, as calls do, and not all at once."""

CONFIG = {
    "agents": {"mary": {"metadata": {"persona": "mary"}}},
    "routes": [{"agents": ["mary"]}],
    # With the default it would take minutes until all have been looked into.
    "api_budget": "1000/s",
    # Every agent is asked, and the machine is not kept busy by it.
    "pulse_period": "60s",
}

_MEGABYTE = 1024 * 1024


async def measure(directory: Path) -> Sequence[Figure]:
    """How much a replica grows that takes calls over, each with a verified agent, which it asks and looks after."""
    async with (
        stub_livekit() as livekit,
        redis_server(directory) as store,
        orchestrator(directory, livekit, CONFIG, redis_url=store.url) as service,
        connected(store.url) as connection,
    ):
        idle = resident_megabytes(service.process.pid)
        for start in range(0, SESSIONS, TAKEN_OVER):
            calls = range(start, start + TAKEN_OVER)
            await in_progress(connection, livekit, calls, owner=f"dead-{start}")
            await leave_alone(connection, f"dead-{start}")
            await wait_until(
                lambda calls=calls: len(livekit.asked) == calls.stop,  # type: ignore[misc]
                timeout=120.0,
                description=f"{calls.stop} agents have been asked",
            )
        await wait_until(
            lambda: len(livekit.looked_into) == SESSIONS, timeout=120.0, description="every room has been looked into"
        )
        grown = resident_megabytes(service.process.pid) - idle
    return [Figure("memory of one live session in the process", "B", ours=grown * _MEGABYTE / SESSIONS, samples=SESSIONS)]
