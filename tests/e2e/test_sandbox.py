"""The real service on `rollcall sandbox`: no LiveKit, and nothing that Rollcall could notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness.configs import config
from tests.e2e.harness.orchestrator import Orchestrator, orchestrator, webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.sandbox import SandboxProcess, sandbox
from tests.e2e.harness.wait import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

ROOMS = 20
WITHIN = 80.0
"""Seconds: six attempts with a third of the dispatches lost, of which each costs its accept window and a wait."""


async def verified(rollcall: Orchestrator) -> bool:
    return f'rollcall_sessions{{state="verified"}} {ROOMS}.0' in await rollcall.metrics()


def doubled(livekit: SandboxProcess) -> list[int]:
    return [figures["doubled_agents"] for figures in livekit.figures()]


@pytest.mark.slow
async def test_with_a_third_of_the_dispatches_lost_every_room_gets_its_agent_and_none_gets_two(tmp_path: Path) -> None:
    port = free_port()
    options = ("--rooms", str(ROOMS), "--people", "--drop-dispatch", "0.3", "--seed", "4", "--webhook", webhook_url(port))
    async with (
        sandbox(tmp_path, *options) as livekit,
        orchestrator(tmp_path, livekit, config("mary"), port=port) as rollcall,
    ):
        await wait_until(lambda: verified(rollcall), timeout=WITHIN, every=0.5, description="all rooms are verified")
        told = len(livekit.figures())
        # Longer than the accept window: a dispatch that comes too late would have come.
        await wait_until(lambda: len(livekit.figures()) > told + 8, timeout=15.0, description="eight seconds more")
        last = livekit.figures()[-1]
        assert (last["rooms"], last["rooms_with_agent"]) == (ROOMS, ROOMS)
        assert set(doubled(livekit)) == {0}
        assert last["dispatches_lost"] > 0
        assert last["dispatches"] == ROOMS + last["dispatches_lost"]
        sessions = await rollcall.sessions(state="verified", limit="100")
        attempts = sum(session["placements"][0]["attempts_total"] for session in sessions["sessions"])
        assert attempts == last["dispatches"]
