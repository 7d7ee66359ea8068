"""The model keeps the store's contract: tests/integration/store/test_expect.py, but for what is about Redis."""

from tests.integration.store import test_expect
from tests.unit.store_model.contract import contract

globals().update(contract(test_expect))
