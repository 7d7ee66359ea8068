"""Paused agent names of the model."""

from collections.abc import Mapping

from orchestrator.core.pauses import Pause
from tests.fakes.store.server import Line


class MemoryPauses:
    """Give one to all replicas that share a server, each on its own line: `beside` makes the others."""

    def __init__(self, line: Line, paused: dict[str, Pause] | None = None) -> None:
        self._run = line.run
        self._paused = {} if paused is None else paused

    def beside(self, line: Line) -> "MemoryPauses":
        return MemoryPauses(line, self._paused)

    async def pause(self, agent_name: str, pause: Pause) -> None:
        await self._run(lambda: self._paused.update({agent_name: pause}))

    async def resume(self, agent_name: str) -> None:
        await self._run(lambda: self._paused.pop(agent_name, None))

    async def look(self) -> Mapping[str, Pause]:
        return await self._run(lambda: dict(self._paused))
