"""Which of the store's tests are about the port: those that do not reach behind it, into Redis."""

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

_BEHIND_THE_PORT: Final = frozenset({"connection", "keys", "redis_url", "tmp_path"})


def contract(module: ModuleType) -> dict[str, Callable[..., Any]]:
    """The tests of a module of tests/integration/store that hold for everything that calls itself a store."""
    return {
        name: test
        for name, test in vars(module).items()
        if name.startswith("test_") and not _BEHIND_THE_PORT & set(inspect.signature(test).parameters)
    }
