"""Each way in which an agent does not come gets the cause that the evidence carries, and no other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.causes_seen import row_of, seen
from tests.e2e.harness.alerts import AlertSink
from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import QUICK, config
from tests.e2e.harness.orchestrator import READ_TOKEN, Orchestrator, orchestrator
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import workers
from tests.integration.client.commands import Rollcall

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


HOW = {
    "nobody": ("not_taken", "no worker has this name"),
    "rejecting": ("job_rejected", "its worker rejects the job (`terminate=True`)"),
    "passing_on": ("not_taken", "its worker rejects the job (`terminate=False`), for another one to take it"),
    "slow_request": ("not_taken", "its worker answers after 5 s; LiveKit waits for 3"),
    "never_connects": ("never_joined", "the entrypoint never calls `ctx.connect()`"),
    "raising": ("never_joined", "the entrypoint raises"),
    "dying": ("never_joined", "the process of the job dies"),
    "leaves_at_once": ("joined_then_left", "the entrypoint connects, and ends"),
}
"""By agent name: the cause, and in what way it is made to happen."""


async def explained(rollcall: Orchestrator, room: str) -> dict[str, Any]:
    """What the command says to whoever asks why."""
    ran = await Rollcall(rollcall.url, READ_TOKEN)("explain", room, "--json")
    assert ran.exit_code == 0, ran.output
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


@pytest.mark.parametrize("agent", HOW)
async def test_an_agent_that_does_not_come_gets_the_cause_that_the_evidence_carries(
    stage: Stage, alerts: AlertSink, tmp_path: Path, write_causes: bool, agent: str
) -> None:
    cause, how = HOW[agent]
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
        seen(row_of(await explained(rollcall, room), agent, how, "real server"), write=write_causes)


IRREPLACEABLE = {"attempts": 1, "replacements": 0, "keep_trying": "0s"}
"""A policy under which a lost agent stays lost, for one to see why it was."""


async def test_an_agent_that_is_killed_and_a_dispatch_that_somebody_deletes_get_the_causes_that_the_evidence_carries(
    stage: Stage, tmp_path: Path, write_causes: bool
) -> None:
    agents = ("in_processes", "nobody")
    routes: dict[str, Any] = {
        "agents": {agent: {"policy": IRREPLACEABLE} for agent in agents},
        "routes": [{"room": agent, "agents": [agent]} for agent in agents],
    }

    async def placement(room: str) -> dict[str, Any]:
        found: dict[str, Any] = ((await rollcall.session(room)) or {"placements": [{}]})["placements"][0]
        return found

    async def accepted() -> str | None:
        attempts = (await placement("nobody")).get("attempts")
        return attempts[0]["dispatch_id"] if attempts else None

    async def answering() -> bool:
        return (await placement("in_processes")).get("proof") == "answering"

    async with (
        orchestrator(tmp_path, stage.server, routes, port=stage.webhook_port) as rollcall,
        client(stage.server, "in_processes"),
        client(stage.server, "nobody"),
        stage.server.api() as livekit,
    ):
        dispatch = await wait_until(accepted, description="the dispatch has its id")
        await livekit.agent_dispatch.delete_dispatch(dispatch, "nobody")
        await wait_until(answering, timeout=15.0, description="the agent has answered")
        stage.workers.kill_job("in_processes")
        for agent, cause, how in (
            ("in_processes", "silent", "the process of the job is killed in mid-call"),
            ("nobody", "dispatch_vanished", "somebody else deletes the dispatch"),
        ):
            session = await rollcall.wait_for_state(agent, "unverified", timeout=25)
            assert session["placements"][0]["cause"] == cause
            seen(row_of(await explained(rollcall, agent), agent, how, "real server"), write=write_causes)


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
