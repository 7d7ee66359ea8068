"""The model keeps the store's contract: tests/integration/store/test_changes.py, but for what is about Redis."""

import pytest

from tests.fakes.store import Line, MemoryChanges, Server
from tests.integration.store import test_changes
from tests.unit.store_model.contract import contract


@pytest.fixture
def changes(server: Server) -> MemoryChanges:
    return MemoryChanges(Line(server))


globals().update(contract(test_changes))
