"""The model keeps the store's contract: tests/integration/store/test_logins.py."""

import pytest

from tests.fakes.store import Line, MemoryLogins, Server
from tests.integration.store import test_logins
from tests.unit.store_model.contract import contract


@pytest.fixture
def logins(server: Server) -> MemoryLogins:
    return MemoryLogins(Line(server))


globals().update(contract(test_logins))
