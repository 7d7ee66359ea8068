"""One real livekit-server for these tests, the adapter on it, and a room of each test's own."""

import os
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from livekit.api import CreateRoomRequest

from deploy.tools.livekit_server import HOW_TO_GET_ONE, find
from orchestrator.livekit.api import LiveKitApi
from orchestrator.runtime.clock import StoreClock
from tests.e2e.harness.livekit import API_KEY, API_SECRET, LiveKitServer, livekit_server


def never_throttled() -> None:
    raise AssertionError("this server knows no 429")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LiveKitServer]:
    """Skips where there is none; where CI=true nothing may be skipped."""
    if find() is None:
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip  # noqa: TID251 - the runner's word, no setting
        stop(HOW_TO_GET_ONE)
    async with livekit_server(tmp_path_factory.mktemp("livekit")) as running:
        yield running


@pytest_asyncio.fixture
async def livekit(server: LiveKitServer) -> AsyncIterator[LiveKitApi]:
    async with LiveKitApi(server.url, API_KEY, API_SECRET, clock=StoreClock(), on_throttled=never_throttled) as adapter:
        yield adapter


@pytest_asyncio.fixture
async def room(server: LiveKitServer) -> AsyncIterator[str]:
    """The name of a room that lives."""
    name = f"room-{uuid.uuid4().hex}"
    async with server.api() as client:
        await client.room.create_room(CreateRoomRequest(name=name, metadata='{"kind": "demo"}'))
    yield name
