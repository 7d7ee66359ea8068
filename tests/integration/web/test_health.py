"""Probes: /livez is the process alone, /readyz what this replica needs to do its work."""

import asyncio
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from orchestrator.runtime.ports import StoreUnavailable
from orchestrator.web.health import Readiness
from tests.integration.web.door import Door, StillClock


@pytest.fixture
def door() -> Door:
    door = Door()
    door.readiness.configuration_loaded()
    return door


@pytest.fixture
async def client(door: Door, aiohttp_client: AiohttpClient) -> TestClient[Any, Any]:
    return await aiohttp_client(door.app)


async def get(client: TestClient[Any, Any], path: str) -> tuple[int, Any]:
    response = await client.get(path)
    return response.status, await response.json()


async def test_the_process_lives_whatever_the_store_does(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.down = True
    assert await get(client, "/livez") == (200, {"status": "alive"})
    assert door.archive.pings == 0


async def test_a_replica_with_store_and_configuration_is_ready(client: TestClient[Any, Any]) -> None:
    assert await get(client, "/readyz") == (200, {"status": "ready", "reasons": [], "warnings": []})


async def test_a_replica_without_its_store_is_not_ready(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.down = True
    assert await get(client, "/readyz") == (
        503,
        {"status": "unready", "reasons": ["The store is not available."], "warnings": []},
    )


async def test_a_replica_before_its_configuration_is_not_ready(aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(Door().app)
    assert await get(client, "/readyz") == (
        503,
        {"status": "unready", "reasons": ["The configuration is not loaded yet."], "warnings": []},
    )


async def test_a_replica_that_stops_is_not_ready_any_more(door: Door, client: TestClient[Any, Any]) -> None:
    door.readiness.drain()
    assert await get(client, "/readyz") == (
        503,
        {"status": "unready", "reasons": ["This replica is stopping."], "warnings": []},
    )


async def test_what_people_should_know_makes_nothing_unready(door: Door, client: TestClient[Any, Any]) -> None:
    door.warnings.append("LiveKit does not answer.")
    assert await get(client, "/readyz") == (
        200,
        {"status": "ready", "reasons": [], "warnings": ["LiveKit does not answer."]},
    )


async def test_the_store_is_asked_once_a_second_however_many_ask(door: Door, client: TestClient[Any, Any]) -> None:
    await asyncio.gather(*(get(client, "/readyz") for _ in range(20)))
    assert door.archive.pings == 1
    door.clock.at += 0.9
    await get(client, "/readyz")
    assert door.archive.pings == 1
    door.clock.at += 0.2
    await get(client, "/readyz")
    assert door.archive.pings == 2


async def test_a_store_that_comes_back_is_noticed(door: Door, client: TestClient[Any, Any]) -> None:
    door.archive.down = True
    assert (await get(client, "/readyz"))[0] == 503
    door.archive.down = False
    door.clock.at += 1.0
    assert (await get(client, "/readyz"))[0] == 200


class HangingStore:
    async def ping(self) -> None:
        await asyncio.get_running_loop().create_future()


class FailingStore:
    async def ping(self) -> None:
        raise StoreUnavailable("connection refused by redis://secret@host")


@pytest.mark.looptime
async def test_a_store_that_hangs_is_given_a_second() -> None:
    begun = asyncio.get_running_loop().time()
    readiness = Readiness(HangingStore(), StillClock(), lambda: ())
    readiness.configuration_loaded()
    assert await readiness.reasons() == ("The store did not answer within 1 s.",)
    assert asyncio.get_running_loop().time() - begun == pytest.approx(1.0)


async def test_a_probe_learns_nothing_of_the_stores_address() -> None:
    readiness = Readiness(FailingStore(), StillClock(), lambda: ())
    readiness.configuration_loaded()
    assert await readiness.reasons() == ("The store is not available.",)
