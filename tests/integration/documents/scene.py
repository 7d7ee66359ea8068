"""The service that the commands of the documents are run against: a real one, in this process, on a sandbox LiveKit.

In it mary serves `support-17`, and is missing in `support-18`, since no worker takes her jobs there.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from orchestrator.app import Replica
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.tasks import Tasks
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.model import Job
from orchestrator.sandbox.server import serving
from orchestrator.sandbox.signing import Credentials
from orchestrator.sandbox.timing import Timing
from orchestrator.sandbox.workers import Behaviour, Refusal
from orchestrator.settings import load_settings
from orchestrator.store.embedded import embedded_valkey
from tests.e2e.harness.alerts import alert_sink
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until
from tests.integration.conftest import crashed

SERVED, MISSING = "support-17", "support-18"
TOKEN = "a-token-of-the-documents-to-operate"
PAIR = Credentials("devkey", "the-secret-of-the-documents-in-tests")

QUICK = {
    "attempts": 2,
    "accept_window": "300ms",
    "join_window": "2s",
    "deadline": "3s",
    "keep_trying": "60s",
    "backoff": "50ms",
}
"""Who reads the documents need not wait, but who tests them."""

SOON = Timing(registration=(0.0, 0.0), names_check=0.1, goodbye=0.1)

CONFIGURATION = {
    "agents": {"mary": {"metadata": {"persona": "mary"}, "policy": QUICK}, "tom": {"policy": QUICK}},
    "routes": [{"room": "support-*", "agents": ["mary"]}, {"agents": ["tom"]}],
    "reconcile_period": "1s",
    "drain": "0s",
}


def refusal(job: Job) -> Refusal:
    return "keep" if job.room == MISSING else ""


@dataclass(frozen=True)
class Scene:
    url: str
    directory: Path
    environment: dict[str, str]
    sandbox: Sandbox
    said: dict[str, tuple[int, str]] = field(default_factory=dict)
    """What commands have said that are run once."""
    ids: dict[str, str] = field(default_factory=dict)
    """What stands here for the ids that documents show."""

    async def set(self) -> None:
        """Both rooms as the documents tell of them, whatever a command did to them."""
        await self._ask("POST", "/agents/mary/resume")
        for room, state in ((SERVED, "verified"), (MISSING, "unverified")):
            found = await self._ask("GET", f"/sessions/{room}")
            attempts = sum(placement["attempts_total"] for placement in found.get("placements", ()))
            if found.get("state") != state or (room == SERVED and attempts > 1):
                if found and found["state"] != "ended":
                    self.sandbox.delete_room(room)
                self.sandbox.join(room, "ann")

                async def reached(room: str = room, state: str = state, before: str | None = found.get("sid")) -> bool:
                    now = await self._ask("GET", f"/sessions/{room}")
                    return now.get("state") == state and now.get("sid") != before

                await wait_until(reached, timeout=10.0, description=f"{room} is {state}, anew")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        sent = None if method == "GET" else body or {}
        async with aiohttp.ClientSession(headers=headers) as http:
            answer = await http.request(method, self.url + path, json=sent)
            found: dict[str, Any] = await answer.json(content_type=None)
            return found


@asynccontextmanager
async def scene(directory: Path) -> AsyncIterator[Scene]:
    port = free_port()
    url = f"http://{LOOPBACK}:{port}"
    file = directory / "rollcall.yaml"
    clock, tasks = StoreClock(), Tasks(crashed)
    chance = random.Random(1)  # noqa: S311 - a sandbox's, and keeps no secrets
    sandbox = Sandbox(clock, chance, tasks.spawn, timing=SOON)
    live = serving(sandbox, clock, PAIR, host=LOOPBACK, port=0, webhook_urls=[f"{url}/webhooks/livekit"])
    async with alert_sink() as sink, embedded_valkey(directory / "state") as redis_url, live as livekit_port:
        file.write_text(yaml.safe_dump({**CONFIGURATION, "alerts": sink.config()}))
        environment = {
            "LIVEKIT_URL": f"http://{LOOPBACK}:{livekit_port}",
            "LIVEKIT_API_KEY": PAIR.key,
            "LIVEKIT_API_SECRET": PAIR.secret,
            "REDIS_URL": redis_url,
            "ROLLCALL_API_TOKENS": f"operate:{TOKEN},mint:{TOKEN}",
            "ROLLCALL_URL": url,
            "ROLLCALL_API_TOKEN": TOKEN,
        }
        settings = load_settings(
            {
                "config": file,
                "host": LOOPBACK,
                "port": port,
                "livekit_url": environment["LIVEKIT_URL"],
                "livekit_api_key": PAIR.key,
                "livekit_api_secret": PAIR.secret,
                "api_tokens": environment["ROLLCALL_API_TOKENS"],
            }
        )
        replica = Replica(settings, redis_url)
        await replica.start()
        workers = [sandbox.start_worker(name, behaviour=Behaviour(refuses=refusal)) for name in ("mary", "tom")]
        try:
            await wait_until(lambda: all(worker.registered for worker in workers), description="the workers register")
            for room in (SERVED, MISSING):
                sandbox.join(room, "ann")
            yield Scene(url, directory, environment, sandbox)
        finally:
            await replica.stop()
            await tasks.cancel()
