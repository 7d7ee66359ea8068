"""Agents that come when nobody expects them any more: never two for longer than two seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import config
from tests.e2e.harness.listing import Sampler
from tests.e2e.harness.orchestrator import orchestrator
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


async def test_a_job_that_joins_after_its_attempt_was_given_up_wins_or_goes(
    stage: Stage, watched: Sampler, tmp_path: Path
) -> None:
    """Each job waits five seconds for its process, and the join window is shorter: several come, one stays."""
    impatient = {"attempts": 6, "accept_window": "1s", "join_window": "3s", "deadline": "90s"}
    routes = config("slow_process", policy=impatient)
    async with (
        orchestrator(tmp_path, stage.server, routes, port=stage.webhook_port) as rollcall,
        client(stage.server, "late"),
    ):
        session = await rollcall.wait_for_state("late", "verified", timeout=60)
        assert session["placements"][0]["attempts_total"] >= 2
        looks = watched.looks
        await wait_until(lambda: watched.looks > looks + 60, timeout=60, description="12 s of looks at the room")
        presence = watched.presence("late", "slow_process")
        after = await rollcall.wait_for_state("late", "verified")
        assert presence.seconds_with_two <= 2.0
        assert after["placements"][0]["identity"] in presence.identities
        assert sum(1 for a in after["placements"][0]["attempts"] if a["ended_at"] is None) == 1
