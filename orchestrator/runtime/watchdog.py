"""A sign of life on the way that all alerts go: through the store and the outbox to the sinks that ask for it."""

from contextlib import suppress
from typing import Final

from orchestrator.core.alerts import AlertType
from orchestrator.runtime.ports import Alert, Alerts, Clock, StoreUnavailable

PERIOD: Final = 60.0


class Watchdog:
    """Queues one a minute, whatever number of replicas there are: its id is the minute's."""

    def __init__(self, alerts: Alerts, clock: Clock) -> None:
        self._alerts = alerts
        self._clock = clock

    async def run(self) -> None:
        """For ever."""
        while True:
            minute = int(self._clock.now() // PERIOD)
            with suppress(StoreUnavailable):  # no sign of life: that is what it is for
                await self._alerts.queue(_sign(minute))
            await self._clock.sleep((minute + 1) * PERIOD - self._clock.now())


def _sign(minute: int) -> Alert:
    return Alert(
        id=f"{AlertType.WATCHDOG}/{minute}",
        type=AlertType.WATCHDOG,
        status="firing",
        incident=AlertType.WATCHDOG,
        at=minute * PERIOD,
        summary="Rollcall watches, and its alerts arrive here.",
    )
