"""The model keeps the store's contract: tests/integration/store/test_audit.py, but for what is about Redis."""

import pytest

from tests.fakes.store import Line, MemoryAudit, Server
from tests.integration.store import test_audit
from tests.unit.store_model.contract import contract


@pytest.fixture
def audit(server: Server) -> MemoryAudit:
    return MemoryAudit(Line(server))


@pytest.fixture
def short_audit(server: Server) -> MemoryAudit:
    return MemoryAudit(Line(server), kept=3)


globals().update(contract(test_audit))
