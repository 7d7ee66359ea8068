"""Webhooks stored per second on one core: our door against LiveKit's WebhookReceiver, with the same script behind both."""

from __future__ import annotations

import statistics
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.benchmarks.cores import one_core_left_free
from tests.benchmarks.doors import CPU_PATH
from tests.benchmarks.figure import Figure
from tests.benchmarks.load import send_all
from tests.benchmarks.traffic import LIFE, rooms
from tests.e2e.harness.child import ChildProcess
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.redis import RedisServer, redis_server
from tests.e2e.harness.wait import wait_until

ROUNDS = 7
ROOMS = 600
"""Per round and door."""
WARM_UP = 100
CONNECTIONS = 64


async def measure(directory: Path) -> Sequence[Figure]:
    """Rounds of both, in turn; everything but the doors shares the other cores."""
    with one_core_left_free() as core:
        async with (
            redis_server(directory) as store,
            _door("ours", directory, store, core) as ours,
            _door("official", directory, store, core) as official,
        ):
            rates = await _rates(ours, official)
    return [
        Figure(
            "webhooks stored per second of one core, against WebhookReceiver",
            "/s",
            ours=statistics.median(rates[ours]),
            baseline=statistics.median(rates[official]),
            goal=3.0,
            at_least=True,
            samples=ROUNDS * ROOMS * len(LIFE),
        )
    ]


async def _rates(*ports: int) -> dict[int, list[float]]:
    """Webhooks per second of the core, round by round, of the door behind each port.

    By the time that the door had the core, not by the clock: what else runs on this machine must not decide. With so
    many connections a door that could be waiting for the store has another webhook to work on.
    """
    rates: dict[int, list[float]] = {port: [] for port in ports}
    async with aiohttp.ClientSession() as http:
        for port in ports:
            await send_all(port, rooms(WARM_UP), CONNECTIONS)
        for _ in range(ROUNDS):
            for port, measured in rates.items():
                requests = rooms(ROOMS)
                before = await _cpu_seconds(http, port)
                await send_all(port, requests, CONNECTIONS)
                measured.append(ROOMS * len(LIFE) / (await _cpu_seconds(http, port) - before))
    return rates


async def _cpu_seconds(http: aiohttp.ClientSession, port: int) -> float:
    async with http.get(f"http://{LOOPBACK}:{port}{CPU_PATH}") as answer:
        return float(await answer.text())


@asynccontextmanager
async def _door(name: str, directory: Path, store: RedisServer, core: int) -> AsyncIterator[int]:
    """The port of a door that listens."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.doors", name, str(port), store.url, str(core)]
    process = ChildProcess(command, log=directory / f"door-{name}.log")
    try:
        process.start()
        await wait_until(lambda: "listening" in process.logged(), timeout=15.0, description=f"the door {name} listens")
        yield port
    finally:
        await process.clear_away()
