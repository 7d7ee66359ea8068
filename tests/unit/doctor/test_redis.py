"""What a store says of itself, and whether sessions are safe there."""

from typing import Any

import pytest

from orchestrator.doctor.findings import Finding
from orchestrator.doctor.redis import EVICTION, MEMORY, NAME, PERSISTENCE, Facts, eviction, judged, persistence

GOOD = {"redis_version": "7.4.1", "role": "master", "aof_enabled": 1, "used_memory": 1024, "maxmemory": 0, "loading": 0}
CONFIGURED = {"appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction"}


def facts(configured: dict[str, str] | None = None, *, latency_ms: float = 0.3, ahead: float = 0.0, **info: Any) -> Facts:
    return Facts({**GOOD, **info}, CONFIGURED if configured is None else configured, latency_ms, ahead)


def statuses(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.status.value for finding in findings}


def test_a_store_as_it_should_be_is_well() -> None:
    assert statuses(judged(facts())) == {NAME: "ok", PERSISTENCE: "ok", EVICTION: "ok", MEMORY: "ok"}


@pytest.mark.parametrize(
    ("info", "status"),
    [
        ({"redis_version": "6.2.14"}, "failed"),
        ({"redis_version": "7.0.0"}, "ok"),
        ({"redis_version": "10.0.0"}, "ok"),
        ({"redis_version": "7.2.4", "valkey_version": "7.2.5"}, "ok"),
        ({"redis_version": "7.2.4", "valkey_version": "9.1.0"}, "ok"),
        ({"role": "slave"}, "failed"),
        ({"loading": 1}, "failed"),
    ],
)
def test_too_old_a_server_a_replica_and_one_that_loads_are_no_store(info: dict[str, Any], status: str) -> None:
    assert statuses(judged(facts(**info)))[NAME] == status


def test_a_slow_store_and_one_with_another_clock_are_told_of() -> None:
    assert "250 ms" in judged(facts(latency_ms=250))[0].message
    assert "12 s behind ours" in judged(facts(ahead=-12))[0].message


@pytest.mark.parametrize(
    ("configured", "info", "status"),
    [
        ({"save": ""}, {"aof_enabled": 0}, "failed"),
        ({"save": ""}, {"aof_enabled": 0, "connected_slaves": 1}, "warning"),
        ({"save": "3600 1"}, {"aof_enabled": 0}, "warning"),
        ({"save": "3600 1"}, {"aof_enabled": 0, "rdb_last_bgsave_status": "err"}, "failed"),
        ({}, {"aof_enabled": 0}, "warning"),
        ({"appendfsync": "no"}, {}, "warning"),
        ({}, {}, "ok"),
        ({}, {"aof_last_write_status": "err"}, "failed"),
    ],
)
def test_persistence_is_judged_by_what_a_crash_takes(configured: dict[str, str], info: dict[str, Any], status: str) -> None:
    assert persistence(facts(configured, **info)).status == status


@pytest.mark.parametrize(
    ("policy", "maxmemory", "status"),
    [
        ("noeviction", 10**6, "ok"),
        ("allkeys-lru", 10**6, "failed"),
        ("volatile-ttl", 10**6, "failed"),
        ("volatile-lru", 0, "warning"),
    ],
)
def test_only_noeviction_keeps_sessions_for_all_of_our_keys_have_a_ttl(policy: str, maxmemory: int, status: str) -> None:
    assert eviction(facts({"maxmemory-policy": policy}, maxmemory=maxmemory)).status == status


def test_where_config_is_refused_the_policy_is_read_from_info() -> None:
    assert eviction(facts({}, maxmemory_policy="allkeys-lfu", maxmemory=10**6)).status == "failed"
    assert eviction(facts({})).status == "warning"


def test_a_store_that_is_nearly_full_is_told_of() -> None:
    assert statuses(judged(facts(used_memory=90, maxmemory=100)))[MEMORY] == "warning"
    assert statuses(judged(facts(used_memory=50, maxmemory=100)))[MEMORY] == "ok"
