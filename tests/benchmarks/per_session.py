"""What one live session takes in the store, after a usual history: webhooks, a dispatch, an agent that joins and answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import aiohttp
from google.protobuf import json_format
from livekit.protocol.models import ParticipantInfo

from orchestrator.store.connection import Connection
from tests.benchmarks.dispatch_latency import CONFIG
from tests.benchmarks.fleet import connected
from tests.benchmarks.stub_livekit import StubLiveKit, stub_livekit
from tests.benchmarks.traffic import PATH, Webhook, life, of_event
from tests.e2e.harness.orchestrator import Orchestrator, orchestrator
from tests.e2e.harness.ports import LOOPBACK
from tests.e2e.harness.redis import Flavour, redis_server
from tests.e2e.harness.wait import wait_until

STORED = 1_000

_CONFIG = {
    **CONFIG,
    # The inbox of the last 1,000 webhooks is a megabyte, however many sessions there are: it is no part of any.
    "webhooks_kept": 0,
}

_AT_ONCE = 32


async def bytes_in_the_store(directory: Path, flavour: Flavour) -> float:
    """Per session, with its entries in the indexes, as the store itself counts them."""
    async with (
        stub_livekit() as livekit,
        redis_server(directory, flavour) as store,
        orchestrator(directory, livekit, _CONFIG, redis_url=store.url) as service,
        connected(store.url) as connection,
        aiohttp.ClientSession() as http,
    ):
        before = await _memory_usage(connection)
        several = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(_call(several, http, livekit, service) for _ in range(STORED)))
        for room in livekit.sids:
            await wait_until(partial(_settled, service, room), timeout=30.0, description=f"{room} is settled")
        return (await _memory_usage(connection) - before) / STORED


async def _call(several: asyncio.Semaphore, http: aiohttp.ClientSession, livekit: StubLiveKit, service: Orchestrator) -> None:
    """A room starts, its caller joins, its agent is dispatched and joins."""
    async with several:
        webhooks = life()
        started = of_event(webhooks, "room_started")
        caller, agent = (of_event(webhooks, "participant_joined", agent=is_agent) for is_agent in (False, True))
        dispatched = livekit.expect(started.room, started.sid)
        livekit.participants[started.room] = [_participant(caller)]
        await _post(http, service, started)
        await _post(http, service, caller)
        await dispatched
        livekit.take_job(started.room, _participant(agent))
        await _post(http, service, agent)


def _participant(webhook: Webhook) -> ParticipantInfo:
    told = json.dumps(json.loads(webhook.body)["participant"])
    return json_format.Parse(told, ParticipantInfo(), ignore_unknown_fields=True)


async def _post(http: aiohttp.ClientSession, service: Orchestrator, webhook: Webhook) -> None:
    url = f"http://{LOOPBACK}:{service.port}{PATH}"
    async with http.post(url, data=webhook.body, headers=webhook.headers()) as answer:
        answer.raise_for_status()


async def _settled(service: Orchestrator, room: str) -> bool:
    """Whether the last that happens to a call on a good day has happened: the look some seconds after its agent came."""
    session = await service.session(room)
    return session is not None and any(entry["event"] == "job_running" for entry in session["timeline"]) and _answers(session)


def _answers(session: Mapping[str, object]) -> bool:
    placements = session["placements"]
    return isinstance(placements, list) and all(placement["pulse"] for placement in placements)


async def _memory_usage(connection: Connection) -> int:
    """Of all keys, as the store itself counts them."""
    keys = await connection.call("KEYS", "*")
    sizes = await connection.calls(*(("MEMORY", "USAGE", key, "SAMPLES", 0) for key in keys))
    return sum(size or 0 for size in sizes)
