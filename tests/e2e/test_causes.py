"""Each way in which an agent does not come gets the cause that the evidence carries, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness.alerts import AlertSink
from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import QUICK, config
from tests.e2e.harness.orchestrator import orchestrator
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.workers import workers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@pytest.mark.parametrize(
    ("agent", "cause"),
    [
        ("nobody", "not_taken"),
        ("rejecting", "job_rejected"),
        ("passing_on", "not_taken"),
        ("slow_request", "not_taken"),
        ("never_connects", "never_joined"),
        ("raising", "never_joined"),
        ("dying", "never_joined"),
        ("leaves_at_once", "joined_then_left"),
    ],
)
async def test_an_agent_that_does_not_come_gets_the_cause_that_the_evidence_carries(
    stage: Stage, alerts: AlertSink, tmp_path: Path, agent: str, cause: str
) -> None:
    room = f"cause-{agent}"
    routes = config(agent, policy={"attempts": 1, "join_window": "8s", "keep_trying": "0s"}, sink=alerts)
    async with (
        orchestrator(tmp_path, stage.server, routes, port=stage.webhook_port) as rollcall,
        client(stage.server, room),
    ):
        session = await rollcall.wait_for_state(room, "unverified", timeout=40)
        (placement,) = session["placements"]
        assert placement["cause"] == cause
        assert [a["cause"] for a in placement["attempts"]] == [cause]
        assert placement["fix"]
        alert = await alerts.wait_for(room, status="firing", timeout=10)
        assert (alert.body["cause"], alert.body["sid"]) == (cause, session["sid"])


async def test_no_worker_then_one_alert_then_the_worker_starts_and_the_alert_resolves(
    stage: Stage, alerts: AlertSink, tmp_path: Path
) -> None:
    routes = config("latecomer", policy={**QUICK, "attempts": 2}, sink=alerts)
    async with orchestrator(tmp_path, stage.server, routes, port=stage.webhook_port) as rollcall:
        async with client(stage.server, "latecomer"):
            session = await rollcall.wait_for_state("latecomer", "unverified", timeout=40)
            assert session["placements"][0]["attempts_total"] == 2
            await alerts.wait_for("latecomer", status="firing", timeout=10)
            async with workers(tmp_path, stage.server, {"latecomer": "light"}):
                await rollcall.wait_for_state("latecomer", "verified", timeout=40)
                resolved = await alerts.wait_for("latecomer", status="resolved", timeout=10)
        firing = alerts.about("latecomer", status="firing")
        assert len({alert.webhook_id for alert in firing}) == 1
        assert firing[0].body["incident"] == resolved.body["incident"]
        assert alerts.refused == 0
