"""The model keeps the store's contract: tests/integration/store/test_fleet.py, but for what is about Redis."""

from tests.integration.store import test_fleet
from tests.unit.store_model.contract import contract

globals().update(contract(test_fleet))
