"""Is Redis fit to keep sessions: version, role, persistence, eviction, room left, latency, clock? Nothing is written."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

from orchestrator.core.quotation import quoted
from orchestrator.doctor.findings import Finding, failed, ok, warning
from orchestrator.settings import Settings
from orchestrator.store.client import close_client, open_client

NAME: Final = "redis"
PERSISTENCE: Final = "redis persistence"
EVICTION: Final = "redis eviction"
MEMORY: Final = "redis memory"

_OLDEST: Final = {"redis": (7, 0), "valkey": (7, 2)}
_NAMES: Final = {"redis": "Redis", "valkey": "Valkey"}

_PINGS: Final = 5
SLOW_MS: Final = 20.0
"""Each webhook waits for the store once before LiveKit gets its 200, and each step of a session does."""

NEARLY_FULL: Final = 0.8
"""The part of maxmemory from which on somebody should know: at all of it, nothing can be stored."""

CLOCK_NOTABLE: Final = 10.0
"""Seconds. Webhooks are held to be too early or too late by Redis' clock, with a leeway of 60 s by default."""

_TIMEOUT: Final = 3.0
_CONFIGURED: Final = ("appendonly", "appendfsync", "save", "maxmemory", "maxmemory-policy")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server says of itself. `configured` lacks what it does not tell: hosted ones refuse CONFIG."""

    info: Mapping[str, Any]
    configured: Mapping[str, str] = field(default_factory=dict)
    latency_ms: float = 0.0
    ahead: float = 0.0
    """Seconds by which its clock is before ours."""


async def examine_redis(settings: Settings) -> list[Finding]:
    if settings.redis_url is None:
        return [_embedded(settings.state_dir)]
    client = open_client(settings.redis_url.get_secret_value(), _TIMEOUT)
    try:
        facts = await _read(client)
    except (RedisError, OSError) as error:
        return [_unusable(error)]
    finally:
        await close_client(client)
    return judged(facts)


def judged(facts: Facts) -> list[Finding]:
    """What the facts come to, one finding per aspect."""
    return [_server(facts), persistence(facts), eviction(facts), _memory(facts)]


async def _read(client: Redis) -> Facts:
    times = []
    for _ in range(_PINGS):
        asked_at = time.monotonic()
        await client.ping()
        times.append((time.monotonic() - asked_at) * 1000)
    await client.eval("return 1", 0)
    seconds, microseconds = await client.time()
    ahead = seconds + microseconds / 1_000_000 - time.time()
    return Facts(await client.info(), await _configured(client), round(median(times), 2), ahead)


async def _configured(client: Redis) -> dict[str, str]:
    try:
        found = await client.config_get(*_CONFIGURED)
    except ResponseError:
        return {}
    return {_text(name): _text(value) for name, value in found.items()}


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _embedded(state_dir: Path) -> Finding:
    message = f"REDIS_URL is not set: serve starts an embedded Valkey, for this one machine, with its data in {state_dir}."
    return ok(NAME, message)


def _unusable(error: RedisError | OSError) -> Finding:
    said = quoted(str(error))
    if isinstance(error, NoPermissionError):
        return failed(NAME, f"The user of REDIS_URL may not do what the store needs: {said}.", "Allow it ~* &* +@all.")
    if isinstance(error, AuthenticationError):
        return failed(NAME, f"Redis does not let us in: {said}.", "Correct the user and password in REDIS_URL.")
    if isinstance(error, ResponseError):
        return failed(NAME, f"Redis refuses what the store needs: {said}.", "Look into its log.")
    fix = "Check host, port and scheme (rediss:// for TLS) of REDIS_URL, and that Redis runs."
    return failed(NAME, f"Redis does not answer: {said}.", fix)


# --- the server itself ---------------------------------------------------------------------------------------------------


def _server(facts: Facts) -> Finding:
    kind, version = _kind_and_version(facts.info)
    name = f"{_NAMES[kind]} {version}"
    oldest = _OLDEST[kind]
    if _numbers(version) < oldest:
        fix = "Use Redis 7.0 or later, or Valkey 7.2 or later."
        return failed(NAME, f"{name} is too old: the store's scripts need {oldest[0]}.{oldest[1]}.", fix)
    if facts.info.get("role") == "slave":
        fix = "Set REDIS_URL to the primary, or to the address that follows it in a failover."
        return failed(NAME, f"{name} answers, but is a replica, to which nothing can be written.", fix)
    if facts.info.get("loading"):
        return failed(NAME, f"{name} answers, but is still loading its data.", "Wait until it has.")
    if abs(facts.ahead) > CLOCK_NOTABLE:
        side = "ahead of" if facts.ahead > 0 else "behind"
        message = (
            f"{name} answers; its clock, by which webhooks are too early or too late, is {abs(facts.ahead):.0f} s {side} ours."
        )
        return warning(NAME, message, "Let NTP keep the clocks of both machines.")
    if facts.latency_ms > SLOW_MS:
        message = f"{name} answers in {facts.latency_ms:g} ms, for which each webhook and each step of a session waits."
        return warning(NAME, message, "Bring it nearer, or find out what keeps it busy.")
    return ok(NAME, f"{name} answers in {facts.latency_ms:g} ms.")


def _kind_and_version(info: Mapping[str, Any]) -> tuple[str, str]:
    """Valkey calls itself Redis 7.2 for old clients, and its own version by another name."""
    if "valkey_version" in info:
        return "valkey", str(info["valkey_version"])
    return "redis", str(info.get("redis_version", "0"))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:2])


# --- persistence ---------------------------------------------------------------------------------------------------------

_LOST: Final = "after a restart of it sessions and pending alerts are forgotten, and rooms that live then are only observed"
_APPEND: Final = "Set `appendonly yes` in redis.conf."


def persistence(facts: Facts) -> Finding:
    """Whether what LiveKit got a 200 for outlives the server's process."""
    info = facts.info
    if info.get("aof_enabled"):
        if info.get("aof_last_write_status", "ok") != "ok":
            return failed(PERSISTENCE, "The append-only file cannot be written.", "Look at the disk of Redis.")
        if facts.configured.get("appendfsync") == "no":
            message = "appendonly is on, but appendfsync is no: a power loss takes what the system had not written yet."
            return warning(PERSISTENCE, message, "Set `appendfsync everysec`.")
        return ok(PERSISTENCE, "The append-only file is on.")
    save = facts.configured.get("save")
    if save:
        if info.get("rdb_last_bgsave_status", "ok") != "ok":
            return failed(
                PERSISTENCE, "The last snapshot failed, and there is no append-only file.", "Look at the disk of Redis."
            )
        message = "There are snapshots only: a crash takes all that was stored since the last one."
        return warning(PERSISTENCE, message, _APPEND)
    if save is None:
        message = f"appendonly is off, and whether there are snapshots cannot be read (CONFIG is refused). Without, {_LOST}."
        return warning(PERSISTENCE, message, "Look it up with the provider, and turn it on.")
    if info.get("connected_slaves"):
        message = "Nothing is written to disk: only the replicas keep what is stored, as long as not all are down at once."
        return warning(PERSISTENCE, message, _APPEND)
    return failed(PERSISTENCE, f"Redis keeps nothing on disk (no appendonly, no save): {_LOST}.", _APPEND)


# --- memory --------------------------------------------------------------------------------------------------------------


def eviction(facts: Facts) -> Finding:
    """All of our keys have a TTL, so volatile-* takes them as allkeys-* does: only noeviction is right."""
    policy = facts.configured.get("maxmemory-policy") or str(facts.info.get("maxmemory_policy", ""))
    if not policy:
        return warning(EVICTION, "The eviction policy cannot be read.", "See to it that maxmemory-policy is noeviction.")
    if policy == "noeviction":
        return ok(EVICTION, "The eviction policy is noeviction.")
    message = f"The eviction policy is {policy}: when memory runs out, Redis deletes living sessions, in silence."
    fix = "Set `maxmemory-policy noeviction`, and see to it that there is room."
    if facts.info.get("maxmemory"):
        return failed(EVICTION, message, fix)
    return warning(EVICTION, f"{message} Today maxmemory is not set.", fix)


def _memory(facts: Facts) -> Finding:
    used, most = int(facts.info.get("used_memory", 0)), int(facts.info.get("maxmemory", 0))
    if not most:
        return ok(MEMORY, f"{_mebibytes(used)} are used, and maxmemory sets no limit.")
    message = f"{_mebibytes(used)} of {_mebibytes(most)} are used"
    if used >= most * NEARLY_FULL:
        return warning(
            MEMORY, f"{message}: when they are, nothing can be stored.", "Give it more (a live session takes 4 KiB)."
        )
    return ok(MEMORY, f"{message}.")


def _mebibytes(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MiB"
