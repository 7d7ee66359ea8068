"""What an orchestrator takes: memory when it is idle, time to import, and what a live session takes in the store."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.dispatch_latency import CONFIG
from tests.benchmarks.figure import Figure
from tests.benchmarks.per_session import STORED, bytes_in_the_store
from tests.benchmarks.resident import resident_megabytes
from tests.benchmarks.stub_livekit import stub_livekit
from tests.e2e.harness.child import REPOSITORY
from tests.e2e.harness.orchestrator import orchestrator
from tests.e2e.harness.redis import Flavour, redis_server

IMPORTS = 7

SERVICE = "import orchestrator.serving, sys; assert 'livekit.agents' not in sys.modules"
LEAST = "import aiohttp.web, livekit.api, redis.asyncio"
"""What every service that gets LiveKit's webhooks and stores something imports."""

TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"


async def measure(directory: Path) -> Sequence[Figure]:
    """The resident memory once it is ready, the median time of importing it, and the bytes per live session."""
    async with (
        stub_livekit() as livekit,
        redis_server(directory) as store,
        orchestrator(directory, livekit, CONFIG, redis_url=store.url) as service,
    ):
        resident = resident_megabytes(service.process.pid)
    ours, least = _import_times()
    return [
        Figure("memory of an idle orchestrator", "MB", ours=resident, goal=120, samples=1),
        Figure(
            "time to import it, against aiohttp, livekit-api and redis-py",
            "s",
            ours=statistics.median(ours),
            baseline=statistics.median(least),
            samples=IMPORTS,
        ),
        *[figure for flavour in Flavour for figure in await _per_session(directory, flavour)],
    ]


async def _per_session(directory: Path, flavour: Flavour) -> Sequence[Figure]:
    """Of this kind of store, if it is installed."""
    try:
        size = await bytes_in_the_store(directory, flavour)
    except FileNotFoundError as missing:
        print(f"bench: left out: {missing}")
        return []
    return [Figure(f"memory of one live session in {flavour}", "B", ours=size, goal=4096, samples=STORED)]


def _import_times() -> tuple[list[float], list[float]]:
    ours: list[float] = []
    least: list[float] = []
    for _ in range(IMPORTS):
        ours.append(_seconds_to_import(SERVICE))
        least.append(_seconds_to_import(LEAST))
    return ours, least


def _seconds_to_import(what: str) -> float:
    return float(subprocess.check_output([sys.executable, "-c", TIMED.format(what)], cwd=REPOSITORY, text=True))
