"""The fixtures of the store's contract tests, on the model."""

import pytest

from orchestrator.runtime.clock import StoreClock
from orchestrator.store.fleet import WorkerLimits
from tests.fakes.store import (
    Line,
    MemoryAlerts,
    MemoryHearing,
    MemoryIncidents,
    MemoryLeases,
    MemoryRounds,
    MemoryShares,
    MemorySlots,
    MemoryStore,
    MemoryWorkers,
    Server,
)
from tests.integration.store.stories import only_untaken_to_the_pager


@pytest.fixture
def server() -> Server:
    return Server(StoreClock())


@pytest.fixture
def store(server: Server) -> MemoryStore:
    return MemoryStore(Line(server))


@pytest.fixture
def other(server: Server) -> MemoryStore:
    """The same sessions, as another replica sees them."""
    return MemoryStore(Line(server))


@pytest.fixture
def leases(server: Server) -> MemoryLeases:
    return MemoryLeases(Line(server))


@pytest.fixture
def slots(server: Server) -> MemorySlots:
    return MemorySlots(Line(server))


@pytest.fixture
def outbox(server: Server) -> MemoryAlerts:
    return MemoryAlerts(Line(server), ["hook", "pager"])


@pytest.fixture
def picky(server: Server) -> MemoryAlerts:
    return MemoryAlerts(Line(server), ["hook", "pager"], only_untaken_to_the_pager)


@pytest.fixture
def rounds(server: Server) -> MemoryRounds:
    return MemoryRounds(Line(server))


@pytest.fixture
def hearing(server: Server) -> MemoryHearing:
    return MemoryHearing(Line(server))


@pytest.fixture
def shares(server: Server) -> MemoryShares:
    return MemoryShares(Line(server))


@pytest.fixture
def incidents(server: Server) -> MemoryIncidents:
    return MemoryIncidents(Line(server))


@pytest.fixture
def workers(server: Server) -> MemoryWorkers:
    return MemoryWorkers(Line(server))


@pytest.fixture
def few_workers(server: Server) -> MemoryWorkers:
    return MemoryWorkers(Line(server), WorkerLimits(of_name=2, workers=3, names=2))
