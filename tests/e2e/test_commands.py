"""What an operator, or a page, asks of a room, on a real server: an agent more, and one to go."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import config
from tests.e2e.harness.listing import Sampler
from tests.e2e.harness.orchestrator import orchestrator
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


async def test_an_agent_is_sent_by_its_name_into_a_room_that_is_there_and_into_one_that_is_not(
    stage: Stage, watched: Sampler, tmp_path: Path
) -> None:
    settings = config("light", "publishing", rooms="routed-*", metadata={"by": "route"})
    async with orchestrator(tmp_path, stage.server, settings, port=stage.webhook_port) as rollcall:
        asked = {"agent_name": "light", "metadata": {"by": "hand"}}
        async with client(stage.server, "unrouted") as person:
            await rollcall.wait_for_state("unrouted", "unrouted")
            status, there = await rollcall.operate("POST", "/sessions/unrouted/agents?hold=verified", asked)
            await person.wait_for_agent()
        status_made, made = await rollcall.operate("POST", "/sessions/not%20there/agents?hold=verified", asked)
        assert (status, there["room_existed"], there["state"]) == (201, True, "verified")
        assert (status_made, made["room_existed"], made["state"]) == (201, False, "verified")
        for answered in (there, made):
            seen = await stage.workers.wait_for("connected", room=answered["room"])
            assert answered["dispatch_id"] == seen.dispatch_id
            assert '"by":"hand"' in seen.metadata
            assert watched.presence(answered["room"], "light").greatest <= 1


async def test_an_agent_that_is_taken_out_is_gone_at_once_and_nobody_comes_in_its_place(
    stage: Stage, watched: Sampler, tmp_path: Path
) -> None:
    async with (
        orchestrator(tmp_path, stage.server, config("light"), port=stage.webhook_port) as rollcall,
        client(stage.server, "taken-out"),
    ):
        await rollcall.wait_for_state("taken-out", "verified")
        await wait_until(lambda: watched.presence("taken-out", "light").greatest == 1, description="a look has shown it")
        status, _ = await rollcall.operate("DELETE", "/sessions/taken-out/agents/light")
        assert status == 204
        await rollcall.wait_for_state("taken-out", "unrouted")
        looks = watched.looks
        await wait_until(lambda: watched.looks > looks + 40, timeout=40, description="eight seconds of looks")
        assert len(watched.presence("taken-out", "light").identities) == 1
        assert len(stage.workers.seen("entered", room="taken-out")) == 1
