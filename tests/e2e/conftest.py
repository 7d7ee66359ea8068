"""Fixtures on the harness, and the logs of all processes beside a test that fails."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.tools.livekit_server import HOW_TO_GET_ONE, find
from tests.e2e.harness.alerts import AlertSink, alert_sink
from tests.e2e.harness.listing import Sampler, sampler
from tests.e2e.harness.livekit import livekit_server
from tests.e2e.harness.orchestrator import webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.redis import redis_server
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.workers import BEHAVIOURS, PYTHON, WELL_BEHAVED, workers

LAST_LINES = 60
"""How much of each log is shown."""

SHARED_LOGS = pytest.StashKey[Path]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The burst comes first, whatever the order: its worker reports its load, which that of shared stages would raise."""
    items.sort(key=lambda item: item.path.name != "test_burst.py")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the processes of a failed test wrote last: without it such a failure can only be guessed at."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        directories = (item.funcargs.get("tmp_path"), item.config.stash.get(SHARED_LOGS, None))
        for log in sorted(log for directory in directories if isinstance(directory, Path) for log in directory.rglob("*.log")):
            lines = log.read_text(errors="replace").splitlines()
            report.sections.append((f"last lines of {log.name}", "\n".join(lines[-LAST_LINES:])))
    return report


@pytest.fixture(scope="session", autouse=True)
def _real_processes_can_be_started() -> None:
    """Skip where something is missing, with the way to get it; where CI=true nothing may be skipped."""
    missing = [] if find() else [HOW_TO_GET_ONE]
    if not PYTHON.exists():
        missing.append(f"no worker environment at {PYTHON}: run `make setup`")
    if missing:
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        stop("; ".join(missing))


@pytest.fixture(scope="session")
def shared_directory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For what many tests share; its logs are shown with every failure."""
    directory = tmp_path_factory.mktemp("shared")
    request.config.stash[SHARED_LOGS] = directory
    return directory


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage_in_memory(shared_directory: Path) -> AsyncIterator[Stage]:
    """A server without Redis, and a worker of every behaviour."""
    directory = shared_directory / "memory"
    directory.mkdir()
    port = free_port()
    async with (
        livekit_server(directory, webhook_urls=[webhook_url(port)]) as server,
        workers(directory, server, {name: name for name in BEHAVIOURS}) as crowd,
    ):
        yield Stage(server, crowd, port)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage_on_redis(shared_directory: Path) -> AsyncIterator[Stage]:
    """A server with a store behind it, as every server of several nodes has one, and the well-behaved workers."""
    directory = shared_directory / "redis"
    directory.mkdir()
    port = free_port()
    async with (
        redis_server(directory) as store,
        livekit_server(directory, webhook_urls=[webhook_url(port)], redis=store.address) as server,
        workers(directory, server, {name: name for name in WELL_BEHAVED}) as crowd,
    ):
        yield Stage(server, crowd, port)


@pytest.fixture
def _chosen_stage(request: pytest.FixtureRequest) -> Stage:
    # Asked for by name, so that a run which needs one stage does not start both.
    backend = getattr(request, "param", "memory")
    stage: Stage = request.getfixturevalue("stage_in_memory" if backend == "memory" else "stage_on_redis")
    return stage


@pytest_asyncio.fixture
async def stage(_chosen_stage: Stage) -> AsyncIterator[Stage]:
    """The shared server and its workers, without rooms; `on_both_backends` runs a test on both."""
    yield _chosen_stage
    await _chosen_stage.clear()


@pytest_asyncio.fixture
async def watched(stage: Stage) -> AsyncIterator[Sampler]:
    """The listings of the stage's server, looked at all through the test."""
    async with sampler(stage.server) as watcher:
        yield watcher


@pytest_asyncio.fixture
async def alerts() -> AsyncIterator[AlertSink]:
    """A receiver of alerts."""
    async with alert_sink() as sink:
        yield sink
