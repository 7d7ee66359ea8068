"""`rollcall sandbox`, started as somebody starts it who has no LiveKit."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from livekit import api

from tests.e2e.harness.child import ChildProcess
from tests.e2e.harness.livekit import API_KEY, API_SECRET
from tests.e2e.harness.orchestrator import COMMAND
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until


class SandboxProcess:
    """One sandbox, and what it says is true."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.port = free_port()
        mine = ("--port", str(self.port), "--key", API_KEY, "--secret", API_SECRET, "--json")
        self.process = ChildProcess([COMMAND, "sandbox", *mine, *options], log=directory / "sandbox.log")

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{LOOPBACK}:{self.port}"

    def environment(self) -> dict[str, str]:
        """What an orchestrator needs to find it."""
        return {"LIVEKIT_URL": self.url, "LIVEKIT_API_KEY": API_KEY, "LIVEKIT_API_SECRET": API_SECRET}

    def api(self) -> api.LiveKitAPI:
        """LiveKit's own client; to be closed, as an asynchronous context manager."""
        return api.LiveKitAPI(self.url, API_KEY, API_SECRET, failover=False)

    def figures(self) -> list[dict[str, Any]]:
        """What it said of each second so far."""
        return [json.loads(line) for line in self.process.logged().splitlines() if line.endswith("}")]


@asynccontextmanager
async def sandbox(directory: Path, *options: str) -> AsyncIterator[SandboxProcess]:
    """A sandbox that says its figures, ended at the exit."""
    running = SandboxProcess(directory, *options)
    try:
        running.process.start()
        await wait_until(
            lambda: running.figures() or not running.process.running, timeout=15.0, description="the sandbox says its figures"
        )
        yield running
    finally:
        await running.process.clear_away()
