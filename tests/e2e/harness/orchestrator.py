"""`rollcall serve`, started as an operator starts it, and asked as an on-call person asks it."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp
import yaml

from tests.e2e.harness.child import ChildProcess, clean_environment
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import NotInTime, wait_until

COMMAND = Path(sys.executable).with_name("rollcall")

READ_TOKEN = "read-token-of-the-tests"
OPERATE_TOKEN = "operate-token-of-the-tests"
MINT_TOKEN = "mint-token-of-the-tests"
WORKER_TOKEN = "worker-token-of-the-tests"

Json = dict[str, Any]


class LiveKit(Protocol):
    """A server, or what stands in for one."""

    def environment(self) -> dict[str, str]:
        """What an orchestrator needs to find it."""
        ...


def webhook_url(port: int) -> str:
    """Where an orchestrator on this port gets LiveKit's webhooks; the server must know it before either starts."""
    return f"http://{LOOPBACK}:{port}/webhooks/livekit"


class Orchestrator:
    """One replica."""

    def __init__(
        self,
        directory: Path,
        server: LiveKit,
        config: Mapping[str, object],
        *,
        port: int | None = None,
        redis_url: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`config` is the content of rollcall.yaml; without `redis_url` it starts its embedded store."""
        self.port = port or free_port()
        path = directory / f"rollcall-{self.port}.yaml"
        path.write_text(yaml.safe_dump(dict(config)))
        tokens = f"read:{READ_TOKEN},operate:{OPERATE_TOKEN},mint:{MINT_TOKEN},worker:{WORKER_TOKEN}"
        store = {"REDIS_URL": redis_url} if redis_url else {}
        state = directory / f"state-{self.port}"
        self.process = ChildProcess(
            [COMMAND, "serve", "--config", path, "--host", LOOPBACK, "--port", str(self.port), "--state-dir", state],
            log=directory / f"rollcall-{self.port}.log",
            environment=clean_environment(**server.environment(), **store, ROLLCALL_API_TOKENS=tokens, **(environment or {})),
        )

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    async def start(self) -> None:
        """Run it until it is ready."""
        self.process.start()
        await wait_until(self._ready, timeout=20.0, description="rollcall is ready")

    async def session(self, room: str) -> Json | None:
        """What it says about this room (or sid); None if it knows of none."""
        return await self._get(f"/sessions/{quote(room, safe='')}")

    async def sessions(self, **filters: str) -> Json:
        """The list of sessions, as it answers."""
        found = await self._get("/sessions", **filters)
        return found or {}

    async def wait_for_state(self, room: str, state: str, *, timeout: float = 20.0) -> Json:
        """The session of this room, once it is in this state."""

        async def reached() -> Json | None:
            session = await self.session(room)
            return session if session is not None and session["state"] == state else None

        try:
            return await wait_until(reached, timeout=timeout, description=f"{room} is {state}")
        except NotInTime as late:
            message = f"{late}; the session is {json.dumps(await self.session(room), indent=1)}"
            raise NotInTime(message) from None

    async def metrics(self) -> str:
        """What Prometheus would read."""
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.url}/metrics", headers=_bearer(READ_TOKEN)) as response,
        ):
            response.raise_for_status()
            return await response.text()

    def worker_environment(self) -> dict[str, str]:
        """What a worker needs to find it."""
        return {"ROLLCALL_URL": self.url, "ROLLCALL_API_TOKEN": WORKER_TOKEN}

    async def operate(self, method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
        """The status and the answer to what an operator sends."""
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, self.url + path, json=body, headers=_bearer(OPERATE_TOKEN)) as response,
        ):
            return response.status, await response.json(content_type=None) or {}

    async def transcript(self, room: str) -> list[Json]:
        """What was said in this room, as far as it is kept."""
        found = await self._get(f"/sessions/{quote(room, safe='')}/transcript")
        items: list[Json] = (found or {}).get("items", [])
        return items

    async def _get(self, path: str, **query: str) -> Json | None:
        url = f"{self.url}{path}"
        async with (
            aiohttp.ClientSession() as http,
            http.get(url, params=query, headers=_bearer(READ_TOKEN)) as response,
        ):
            if response.status == 404:
                return None
            response.raise_for_status()
            body: Json = await response.json()
            return body

    async def _ready(self) -> bool:
        if not self.process.running:
            message = f"rollcall ended with code {self.process.exit_code}:\n{self.process.logged()[-2_000:]}"
            raise RuntimeError(message)
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{self.url}/readyz") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False


@asynccontextmanager
async def orchestrator(
    directory: Path,
    server: LiveKit,
    config: Mapping[str, object],
    *,
    port: int | None = None,
    redis_url: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Orchestrator]:
    """A replica that is ready, ended at the exit."""
    replica = Orchestrator(directory, server, config, port=port, redis_url=redis_url, environment=environment)
    try:
        await replica.start()
        yield replica
    finally:
        await replica.process.clear_away(timeout=10.0)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
