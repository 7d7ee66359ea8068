"""What the tests of the store share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from orchestrator.store.connection import Connection
from orchestrator.store.fleet import AnnouncedWorkers, WorkerLimits
from orchestrator.store.hearing import WebhookHearing
from orchestrator.store.incidents import ServiceIncidents
from orchestrator.store.keys import Keys
from orchestrator.store.leases import ReplicaLeases
from orchestrator.store.rounds import ReconcileRounds
from orchestrator.store.sessions import Retention, Sessions
from orchestrator.store.shares import BudgetShares
from tests.e2e.harness.redis import Flavour, RedisServer, redis_server
from tests.integration.conftest import need


@pytest_asyncio.fixture(params=list(Flavour))
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[RedisServer]:
    """A server of this test's own, to be stopped, frozen and cut."""
    need(request.param)
    async with redis_server(tmp_path, request.param) as running:
        yield running


@pytest.fixture
def other(connection: Connection, keys: Keys) -> Sessions:
    """The same sessions, as another replica sees them: it remembers nothing of the first."""
    return Sessions(connection, keys, Retention())


@pytest.fixture
def leases(connection: Connection, keys: Keys) -> ReplicaLeases:
    return ReplicaLeases(connection, keys)


@pytest.fixture
def rounds(connection: Connection, keys: Keys) -> ReconcileRounds:
    return ReconcileRounds(connection, keys)


@pytest.fixture
def hearing(connection: Connection, keys: Keys) -> WebhookHearing:
    return WebhookHearing(connection, keys)


@pytest.fixture
def shares(connection: Connection, keys: Keys) -> BudgetShares:
    return BudgetShares(connection, keys)


@pytest.fixture
def incidents(connection: Connection, keys: Keys) -> ServiceIncidents:
    return ServiceIncidents(connection, keys)


@pytest.fixture
def workers(connection: Connection, keys: Keys) -> AnnouncedWorkers:
    return AnnouncedWorkers(connection, keys, WorkerLimits())


@pytest.fixture
def few_workers(connection: Connection, keys: Keys) -> AnnouncedWorkers:
    """With room for two workers of a name, three in all, and two names."""
    return AnnouncedWorkers(connection, keys, WorkerLimits(of_name=2, workers=3, names=2))
