"""The model keeps the store's contract: tests/integration/store/test_shared.py, but for what is about Redis."""

from tests.integration.store import test_shared
from tests.unit.store_model.contract import contract

globals().update(contract(test_shared))
