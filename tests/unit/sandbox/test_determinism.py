"""The same clock, the same chance and the same calls bring the same events at the same times."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
import subprocess
import sys

import pytest

from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.model import ApiError
from orchestrator.sandbox.wire import body
from orchestrator.sandbox.workers import Behaviour
from tests.unit.sandbox.world import World, world

FAULTS = Faults(
    drop_dispatch=0.2, late_joiners=0.1, lose_webhooks=0.1, duplicate_webhooks=1, api_error=0.1, partial_listing=0.1
)


async def dispatch(world: World, room: str) -> None:
    with contextlib.suppress(ApiError, TimeoutError):
        async with asyncio.timeout(5):
            await world.sandbox.create_dispatch(room, "mary")


async def day(seed: int) -> str:
    """A digest of an eventful day."""
    dice = random.Random(seed)  # noqa: S311  # a simulation's, and keeps no secrets
    digest = hashlib.sha256()
    async with world(seed, faults=FAULTS) as w:
        workers = [w.sandbox.start_worker("mary", behaviour=Behaviour(start_after=lambda _: dice.uniform(0.05, 5)))]
        for step in range(200):
            await w.clock.sleep(dice.uniform(0, 2))
            room = f"r{dice.randrange(10)}"
            match dice.randrange(7):
                case 0:
                    w.sandbox.join(room, f"p{dice.randrange(3)}")
                case 1:
                    w.sandbox.leave(room, f"p{dice.randrange(3)}")
                case 2 | 3:
                    w.tasks.spawn("dispatch", dispatch(w, room))
                case 4:
                    workers.append(w.sandbox.start_worker("mary", capacity=3))
                case 5 if len(workers) > 2:
                    workers.pop(0).kill()
                case _:
                    for agent in w.sandbox.living_agents(room):
                        agent.freeze(dice.choice([3.0, None]))
            if step == 100:
                w.sandbox.restart(keeps_state=True, down=2)
                await w.clock.sleep(2.1)
        for at, webhook in w.received:
            digest.update(repr(at).encode() + body(webhook))
    return digest.hexdigest()


@pytest.mark.looptime
@pytest.mark.asyncio
async def test_another_seed_is_another_day() -> None:
    assert await day(1) != await day(2)


def test_a_seed_is_the_same_day_in_another_process_with_another_hash_seed() -> None:
    program = (
        "import asyncio, looptime\n"
        "from tests.unit.sandbox.test_determinism import day\n"
        "loop = looptime.new_event_loop()\n"
        "print(loop.run_until_complete(day(7)))\n"
    )
    days = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(days) == 1
