"""The alerting of one replica, put together: outbox, silences, pages, deliveries, and what is told past the store."""

from collections.abc import Awaitable, Callable

from orchestrator.alerting import ports
from orchestrator.alerting.blackout import Blackout
from orchestrator.alerting.build import Sinks
from orchestrator.alerting.deliveries import Deliveries
from orchestrator.alerting.paging import Paging
from orchestrator.core.alerts import AlertType
from orchestrator.observability.metrics import Metrics
from orchestrator.runtime.clock import SystemRandomness
from orchestrator.runtime.ports import Alert, Clock
from orchestrator.runtime.tasks import Tasks
from orchestrator.runtime.watchdog import Watchdog
from orchestrator.settings import Settings
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.outbox import Outbox
from orchestrator.store.paging import GroupPages
from orchestrator.store.silences import Silences
from orchestrator.web.links import Links


class ReplicaAlerts:
    """To be made inside a running event loop; its sinks are to be closed."""

    def __init__(self, settings: Settings, connection: Connection, keys: Keys, clock: Clock, metrics: Metrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self.sinks = Sinks(settings, clock)
        by_name, grouping = self.sinks.by_name, self.sinks.grouping
        self.outbox = Outbox(connection, keys, tuple(by_name), self.sinks.wants, grouping)
        self.silences = Silences(connection, keys)
        self.deliveries = Deliveries(self.outbox, self.silences, by_name.values(), clock, SystemRandomness(), self._count)
        pages, link = GroupPages(connection, keys), Links(settings.base_url).incidents
        self._paging = Paging(pages, self.silences, grouping, clock, link)

    def blackout(self, ask: Callable[[], Awaitable[object]]) -> Blackout:
        """What tells that the store is away, of which `ask` asks something."""
        kind = AlertType.STORE_TROUBLE
        told = [sink for name, sink in self.sinks.by_name.items() if self.sinks.wants(name, Alert("", kind, "", "", 0.0))]
        return Blackout(ask, told, self._clock, self.sinks.after(kind))

    def start(self, tasks: Tasks) -> None:
        """Tell, from now on; the store is there."""
        tasks.spawn("deliveries", self.deliveries.run())
        if self.sinks.grouping:
            tasks.spawn("paging", self._paging.run())
        if self.sinks.watched:
            tasks.spawn("watchdog", Watchdog(self.outbox, self._clock).run())

    def _count(self, sink: str, outcome: ports.Outcome) -> None:
        self._metrics.alert_deliveries.labels(sink, outcome.value).inc()
