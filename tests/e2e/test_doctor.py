"""`rollcall doctor` on a real server, with a real worker: what is wrong is named, and nothing is left behind."""

from __future__ import annotations

import signal
from pathlib import Path

import aiohttp
import pytest
from livekit import api

from orchestrator import contract
from tests.e2e.harness.doctor import doctor_process, examined
from tests.e2e.harness.orchestrator import READ_TOKEN, WORKER_TOKEN, orchestrator
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.redis import redis_server
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

LIGHT = {"agents": {"light": {}}, "routes": [{"agents": ["light"]}]}
UNHEALTHY = 4


def surroundings(stage: Stage, *, port: int | None = None, **more: str) -> dict[str, str]:
    """What an operator has set; `port` is where the service listens, or would."""
    mine = {"ROLLCALL_HOST": LOOPBACK, "ROLLCALL_PORT": str(port or stage.webhook_port), "ROLLCALL_API_TOKEN": READ_TOKEN}
    return {**stage.server.environment(), **mine, **more}


async def announce(service: str, agent_name: str) -> None:
    """As a worker of this name does."""
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {WORKER_TOKEN}"}) as http,
        http.put(f"{service}/workers/AW_1", json={"agent_name": agent_name}) as answer,
    ):
        assert answer.status == 204


async def scratch_rooms(stage: Stage) -> list[str]:
    async with stage.server.api() as livekit:
        listed = await livekit.room.list_rooms(api.ListRoomsRequest())
    return [room.name for room in listed.rooms if room.name.startswith(contract.SCRATCH_PREFIX)]


async def test_when_all_is_well_it_says_so_with_webhook_and_canary_and_leaves_nothing_behind(
    stage: Stage, tmp_path: Path
) -> None:
    async with (
        redis_server(tmp_path) as store,
        orchestrator(tmp_path, stage.server, LIGHT, port=stage.webhook_port, redis_url=store.url) as service,
    ):
        result = await examined(tmp_path, surroundings(stage, REDIS_URL=store.url), LIGHT)
        sessions = await service.sessions()

    assert (result.code, result.failed) == (0, [])
    assert "answers at" in result.of("livekit").message
    assert result.of("key pair").status == "ok"
    assert result.of("clock").status == "ok"
    assert result.of("rights").status == "ok"
    assert result.of("redis persistence").message == "The append-only file is on."
    assert "reached the service at" in result.of("webhooks").message
    assert "after its dispatch, and answered in" in result.of("canary", "light").message
    assert await scratch_rooms(stage) == []
    # The service saw those rooms, or the round trip of the webhook would have failed; and it shows them to nobody.
    assert [s["room"] for s in sessions["sessions"] if s["room"].startswith(contract.SCRATCH_PREFIX)] == []


async def test_where_no_service_runs_it_listens_for_the_webhook_itself(stage: Stage, tmp_path: Path) -> None:
    result = await examined(tmp_path, surroundings(stage), LIGHT, "--no-canary")

    assert (result.code, result.failed) == (0, [])
    assert "doctor listened, as no service runs" in result.of("webhooks").message


async def test_a_key_that_livekit_does_not_have_is_told_from_a_secret_that_is_wrong(stage: Stage, tmp_path: Path) -> None:
    wrong_key = await examined(tmp_path, surroundings(stage, LIVEKIT_API_KEY="APIother"), LIGHT)
    wrong_secret = await examined(tmp_path, surroundings(stage, LIVEKIT_API_SECRET="x" * 32), LIGHT)

    assert (wrong_key.code, wrong_key.failed) == (UNHEALTHY, ["key pair"])
    assert 'it has no API key "APIother"' in wrong_key.of("key pair").message
    assert (wrong_secret.code, wrong_secret.failed) == (UNHEALTHY, ["key pair"])
    assert "with another secret" in wrong_secret.of("key pair").message
    assert wrong_secret.of("canary", "light").message == "Not examined: rights has to be right first."


async def test_a_url_with_the_wrong_port_or_a_path_is_named_and_the_right_one_too(stage: Stage, tmp_path: Path) -> None:
    dead = f"ws://{LOOPBACK}:{free_port()}"
    wrong_port = await examined(tmp_path, surroundings(stage, LIVEKIT_URL=dead), LIGHT)
    path = await examined(tmp_path, surroundings(stage, LIVEKIT_URL=f"{stage.server.url}/rtc"), LIGHT)

    assert (wrong_port.code, wrong_port.failed) == (UNHEALTHY, ["livekit"])
    assert "connection refused" in wrong_port.of("livekit").message
    assert (path.code, path.failed) == (UNHEALTHY, ["livekit"])
    assert path.of("livekit").fix == f"A LiveKit server answers at {stage.server.url}: set LIVEKIT_URL to that."


async def test_webhooks_that_livekit_posts_to_a_dead_port_are_missed(stage: Stage, tmp_path: Path) -> None:
    result = await examined(tmp_path, surroundings(stage, port=free_port()), LIGHT, "--no-canary")

    assert (result.code, result.failed) == (UNHEALTHY, ["webhooks"])
    assert "No webhook came to" in result.of("webhooks").message
    assert "webhook.urls in livekit.yaml" in result.of("webhooks").fix


async def test_a_name_in_the_routes_that_is_a_typo_of_an_announced_one_is_said_to_be(stage: Stage, tmp_path: Path) -> None:
    mistyped = {"agents": {"lihgt": {"policy": {"join_window": "2s"}}}, "routes": [{"agents": ["lihgt"]}]}
    async with orchestrator(tmp_path, stage.server, mistyped, port=stage.webhook_port) as service:
        await announce(service.url, "light")
        result = await examined(tmp_path, surroundings(stage), mistyped)

    assert (result.code, result.failed) == (UNHEALTHY, ["agents", "canary"])
    assert 'looks like a typo of "light"' in result.of("agents", "lihgt").message
    assert "No worker took the job of lihgt" in result.of("canary", "lihgt").message
    assert await scratch_rooms(stage) == []


async def test_a_redis_that_keeps_nothing_on_disk_is_no_place_for_sessions(stage: Stage, tmp_path: Path) -> None:
    async with redis_server(tmp_path, append_only=False) as store:
        result = await examined(tmp_path, surroundings(stage, REDIS_URL=store.url), LIGHT, "--no-canary")

    assert (result.code, result.failed) == (UNHEALTHY, ["redis persistence"])
    assert "keeps nothing on disk" in result.of("redis persistence").message
    assert "appendonly yes" in result.of("redis persistence").fix


async def test_ctrl_c_in_the_middle_of_it_leaves_no_room_behind(stage: Stage, tmp_path: Path) -> None:
    process = doctor_process(tmp_path, surroundings(stage, port=free_port()), {"agents": {"nobody": {}}, "routes": []})
    process.start()
    try:
        await wait_until(lambda: scratch_rooms(stage), timeout=10.0, description="a scratch room is there")
        process.signal(signal.SIGINT)

        assert await process.ended(timeout=10.0) == 130
    finally:
        await process.clear_away()
    assert await scratch_rooms(stage) == []
