"""An agent that is cut off for a moment is not taken for dead."""

from __future__ import annotations

import time

import pytest

from tests.e2e.harness.wait import wait_until
from tests.faults.judge import agents, the_agent
from tests.faults.network import can_cut, cut_off
from tests.faults.scene import Scene
from tests.faults.test_agents import calls

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

CUT = 6.0
CALM = 12.0


@pytest.mark.skipif(not can_cut(), reason="nobody can be cut off here: iptables, and root, are needed")
async def test_an_agent_that_is_cut_off_for_six_seconds_keeps_its_call(scene: Scene) -> None:
    room = "process-cut"
    async with calls(scene, room) as serving:
        with cut_off(scene.workers.pid(room)):
            await scene.watch(CUT)
        await scene.watch(CALM)
        assert await the_agent(scene.server, room) == serving[room]
        assert len(scene.jobs(room)) == 1


@pytest.mark.skipif(not can_cut(), reason="nobody can be cut off here: iptables, and root, are needed")
async def test_an_agent_that_stays_cut_off_is_replaced(scene: Scene) -> None:
    room = "process-cut-for-good"
    async with calls(scene, room) as serving:
        begun = time.monotonic()
        with cut_off(scene.workers.pid(room)):

            async def replaced() -> bool:
                return any(identity != serving[room] for identity in await agents(scene.server, room))

            await wait_until(replaced, timeout=15, description="another agent is there")
            assert time.monotonic() - begun <= 12.0
