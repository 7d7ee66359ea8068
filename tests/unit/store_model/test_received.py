"""The model keeps the store's contract: tests/integration/store/test_received.py."""

import pytest

from tests.fakes.store import Line, MemoryReceived, Server
from tests.integration.store import test_received
from tests.unit.store_model.contract import contract


@pytest.fixture
def received(server: Server) -> MemoryReceived:
    return MemoryReceived(Line(server))


@pytest.fixture
def few(server: Server) -> MemoryReceived:
    return MemoryReceived(Line(server), kept=10)


globals().update(contract(test_received))
