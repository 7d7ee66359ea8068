"""A replica that dies in mid-work: the next one goes on where it stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import config
from tests.e2e.harness.listing import Sampler
from tests.e2e.harness.orchestrator import orchestrator
from tests.e2e.harness.redis import redis_server
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_a_replica_killed_while_an_attempt_is_under_way_is_followed_by_one_that_counts_on(
    stage: Stage, watched: Sampler, tmp_path: Path
) -> None:
    """The job's process takes five seconds to start; the replica is killed right after the dispatch was accepted."""
    routes = config("slow_process", rooms="killed-*")
    async with (
        redis_server(tmp_path) as store,
        orchestrator(tmp_path, stage.server, routes, port=stage.webhook_port, redis_url=store.url) as first,
        client(stage.server, "killed-1"),
    ):

        async def accepted() -> bool:
            session = await first.session("killed-1") or {"placements": []}
            return any(a["dispatch_id"] for p in session["placements"] for a in p["attempts"])

        await wait_until(accepted, description="the first attempt's dispatch was accepted")
        await first.process.kill()
        async with orchestrator(tmp_path, stage.server, routes, port=stage.webhook_port, redis_url=store.url) as second:
            session = await second.wait_for_state("killed-1", "verified", timeout=40)
            (placement,) = session["placements"]
            assert [a["number"] for a in placement["attempts"]] == [1]
            looks = watched.looks
            await wait_until(lambda: watched.looks > looks + 40, timeout=30, description="eight seconds of looks")
            assert watched.presence("killed-1", "slow_process").greatest == 1
