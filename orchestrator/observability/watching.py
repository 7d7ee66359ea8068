"""What can only be known by looking now and then: the event loop's lag, the slots, the alerts that wait."""

from typing import Final, Protocol

import structlog

from orchestrator.observability.metrics import Metrics
from orchestrator.runtime.ports import Clock, Slots, StoreUnavailable

log = structlog.get_logger()

LOOP_PERIOD: Final = 0.5
STORE_PERIOD: Final = 5.0
"""Seconds; well below the period of any scrape."""


class WaitingAlerts(Protocol):
    async def pending(self) -> dict[str, int]:
        """Per sink: how many alerts it has not accepted yet. Raises StoreUnavailable."""
        ...

    async def silenced(self) -> dict[str, int]:
        """Per sink: how many alerts silences keep from it. Raises StoreUnavailable."""
        ...


async def watch_loop(metrics: Metrics, clock: Clock) -> None:
    """For ever: by how much the event loop is late."""
    while True:
        begun = clock.monotonic()
        await clock.sleep(LOOP_PERIOD)
        metrics.loop_lag.observe(max(clock.monotonic() - begun - LOOP_PERIOD, 0.0))


async def watch_store(slots: Slots, alerts: WaitingAlerts, metrics: Metrics, clock: Clock) -> None:
    """For ever: slots and waiting alerts. While the store is away they stay as they were last seen."""
    while True:
        try:
            metrics.set_slots(await slots.counts())
            metrics.set_alerts(pending=await alerts.pending(), silenced=await alerts.silenced())
        except StoreUnavailable as error:
            log.debug("gauges_not_read", error=str(error))
        await clock.sleep(STORE_PERIOD)
