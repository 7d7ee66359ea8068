"""One LiveKit with its workers for all scenarios, and three replicas with a Redis for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.e2e.conftest import _real_processes_can_be_started as _real_processes_can_be_started
from tests.e2e.conftest import pytest_runtest_makereport as pytest_runtest_makereport
from tests.e2e.conftest import shared_directory as shared_directory
from tests.e2e.harness.livekit import livekit_server
from tests.e2e.harness.orchestrator import webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.workers import workers
from tests.faults.scene import WORKERS, Scene, scene_on


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fault_stage(shared_directory: Path) -> AsyncIterator[Stage]:
    """A server without Redis, and a worker for each of the agent names."""
    port = free_port()
    async with (
        livekit_server(shared_directory, webhook_urls=[webhook_url(port)]) as server,
        workers(shared_directory, server, WORKERS) as crowd,
    ):
        yield Stage(server, crowd, port)


@pytest_asyncio.fixture
async def scene(fault_stage: Stage, tmp_path: Path) -> AsyncIterator[Scene]:
    """Three replicas that want in every room the agent after which it is named."""
    async with scene_on(fault_stage, tmp_path) as running:
        yield running
    await fault_stage.clear()
