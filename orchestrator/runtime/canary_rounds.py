"""When canaries are sent: each agent in its own time, by one replica at a time, and not all of them at once."""

from collections.abc import Callable, Sequence
from typing import Final

import structlog

from orchestrator.core.canary import By
from orchestrator.runtime.canaries import Canaries
from orchestrator.runtime.ports import CanaryBook, Clock, Randomness, RollcallError, StoreUnavailable
from orchestrator.runtime.tasks import Tasks

log = structlog.get_logger()

_JITTER: Final = 0.2
"""The part of the period by which it varies, so that replicas and agents spread."""


class CanaryRounds:
    """`every`: seconds between two canaries of one agent.

    `may(agent_name)`: whether anything can be found out of it now; where not, its turn passes.
    """

    def __init__(
        self,
        replica: str,
        canaries: Canaries,
        book: CanaryBook,
        *,
        every: float,
        agents: Sequence[str],
        may: Callable[[str], bool],
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._replica = replica
        self._canaries = canaries
        self._book = book
        self._every = every
        self._agents = agents
        self._may = may
        self._clock = clock
        self._randomness = randomness

    def start(self, tasks: Tasks) -> None:
        for place, name in enumerate(self._agents):
            tasks.spawn(f"canaries:{name}", self._run(name, place))

    async def _run(self, agent_name: str, place: int) -> None:
        """For ever. The first ones are spread over the period."""
        every = self._every
        shortest = every * (1 - _JITTER)
        pause = every * (place + self._randomness.fraction()) / len(self._agents)
        while True:
            await self._clock.sleep(pause)
            pause = shortest + 2 * every * _JITTER * self._randomness.fraction()
            try:
                # A turn lapses by itself: of a replica that dies in the middle of one, the next is another's.
                if self._may(agent_name) and await self._book.turn(f"agent:{agent_name}", self._replica, shortest):
                    began = self._clock.monotonic()
                    await self._canaries.send(agent_name, By.SCHEDULE)
                    pause = max(pause - (self._clock.monotonic() - began), 0.0)
            except StoreUnavailable as error:
                log.warning("canary_store_unavailable", agent=agent_name, error=str(error))
            except RollcallError:
                continue  # `Canaries` has told why; the next one may find out
