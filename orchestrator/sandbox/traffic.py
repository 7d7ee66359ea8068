"""What happens in a sandbox by itself: rooms open, people come, agents die."""

import random
from collections.abc import Sequence
from typing import Final

from orchestrator.runtime.ports import Clock
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.workers import Worker

NUMBER: Final = "{n}"
"""Stands for the number of a room in its name."""

PERSON: Final = "ann"

_LOOK_EVERY: Final = 0.1


class Traffic:
    """The rooms, the people and the accidents of one run."""

    def __init__(self, sandbox: Sandbox, clock: Clock, chance: random.Random) -> None:
        self.agents_killed = 0
        self._sandbox = sandbox
        self._clock = clock
        self._chance = chance

    async def until_registered(self, workers: Sequence[Worker]) -> None:
        """Wait for the workers: what is dispatched before they have registered is lost."""
        while not all(worker.registered for worker in workers):
            await self._clock.sleep(_LOOK_EVERY)

    async def open_rooms(self, name: str, count: int, *, rate: float, people: bool) -> None:
        """Open so many rooms, evenly at `rate` a second; with `people` there is somebody in each, who stays."""
        begun = self._clock.monotonic()
        for number in range(count):
            await self._clock.sleep(max(0.0, begun + number / rate - self._clock.monotonic()))
            room = name.replace(NUMBER, str(number + 1))
            if people:
                self._sandbox.join(room, PERSON)
            else:
                self._sandbox.create_room(room)

    async def kill_agents(self, every: float) -> None:
        """Again and again, kill the process of any one agent."""
        while True:
            await self._clock.sleep(every)
            agents = [agent for room in self._sandbox.rooms for agent in self._sandbox.living_agents(room)]
            if agents:
                self._chance.choice(agents).kill()
                self.agents_killed += 1
