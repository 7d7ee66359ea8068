"""On call with a real Alertmanager and a real Prometheus: the page comes, says why, ends by itself, and survives a crash."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from livekit import api

from tests.e2e.harness.clients import client
from tests.e2e.harness.monitoring import HOW_TO_GET_THEM, Alertmanager, Json, Prometheus, alertmanager, installed, prometheus
from tests.e2e.harness.orchestrator import Orchestrator, orchestrator
from tests.e2e.harness.ports import LOOPBACK
from tests.e2e.harness.redis import redis_server
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import workers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

SOON = 60.0
"""Seconds within which a page must be there, and gone when all is well."""

CROWD = 40

POLICY = {"attempts": 1, "accept_window": "3s", "join_window": "5s", "deadline": "8s", "keep_trying": "3s"}


@pytest.fixture(autouse=True)
def _monitoring_is_installed() -> None:
    if not installed():
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        stop(HOW_TO_GET_THEM)


def rules(pages: Alertmanager) -> dict[str, object]:
    """Nobody works as any of these, at first."""
    return {
        "agents": {"latecomer": {"policy": POLICY}, "nobody": {"policy": POLICY}},
        "routes": [{"room": "caller-*", "agents": ["latecomer"]}, {"agents": ["nobody"]}],
        "alerts": [{"alertmanager": {"url": pages.url}}],
    }


async def paged(pages: Alertmanager, room: str) -> Json:
    """The page about this room, and there is one."""

    async def one() -> Json | None:
        found = await pages.alerts(room=room)
        return found[0] if len(found) == 1 else None

    return await wait_until(one, timeout=SOON, description=f"a page about {room}")


async def test_a_page_says_why_ends_by_itself_is_one_for_many_rooms_and_outlives_a_crash(stage: Stage, tmp_path: Path) -> None:
    target = f"{LOOPBACK}:{stage.webhook_port}"
    async with (
        redis_server(tmp_path) as store,
        alertmanager(tmp_path) as pages,
        prometheus(tmp_path, target=target, alertmanager=pages) as scraper,
        orchestrator(tmp_path, stage.server, rules(pages), port=stage.webhook_port, redis_url=store.url) as first,
    ):
        await _paged_until_a_worker_is_started(stage, first, pages, tmp_path)
        await _many_rooms_are_one_group(stage, pages)
        await _the_objective_is_recorded(scraper)

        # Between the alert and its delivery: nobody takes it, and the replica that has it is killed.
        await pages.process.kill()
        async with client(stage.server, "undelivered"):
            session = await first.wait_for_state("undelivered", "unverified")
            await first.process.kill()
            await pages.start()
            async with orchestrator(tmp_path, stage.server, rules(pages), port=stage.webhook_port, redis_url=store.url):
                page = await paged(pages, "undelivered")
        assert page["labels"]["incident"] == f"{session['sid']}/nobody/1"


async def _paged_until_a_worker_is_started(stage: Stage, rollcall: Orchestrator, pages: Alertmanager, directory: Path) -> None:
    async with AsyncExitStack() as started:
        async with client(stage.server, "caller-1"):
            page = await paged(pages, "caller-1")
            session = await rollcall.session("caller-1")
            assert session is not None
            (placement,) = session["placements"]
            told = {"alertname": "RollcallUnverified", "severity": "critical", "agent": "latecomer", "cause": "not_taken"}
            assert told.items() <= page["labels"].items()
            assert page["annotations"]["description"] == placement["fix"]
            assert page["annotations"]["summary"]
            assert page["annotations"]["runbook_url"].endswith("#not-taken")
            assert session["sid"] in page["annotations"]["dashboard_url"]
            await started.enter_async_context(workers(directory, stage.server, {"latecomer": "light"}))

            async def resolved() -> bool:
                return not await pages.alerts(room="caller-1")

            await wait_until(resolved, timeout=SOON, description="the page about caller-1 ends")
            await rollcall.wait_for_state("caller-1", "verified")
        # The worker is ended after the room: an agent that goes with it would be missed.
        async with stage.server.api() as livekit:
            await livekit.room.delete_room(api.DeleteRoomRequest(room="caller-1"))
        await rollcall.wait_for_state("caller-1", "ended")


async def _many_rooms_are_one_group(stage: Stage, pages: Alertmanager) -> None:
    async with stage.server.api() as livekit:
        rooms = [livekit.room.create_room(api.CreateRoomRequest(name=f"crowd-{n}")) for n in range(CROWD)]
        await asyncio.gather(*rooms)

    async def whole() -> list[Json]:
        groups = await pages.groups(alertname="RollcallUnverified", agent="nobody")
        return groups if sum(len(group["alerts"]) for group in groups) >= CROWD else []

    (group,) = await wait_until(whole, timeout=SOON, description=f"{CROWD} rooms are paged")
    assert group["labels"] == {"alertname": "RollcallUnverified", "agent": "nobody", "cause": "not_taken"}
    assert {alert["labels"]["room"] for alert in group["alerts"]} == {f"crowd-{n}" for n in range(CROWD)}


async def _the_objective_is_recorded(scraper: Prometheus) -> None:
    """One caller waited for too long: with our rules that is a share of the objective, and a budget that is spent."""

    async def broken() -> float | None:
        return await scraper.value("rollcall:promises_broken:ratio_rate5m")

    assert await wait_until(broken, timeout=20, description="Prometheus records the objective") == 1.0
    assert (await scraper.value("rollcall:error_budget_left:ratio30d") or 0.0) < 0

    async def unverified() -> bool:
        return await scraper.value('sum(rollcall_sessions{state="unverified"})') == CROWD

    await wait_until(unverified, timeout=20, description="Prometheus sees the rooms without agent")
