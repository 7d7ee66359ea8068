"""Each test of agreement runs twice: on the sandbox, and on the real server where there is one."""

import os
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from livekit import api

from deploy.tools.livekit_server import HOW_TO_GET_ONE, find
from tests.e2e.harness.workers import PYTHON
from tests.integration.sandbox.places import Place, livekit_api, real_place, sandbox_place


def need_the_real_one() -> None:
    """Skip where something is missing; where CI=true nothing may be skipped."""
    if find() is None or not PYTHON.exists():
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip  # noqa: TID251 - the runner's word, no setting
        stop(HOW_TO_GET_ONE if find() is None else f"no worker environment at {PYTHON}: run `make setup`")


@pytest_asyncio.fixture(
    scope="session",
    loop_scope="session",
    params=[pytest.param("sandbox"), pytest.param("livekit-server", marks=pytest.mark.e2e)],
)
async def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    if request.param == "sandbox":
        async with sandbox_place() as opened:
            yield opened
    else:
        need_the_real_one()
        async with real_place(tmp_path_factory.mktemp("livekit")) as opened:
            yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def livekit(place: Place) -> AsyncIterator[api.LiveKitAPI]:
    async with livekit_api(place) as client:
        yield client


@pytest.fixture
def room() -> str:
    """The name of a room that nobody has opened yet."""
    return f"room-{uuid.uuid4().hex[:12]}"
