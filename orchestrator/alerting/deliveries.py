"""Delivering alerts: what is due is claimed from the outbox and sent until each sink has accepted it.

Any number of replicas do this side by side. A claim is a lease, so what a replica held when it died is sent by another:
at least once, and always under the same id. A sink hears that an incident is resolved only after it has accepted that
it fires; so nobody is told of an end without a beginning.

A silence keeps a beginning back, and nothing else: an Alertmanager that was told of an incident goes on being told, since
it would take our silence for the end, and every sink hears of the end of what it was told. What is over before its silence
is told by nobody.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final

import structlog

from orchestrator.alerting.ports import Delivery, NotAccepted, Outbox, Outcome, Silences, Sink
from orchestrator.core.alerts import AlertType
from orchestrator.core.paging import RECONSIDER
from orchestrator.core.silences import Silence, silencing
from orchestrator.runtime.ports import Clock, Randomness, StoreUnavailable

log = structlog.get_logger()

LEASE: Final = 60.0
"""Seconds: several times what a sink may take."""

IDLE: Final = 1.0
"""Seconds between two looks into an outbox in which nothing was due."""

BACKOFF_FIRST: Final = 1.0
BACKOFF_CAP: Final = 60.0
"""Seconds; the waits double in between, and each is drawn from the upper half of what it may be."""

SETTLE: Final = 30.0
"""Seconds after which a sink that hears of alerts again hears of an end again, once: longer than a telling that another
replica had under way, and that may have come after the end, can take."""

_REMEMBERED: Final = 3 * BACKOFF_CAP

_DOUBLINGS: Final = 10
"""More of them than lie between the first wait and the cap, and few enough for a float."""


@dataclass(frozen=True, slots=True)
class Failing:
    """A sink that did not accept what it was sent last."""

    since: float
    reason: str
    last: float = field(compare=False)
    """When it was refused last."""


class Deliveries:
    """Sends what is due. `observe` is told of every try: the sink's name, and what came of it."""

    def __init__(
        self,
        outbox: Outbox,
        silences: Silences,
        sinks: Iterable[Sink],
        clock: Clock,
        randomness: Randomness,
        observe: Callable[[str, Outcome], None],
    ) -> None:
        self._outbox = outbox
        self._silences = silences
        self._sinks = {sink.name: sink for sink in sinks}
        self._clock = clock
        self._randomness = randomness
        self._observe = observe
        self._failing: dict[str, Failing] = {}
        self._accepted: set[str] = set()

    @property
    def failing(self) -> dict[str, Failing]:
        """The sinks that this replica cannot deliver to, by name."""
        recent = self._clock.now() - _REMEMBERED  # what was due to it may long have been delivered by another replica
        return {name: failing for name, failing in self._failing.items() if failing.last >= recent}

    @property
    def accepted(self) -> Iterable[str]:
        """The sinks of which the last that was sent from here was accepted."""
        return self._accepted

    def warnings(self) -> Iterable[str]:
        """The same in sentences, for people."""
        for name, failing in self.failing.items():
            lasting = round(self._clock.now() - failing.since)
            yield f"The alert sink {name} has accepted nothing for {lasting} s: {failing.reason}."

    async def run(self) -> None:
        """For ever."""
        while True:
            try:
                delivered = await self.deliver_due()
            except StoreUnavailable as error:
                log.warning("outbox_unavailable", error=str(error))
                delivered = 0
            if not delivered:
                await self._clock.sleep(IDLE)

    async def deliver_due(self) -> int:
        """Send everything that is due, once; how much that was. Raises StoreUnavailable when it cannot be claimed."""
        silences = await self._silences.look(self._clock.now())
        claimed = await self._outbox.claim(self._clock.now(), LEASE)
        incidents: defaultdict[tuple[str, str], list[Delivery]] = defaultdict(list)
        for delivery in claimed:
            incidents[delivery.sink, delivery.alert.incident].append(delivery)
        await asyncio.gather(*(self._deliver_in_order(deliveries, silences) for deliveries in incidents.values()))
        return len(claimed)

    async def _deliver_in_order(self, deliveries: Sequence[Delivery], silences: Sequence[Silence]) -> None:
        for delivery in sorted(deliveries, key=attrgetter("alert.status")):  # firing before resolved
            try:
                await self._deliver(delivery, silences)
            except StoreUnavailable as error:
                # Whatever came of it is not stored: the claim lapses, and it is sent again.
                log.warning("delivery_not_recorded", sink=delivery.sink, incident=delivery.alert.incident, error=str(error))
            except Exception as error:  # one delivery's top: a defect in a sink must not keep alerts from the others
                self._refused(delivery.sink, f"a defect: {type(error).__name__}")
                log.exception("delivery_failed", sink=delivery.sink, incident=delivery.alert.incident)

    async def _deliver(self, delivery: Delivery, silences: Sequence[Silence]) -> None:
        alert, sink = delivery.alert, delivery.sink
        if alert.status == "resolved":
            if await self._outbox.forgo(_firing_id(alert.id), alert.id, sink):
                return
            if await self._outbox.waits(_firing_id(alert.id), sink):
                await self._outbox.retry(alert.id, sink, self._clock.now() + IDLE)
                return
            await self._outbox.done(_firing_id(alert.id), sink)  # it is repeated no more
        # What tells of many rooms left out those that were silenced when it was made, and has an end of its own.
        elif not (delivery.accepted or alert.incidents) and (silence := silencing(silences, alert, self._clock.now())):
            log.debug("alert_silenced", sink=sink, incident=alert.incident, silence=silence.id)
            await self._outbox.hold(alert.id, sink, min(silence.ends_at, self._clock.now() + RECONSIDER))
            return
        about = {"sink": sink, "type": alert.type, "status": alert.status, "incident": alert.incident}
        try:
            await self._sinks[sink].send(alert)
        except NotAccepted as error:
            pause = self._pause(delivery.tries)
            self._refused(sink, str(error))
            if alert.type == AlertType.WATCHDOG:  # a late sign of life says something wrong, and the next one comes anyway
                await self._outbox.done(alert.id, sink)
                return
            log.warning("alert_not_accepted", **about, tries=delivery.tries, reason=str(error), again_in=round(pause, 1))
            await self._outbox.retry(alert.id, sink, self._clock.now() + pause)
        else:
            self._failing.pop(sink, None)
            self._accepted.add(sink)
            self._observe(sink, Outcome.ACCEPTED)
            pause_after = self._again(delivery)
            if not delivery.accepted and alert.type != AlertType.WATCHDOG:
                log.info("alert_accepted", **about, tries=delivery.tries)
            if pause_after is None:
                await self._outbox.done(alert.id, sink)
            else:
                await self._outbox.again(alert.id, sink, self._clock.now() + pause_after)

    def _again(self, delivery: Delivery) -> float | None:
        """In how many seconds a sink is to be sent again what it has just accepted; None: never."""
        again = self._sinks[delivery.sink].again
        if again is None or delivery.alert.type == AlertType.WATCHDOG:
            return None
        if delivery.alert.status == "resolved":
            return None if delivery.accepted else SETTLE
        return again

    def _refused(self, sink: str, reason: str) -> None:
        now, before = self._clock.now(), self._failing.get(sink)
        self._failing[sink] = Failing(before.since if before else now, reason, now)
        self._accepted.discard(sink)
        self._observe(sink, Outcome.REFUSED)

    def _pause(self, tries: int) -> float:
        ceiling = min(BACKOFF_CAP, BACKOFF_FIRST * 2.0 ** min(tries - 1, _DOUBLINGS))
        return ceiling * (1 + self._randomness.fraction()) / 2


def _firing_id(resolved_id: str) -> str:
    """An incident's two alerts have ids that differ in the status at their end."""
    return resolved_id.removesuffix("resolved") + "firing"
