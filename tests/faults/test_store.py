"""Redis dies, with and without the last of what it had stored."""

from __future__ import annotations

import pytest

from tests.faults.judge import settled
from tests.faults.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

TORN = 7
"""Bytes of a record that a power loss leaves."""


async def test_redis_killed_and_started_again_costs_nobody_an_agent(scene: Scene) -> None:
    """LiveKit repeats the webhooks that nobody could store."""
    before = [f"light-before-{n}" for n in range(3)]
    during = [f"light-during-{n}" for n in range(3)]
    await scene.create(*before)
    serving = await settled(scene, *before)
    await scene.create("slow-under-way")
    await scene.calls("CreateDispatch", "slow-under-way")
    await scene.store.process.kill()
    await scene.create(*during)
    await scene.watch(2.0)
    await scene.store.start()
    after = await settled(scene, *before, *during, "slow-under-way")
    assert {room: after[room] for room in before} == serving
    assert not scene.watched.with_two()


async def test_what_a_power_loss_took_from_redis_is_found_again_in_livekit(scene: Scene) -> None:
    """Of some sessions Redis loses all, of another one the attempt that is under way: no agent is replaced or doubled."""
    kept = [f"light-kept-{n}" for n in range(2)]
    lost = [f"light-lost-{n}" for n in range(2)]
    await scene.create(*kept)
    serving = await settled(scene, *kept)
    written = scene.store.written
    await scene.create(*lost, "slow-lost")
    serving |= await settled(scene, *lost)
    await scene.store.process.kill()
    scene.store.cut(written + TORN)
    await scene.store.start()
    after = await settled(scene, *kept, *lost, "slow-lost")
    assert {room: after[room] for room in (*kept, *lost)} == serving
    assert not scene.watched.with_two()
    assert len(scene.jobs("slow-lost")) == 1
