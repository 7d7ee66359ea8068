"""The model keeps the store's contract: tests/integration/store/test_pauses.py, but for what is about Redis."""

import pytest

from tests.fakes.store import Line, MemoryPauses, Server
from tests.integration.store import test_pauses
from tests.unit.store_model.contract import contract


@pytest.fixture
def pauses(server: Server) -> MemoryPauses:
    return MemoryPauses(Line(server))


globals().update(contract(test_pauses))
