"""Several replicas on one store: whoever gets the webhook, the one that drives the session hears of it at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import config
from tests.e2e.harness.listing import Sampler
from tests.e2e.harness.orchestrator import orchestrator, webhook_url
from tests.e2e.harness.redis import redis_server
from tests.e2e.harness.relay import relay
from tests.e2e.harness.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

SOONER_THAN_ANY_LOOK_MS = 5_000
"""Nobody looks into the room before the accept window's end, after 6 s: sooner only a wake-up can have told."""


async def test_webhooks_that_other_replicas_get_wake_the_one_that_waits(stage: Stage, watched: Sampler, tmp_path: Path) -> None:
    async with (
        redis_server(tmp_path) as store,
        orchestrator(tmp_path, stage.server, config("light"), redis_url=store.url) as first,
        orchestrator(tmp_path, stage.server, config("light"), redis_url=store.url) as second,
        relay(stage.webhook_port, [webhook_url(first.port), webhook_url(second.port)], copies=1, seed=3),
    ):
        for n in range(4):
            room = f"shared-{n}"
            async with client(stage.server, room):
                session = await first.wait_for_state(room, "verified")
                (placement,) = session["placements"]
                assert placement["time_to_agent_ms"] < SOONER_THAN_ANY_LOOK_MS
                assert placement["attempts_total"] == 1
                assert {e["source"] for e in session["timeline"] if e["event"] == "agent_joined"} == {"webhook"}
                same = await second.session(room)
                assert same is not None
                assert same["placements"][0]["identity"] == placement["identity"]
                assert watched.presence(room, "light").greatest <= 1
