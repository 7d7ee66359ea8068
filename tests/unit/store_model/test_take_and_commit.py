"""The model keeps the store's contract: tests/integration/store/test_take_and_commit.py, but for what is about Redis."""

from tests.integration.store import test_take_and_commit
from tests.unit.store_model.contract import contract

globals().update(contract(test_take_and_commit))
