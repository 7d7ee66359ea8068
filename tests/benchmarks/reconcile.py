"""What one round of the reconciler costs with 10,000 rooms, against fetching and parsing LiveKit's list of them alone.

LiveKit is a stub in another process (this one): the real adapter talks to it, over loopback, in real protobuf.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.figure import Figure
from tests.benchmarks.fleet import connected, in_progress, listed, person
from tests.benchmarks.one_round import Cost
from tests.benchmarks.stub_livekit import StubLiveKit, stub_livekit
from tests.e2e.harness.child import ChildProcess, clean_environment
from tests.e2e.harness.redis import RedisServer, redis_server

ROOMS = 10_000
DIFFERING = ROOMS // 100
ROUNDS = 5

CPU_GOAL = 5.0
"""Seconds: a third of the time between two rounds."""


async def measure(directory: Path) -> Sequence[Figure]:
    """Rooms that agree, all of them quiet for so long that as many are looked into as a round may; then 1 % that differ."""
    async with redis_server(directory) as store, stub_livekit() as livekit:
        async with connected(store.url) as connection:
            rooms = await in_progress(connection, livekit, range(ROOMS), owner="owner")
        agreeing = await _rounds(directory, store, livekit, ROUNDS)
        _change(livekit, rooms)
        differing = await _rounds(directory, store, livekit, 1)
    return [*_figures(f"{ROOMS:,} rooms that agree", agreeing), *_figures(f"{ROOMS:,} rooms, 1 % differing", differing)]


def _change(livekit: StubLiveKit, rooms: Sequence[str]) -> None:
    """A third of those that differ have a person more, a third are gone, a third are new."""
    third = DIFFERING // 3
    for number, room in enumerate(rooms[:third]):
        livekit.participants[room].append(person(f"PA_more-{number:07}", "another caller"))
    for room in rooms[third : 2 * third]:
        livekit.close(room)
    for number in range(DIFFERING - 2 * third):
        listed(livekit, f"newroom-{number:04}")


async def _rounds(directory: Path, store: RedisServer, livekit: StubLiveKit, rounds: int) -> Cost:
    process = ChildProcess(
        [sys.executable, "-m", "tests.benchmarks.one_round", store.url, str(rounds)],
        log=directory / f"rounds-{rounds}.log",
        environment=clean_environment(**livekit.environment()),
    )
    try:
        process.start()
        code = await process.ended(timeout=100.0)
    finally:
        await process.clear_away()
    if code != 0:
        raise RuntimeError(process.logged())
    return Cost(**json.loads(process.logged().splitlines()[-1]))


def _figures(what: str, cost: Cost) -> list[Figure]:
    print(
        f"reconcile: {what}: {cost.looked} looked into, {cost.differing} differing,"
        f" {cost.adopted} adopted, {cost.ended} ended in the last round"
    )
    cpu, samples = statistics.median(cost.rounds), len(cost.rounds)
    return [
        Figure(f"CPU of one round, {what}", "s", ours=cpu, goal=CPU_GOAL, samples=samples),
        Figure(
            f"CPU of one round, {what}, against ListRooms alone",
            "s",
            ours=cpu,
            baseline=statistics.median(cost.listings),
            samples=samples,
        ),
        Figure(f"peak memory of one round, {what}", "MB", ours=cost.peak_megabytes, samples=1),
    ]
