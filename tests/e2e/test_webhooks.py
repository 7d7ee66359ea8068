"""The webhook door in front of the real service: what LiveKit repeats, what strangers send, what Redis does not store."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp
import jwt
import pytest

from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import config
from tests.e2e.harness.listing import Sampler
from tests.e2e.harness.livekit import API_KEY, API_SECRET, livekit_server
from tests.e2e.harness.orchestrator import Orchestrator, orchestrator, webhook_url
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.redis import redis_server
from tests.e2e.harness.relay import relay
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

Forgery = Callable[[bytes, str, str], tuple[bytes, dict[str, str]]]


async def test_every_webhook_five_times_and_out_of_order_leads_to_the_same_result_and_one_agent(
    stage: Stage, watched: Sampler, tmp_path: Path
) -> None:
    port = free_port()
    async with (
        relay(stage.webhook_port, [webhook_url(port)], copies=5, seed=7) as between,
        orchestrator(tmp_path, stage.server, config("light"), port=port) as rollcall,
        client(stage.server, "shuffled") as person,
    ):
        await person.wait_for_agent()
        await rollcall.wait_for_state("shuffled", "verified")
        await wait_until(lambda: len(between.statuses) >= 15, description="three webhooks were sent five times")
        seen = time.monotonic()
        await wait_until(lambda: time.monotonic() > seen + 11, timeout=30, description="the look after verification is over")
        looks = watched.looks
        await wait_until(lambda: watched.looks > looks + 3, timeout=30, description="LiveKit was looked at since")
        session = await rollcall.wait_for_state("shuffled", "verified")
        assert set(between.statuses) == {200}
        assert (session["people"], session["placements"][0]["attempts_total"]) == (1, 1)
        assert watched.presence("shuffled", "light").greatest == 1


def signed(body: bytes, key: str, secret: str, **claims: object) -> str:
    now = int(time.time())
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    return jwt.encode({"iss": key, "nbf": now, "exp": now + 300, "sha256": digest, **claims}, secret, algorithm="HS256")


def envelope(body: bytes, token: str) -> tuple[bytes, dict[str, str]]:
    return body, {"Authorization": token, "Content-Type": "application/webhook+json"}


FORGERIES: dict[str, tuple[Forgery, int]] = {
    "unsigned": (lambda body, _key, _secret: (body, {"Content-Type": "application/webhook+json"}), 401),
    "another secret": (lambda body, key, _secret: envelope(body, signed(body, key, "x" * 40)), 401),
    "another key": (lambda body, _key, secret: envelope(body, signed(body, "stranger", secret)), 401),
    "another body": (lambda body, key, secret: envelope(body + b" ", signed(body, key, secret)), 401),
    "an hour old": (
        lambda body, key, secret: envelope(body, signed(body, key, secret, nbf=1_700_000_000, exp=1_700_000_300)),
        401,
    ),
    "good for ten years": (
        lambda body, key, secret: envelope(body, signed(body, key, secret, exp=int(time.time()) + 315_360_000)),
        401,
    ),
    "truncated": (lambda body, key, secret: envelope(body[:-20], signed(body[:-20], key, secret)), 400),
    "nested": (lambda _body, key, secret: envelope(b"[" * 5_000, signed(b"[" * 5_000, key, secret)), 400),
    "oversized": (lambda _body, key, secret: envelope(b" " * 300_000, signed(b" " * 300_000, key, secret)), 413),
    "another type": (
        lambda body, key, secret: (body, {"Authorization": signed(body, key, secret), "Content-Type": "text/plain"}),
        415,
    ),
}


async def test_what_is_forged_malformed_or_too_large_is_refused_and_changes_nothing(stage: Stage, tmp_path: Path) -> None:
    body = json.dumps({"event": "room_started", "id": "EV_forged", "room": {"sid": "RM_forged", "name": "forged"}}).encode()
    key, secret = API_KEY, API_SECRET
    async with (
        orchestrator(tmp_path, stage.server, config("light"), port=stage.webhook_port) as rollcall,
        aiohttp.ClientSession() as http,
    ):
        url = webhook_url(rollcall.port)
        answers = {}
        for name, (forge, _) in FORGERIES.items():
            data, headers = forge(body, key, secret)
            async with http.post(url, data=data, headers=headers) as response:
                answers[name] = response.status
        assert answers == {name: status for name, (_, status) in FORGERIES.items()}
        assert await rollcall.session("forged") is None
        async with client(stage.server, "after-forgeries"):
            await rollcall.wait_for_state("after-forgeries", "verified")


async def test_a_body_that_stalls_is_cut_off_and_the_service_goes_on(stage: Stage, tmp_path: Path) -> None:
    async with orchestrator(tmp_path, stage.server, config("light"), port=stage.webhook_port) as rollcall:
        reader, writer = await asyncio.open_connection(LOOPBACK, rollcall.port)
        head = "POST /webhooks/livekit HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        writer.write(head.encode())
        begun = time.monotonic()
        answer = await asyncio.wait_for(reader.read(), timeout=15)
        assert b" 408 " in answer.split(b"\r\n", 1)[0]
        assert time.monotonic() - begun < 8
        writer.close()
        async with client(stage.server, "after-stall"):
            await rollcall.wait_for_state("after-stall", "verified")


async def post(rollcall: Orchestrator, body: bytes, token: str) -> tuple[int, str | None]:
    async with aiohttp.ClientSession() as http:
        data, headers = envelope(body, token)
        async with http.post(webhook_url(rollcall.port), data=data, headers=headers) as response:
            return response.status, response.headers.get("Retry-After")


async def test_while_redis_is_away_livekit_is_told_503_and_its_own_retry_is_stored(tmp_path: Path) -> None:
    port = free_port()
    async with (
        redis_server(tmp_path) as store,
        livekit_server(tmp_path, webhook_urls=[webhook_url(port)]) as server,
        orchestrator(tmp_path, server, config("nobody"), port=port, redis_url=store.url) as rollcall,
    ):
        await store.process.kill()
        body = json.dumps({"event": "room_started", "id": "EV_x", "room": {"sid": "RM_x", "name": "x"}}).encode()
        status, retry_after = await post(rollcall, body, signed(body, API_KEY, API_SECRET))
        assert (status, retry_after is not None) == (503, True)
        async with client(server, "patient"):
            await store.start()
            await rollcall.wait_for_state("patient", "dispatching", timeout=30)

            async def started() -> bool:
                session = await rollcall.session("patient") or {"timeline": []}
                return any(entry["event"] == "room_started" for entry in session["timeline"])

            await wait_until(started, timeout=20, description="LiveKit's retry has brought room_started")
            await wait_until(lambda: people_in(rollcall, "patient"), timeout=20, description="the person is known")


async def people_in(rollcall: Orchestrator, room: str) -> bool:
    session = await rollcall.session(room)
    return session is not None and session["people"] == 1
