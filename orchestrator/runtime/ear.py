"""Keeps in the store when webhooks were last heard: their silence is over for all replicas when one of them hears."""

from typing import Final

from orchestrator.runtime.ports import Clock, Hearing, StoreUnavailable

_PERIOD: Final = 1.0


class Ear:
    """Tells at most once a second: a webhook must not cost another trip to the store."""

    def __init__(self, hearing: Hearing, clock: Clock) -> None:
        self._hearing = hearing
        self._clock = clock
        self._heard_at = 0.0

    def heard(self) -> None:
        """A webhook was stored."""
        self._heard_at = self._clock.now()

    async def run(self) -> None:
        """Tell for ever."""
        told = 0.0
        while True:
            await self._clock.sleep(_PERIOD)
            heard_at = self._heard_at
            if heard_at > told:
                try:
                    await self._hearing.heard(heard_at)
                except StoreUnavailable:
                    continue
                told = heard_at
