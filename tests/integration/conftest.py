"""Real stores for whoever needs one: the embedded Valkey, and Debian's redis-server 7."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio

from orchestrator.runtime.tasks import Tasks
from orchestrator.store.connection import Connection
from orchestrator.store.embedded import embedded_valkey
from orchestrator.store.keys import Keys
from orchestrator.store.sessions import Retention, Sessions
from tests.e2e.harness.redis import Flavour, redis_server
from tests.logs import logs_go_where_they_went

__all__ = ["logs_go_where_they_went"]


def need(flavour: Flavour) -> None:
    """Skip where this server is not installed; where CI=true nothing may be skipped."""
    if flavour is Flavour.REDIS and shutil.which("redis-server") is None:
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip  # noqa: TID251 - the runner's word, no setting
        stop("no redis-server on PATH (Debian: apt install redis-server)")


@pytest_asyncio.fixture(scope="session", loop_scope="session", params=list(Flavour))
async def redis_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of a store that all tests share; whoever uses it through `connection` finds it empty."""
    need(request.param)
    directory = tmp_path_factory.mktemp("store")
    if request.param is Flavour.VALKEY:
        async with embedded_valkey(directory) as url:
            yield url
    else:
        async with redis_server(directory, Flavour.REDIS) as server:
            yield server.url


def crashed(name: str, error: BaseException) -> None:
    raise AssertionError(f"task {name} crashed") from error


@asynccontextmanager
async def connected(url: str, *, timeout: float = 2.0) -> AsyncIterator[Connection]:
    """A connection of its own; nothing of it is left behind."""
    tasks = Tasks(crashed)
    connection = Connection(url, tasks.spawn, timeout=timeout)
    try:
        yield connection
    finally:
        await tasks.drain(5.0)
        await connection.close()


@pytest_asyncio.fixture
async def connection(redis_url: str) -> AsyncIterator[Connection]:
    """A connection to an empty store. A test that leaves a key that would stay for ever fails."""
    async with connected(redis_url) as opened:
        await opened.call("FLUSHALL")
        yield opened
        eternal = [key async for key in opened.client.scan_iter() if await opened.client.ttl(key) < 0]
        assert not eternal, f"keys without a TTL: {eternal}"


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def store(connection: Connection, keys: Keys) -> Sessions:
    """The sessions, as one replica sees them."""
    return Sessions(connection, keys, Retention())
