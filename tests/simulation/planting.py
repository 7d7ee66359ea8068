"""How a bug is planted: one wrong part in the place of the right one, which knows nothing of it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any, ClassVar

from orchestrator.runtime import assembly
from orchestrator.runtime.assembly import Ports, Runtime
from tests.simulation.replica import Composition, Replica


@contextmanager
def replaced(module: ModuleType, parts: Mapping[str, Any]) -> Iterator[None]:
    """These names of a module mean something else for a while."""
    before = {name: getattr(module, name) for name in parts}
    vars(module).update(parts)
    try:
        yield
    finally:
        vars(module).update(before)


class Bug(Composition):
    parts: ClassVar[Mapping[str, type]] = {}
    """Of orchestrator.runtime.assembly."""
    first: ClassVar[int] = 1
    """From which seed on it is looked for: most are found by one of the first few, some show more rarely."""

    def runtime(self, replica: Replica, ports: Ports) -> Runtime:
        with replaced(assembly, self.parts):
            return super().runtime(replica, ports)
