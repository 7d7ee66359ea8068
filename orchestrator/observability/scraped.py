"""What is counted when it is asked for, instead of whenever it changes: all of it, registered in one place."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from orchestrator.core.fleet import Fleet
from orchestrator.core.session import Session
from orchestrator.observability.announced import AnnouncedWorkers
from orchestrator.observability.driven import DrivenSessions
from orchestrator.observability.lease import Leased, LeaseMetrics
from orchestrator.observability.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Scraped:
    """Where it is found."""

    sessions: Callable[[], Iterable[Session]]
    """Those that this replica drives."""
    fleet: Callable[[], Fleet]
    lease: Leased
    api_share: Callable[[], float]
    pulse_interval: Callable[[], float]


def show(metrics: Metrics, scraped: Scraped) -> None:
    """Let the metrics of the process tell it."""
    metrics.api_share.set_function(scraped.api_share)
    metrics.pulse_interval.set_function(scraped.pulse_interval)
    metrics.registry.register(DrivenSessions(scraped.sessions, metrics.agent))
    metrics.registry.register(AnnouncedWorkers(scraped.fleet, metrics.agent))
    metrics.registry.register(LeaseMetrics(scraped.lease))
