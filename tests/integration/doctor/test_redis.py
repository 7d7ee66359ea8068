"""What doctor says of real stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.doctor.findings import Finding
from orchestrator.doctor.redis import EVICTION, NAME, PERSISTENCE, examine_redis
from orchestrator.settings import Settings
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.integration.conftest import connected


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No rollcall.yaml, and no REDIS_URL."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REDIS_URL", raising=False)


async def findings(**settings: Any) -> dict[str, Finding]:
    return {finding.check: finding for finding in await examine_redis(Settings(**settings))}


@pytest.mark.redis
async def test_a_store_as_the_service_has_it_is_fit_and_nothing_is_written_to_it(redis_url: str) -> None:
    async with connected(redis_url) as connection:
        await connection.call("FLUSHALL")
        found = await findings(redis_url=redis_url)

        assert {name: finding.status.value for name, finding in found.items()} == {
            NAME: "ok",
            PERSISTENCE: "ok",
            EVICTION: "ok",
            "redis memory": "ok",
        }
        assert await connection.call("DBSIZE") == 0


@pytest.mark.redis
async def test_a_policy_that_evicts_is_found_where_it_stands(redis_url: str) -> None:
    async with connected(redis_url) as connection:
        try:
            await connection.call("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
            found = await findings(redis_url=redis_url)
        finally:
            await connection.call("CONFIG", "SET", "maxmemory-policy", "noeviction")

    assert found[EVICTION].status == "warning"
    assert "volatile-lru" in found[EVICTION].message


@pytest.mark.redis
async def test_a_user_who_may_not_run_scripts_is_named_with_what_helps(redis_url: str) -> None:
    async with connected(redis_url) as connection:
        try:
            await connection.call("ACL", "SETUSER", "default", "-eval")
            found = await findings(redis_url=redis_url)
        finally:
            await connection.call("ACL", "SETUSER", "default", "+eval")

    assert found[NAME].status == "failed"
    assert "+@all" in found[NAME].fix


async def test_where_nobody_listens_there_is_no_store_and_its_password_is_not_shown() -> None:
    found = await findings(redis_url=f"redis://:hunter2@{LOOPBACK}:{free_port()}/0")

    assert list(found) == [NAME]
    assert found[NAME].status == "failed"
    assert "hunter2" not in repr(found)


async def test_without_a_redis_the_embedded_store_is_what_serve_will_use() -> None:
    found = await findings()

    assert found[NAME].status == "ok"
    assert "embedded" in found[NAME].message
