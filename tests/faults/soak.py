"""Faults at random for as long as one lets it; the same seed draws the same faults."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.e2e.harness.livekit import livekit_server
from tests.e2e.harness.orchestrator import webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.redis import Flavour, redis_server
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.workers import workers
from tests.faults.busy import calls_on_a_busy_machine
from tests.faults.calls import Calls
from tests.faults.faults import FAULTS, Soaked
from tests.faults.judge import settled
from tests.faults.scene import WORKERS, scene_on

AT_MOST_TWO_FOR: Final = 15.0
"""Seconds for which a room may list two agents while a replica is dead: a takeover, and a look."""

BUSY_FOR: Final = 300.0
"""Seconds of twenty calls on a busy machine after the faults of half an hour; after a shorter soak it is less."""

Say = Callable[[str], None]


@dataclass
class Tally:
    """What a soak did, and how it went."""

    faults: Counter[str] = field(default_factory=Counter)
    settled_after: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By the last fault before: seconds until everything was right again."""
    rooms: int = 0
    longest_two: float = 0.0
    """Seconds for which a room listed two agents, at the most; dead ones count as long as LiveKit lists them."""
    seconds: float = 0.0
    busy: float = 0.0
    """Seconds of twenty calls on a busy machine, of which every one kept its agent."""


async def soak(directory: Path, *, minutes: float, seed: int, keeps_rooms: bool, say: Say, tally: Tally) -> None:
    """Faults and calls for so long; AssertionError when something does not settle. `tally` is kept up to date."""
    chance = random.Random(seed)  # noqa: S311 a soak that can be repeated, no secret
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        soaked = await _scene(stack, directory, chance, keeps_rooms=keeps_rooms)
        scene, calls = soaked.scene, soaked.calls
        stack.push_async_callback(calls.end)
        await scene.reconciled()
        while time.monotonic() - begun < 60 * minutes:
            await calls.go_on()
            faults = chance.choices(tuple(FAULTS), tuple(FAULTS.values()), k=chance.choice((1, 1, 2)))
            for fault in faults:
                say(f"{time.monotonic() - begun:6.0f} s  {fault.__name__}")
                tally.faults[fault.__name__] += 1
                await fault(soaked)
            over = time.monotonic()
            await settled(scene, *calls.rooms(), ghosts=soaked.ghosts)
            tally.settled_after[faults[-1].__name__].append(time.monotonic() - over)
            tally.rooms = calls.opened
            tally.longest_two = max((p.seconds_with_two for p in scene.watched.with_two().values()), default=0.0)
            tally.seconds = time.monotonic() - begun
            if not keeps_rooms:
                assert tally.longest_two <= AT_MOST_TWO_FOR, f"two agents in one room: {dict(scene.watched.with_two())}"
        say(f"{time.monotonic() - begun:6.0f} s  no faults, but a busy machine")
        busy = BUSY_FOR * min(1.0, minutes / 30)
        await calls_on_a_busy_machine(scene, directory, seconds=busy)
        tally.busy = busy


async def _scene(stack: AsyncExitStack, directory: Path, chance: random.Random, *, keeps_rooms: bool) -> Soaked:
    port = free_port()
    kept = None
    if keeps_rooms:
        (directory / "livekit").mkdir()
        kept = (await stack.enter_async_context(redis_server(directory / "livekit", Flavour.REDIS))).address
    server = await stack.enter_async_context(livekit_server(directory, webhook_urls=[webhook_url(port)], redis=kept))
    (directory / "more").mkdir()
    first = await stack.enter_async_context(workers(directory, server, WORKERS))
    second = await stack.enter_async_context(workers(directory / "more", server, WORKERS))
    scene = await stack.enter_async_context(scene_on(Stage(server, first, port), directory))
    scene.more_workers.append(second)
    return Soaked(scene, Calls(scene, chance), chance, keeps_rooms)
