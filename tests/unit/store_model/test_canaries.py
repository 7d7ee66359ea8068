"""The model keeps the store's contract: tests/integration/store/test_canaries.py."""

import pytest

from tests.fakes.store import Line, MemoryCanaries, Server
from tests.integration.store import test_canaries
from tests.unit.store_model.contract import contract


@pytest.fixture
def canaries(server: Server) -> MemoryCanaries:
    return MemoryCanaries(Line(server))


globals().update(contract(test_canaries))
