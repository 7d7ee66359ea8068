"""The outbox of alerts: each is kept for every sink until that sink has accepted it, or seven days have passed.

`Outbox` is the runtime's Alerts; what delivers the alerts claims them, and tells what came of it. A claim lapses, so an
alert whose deliverer died is delivered by another: at least once, with the same id each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from orchestrator.runtime.ports import Alert, StoreCorrupt
from orchestrator.store.codec import decode_alert, encode_alert
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script

log = structlog.get_logger()

_KEPT: Final = 7 * 86_400
"""Seconds; also for how long the same alert id is known to be the same."""

_CLAIMED_AT_ONCE: Final = 32
"""Per sink: what a deliverer can try within one lease."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One alert that one sink should get now."""

    alert: Alert
    sink: str
    tries: int
    """Which try this is, from 1."""


class Outbox:
    """Holds alerts for the sinks of these names; those of other names are left to the replicas that know them."""

    def __init__(self, connection: Connection, keys: Keys, sinks: Sequence[str]) -> None:
        self._connection = connection
        self._keys = keys
        self._sinks = tuple(sinks)
        self._queue = Script.load("alert_queue")
        self._claim = Script.load("alert_claim")

    async def queue(self, alert: Alert) -> None:
        keys = (self._keys.alert(alert.id), *(self._keys.alerts_due(sink) for sink in self._sinks))
        await self._queue.run(self._connection, keys, (alert.id, encode_alert(alert), _KEPT))

    async def claim(self, now: float, lease: float) -> tuple[Delivery, ...]:
        """What is due; each is due again in `lease` seconds unless `done` or `retry` says otherwise before."""
        deliveries: list[Delivery] = []
        for sink in self._sinks:
            claimed = await self._claim.run(
                self._connection,
                (self._keys.alerts_due(sink),),
                (sink, now, now + lease, _CLAIMED_AT_ONCE, self._keys.alert("")),
            )
            for body, tries in claimed:
                try:
                    deliveries.append(Delivery(decode_alert(body), sink, tries))
                except StoreCorrupt as error:
                    log.warning("alert_unreadable", sink=sink, error=str(error))  # a newer replica's: it will take it
        return tuple(deliveries)

    async def done(self, alert_id: str, sink: str) -> None:
        """The sink has accepted it."""
        await self._connection.call("ZREM", self._keys.alerts_due(sink), alert_id)

    async def waits(self, alert_id: str, sink: str) -> bool:
        """Whether the sink is still to accept this alert."""
        return await self._connection.call("ZSCORE", self._keys.alerts_due(sink), alert_id) is not None

    async def retry(self, alert_id: str, sink: str, at: float) -> None:
        """The sink did not accept it: try again at this time."""
        await self._connection.call("ZADD", self._keys.alerts_due(sink), "XX", repr(at), alert_id)

    async def pending(self) -> dict[str, int]:
        """Per sink: how many alerts it has not accepted yet."""
        counts = await self._connection.calls(*(("ZCARD", self._keys.alerts_due(sink)) for sink in self._sinks))
        return dict(zip(self._sinks, counts, strict=True))
