"""Whether this replica holds its lease, how often it had lost it, and what it took over from others."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Leased(Protocol):
    """What there is to tell. Counted since the process began."""

    lapses: int
    takeovers: int
    taken_over: int

    def fenced(self) -> bool:
        """Whether the lease may have lapsed: then nothing is written."""
        ...


class LeaseMetrics(Collector):
    """To be registered in the registry of `Metrics`."""

    def __init__(self, leased: Leased) -> None:
        self._leased = leased

    def collect(self) -> Iterator[Metric]:
        held = "1 while this replica may write: its lease was renewed in time."
        yield GaugeMetricFamily("rollcall_lease_held", held, value=int(not self._leased.fenced()))
        lost = "Times that the lease had to be taken anew, because it could not be renewed in time."
        yield CounterMetricFamily("rollcall_leases_lost", lost, value=self._leased.lapses)
        replicas = "Replicas that died, or stopped, and whose sessions this one has taken over."
        yield CounterMetricFamily("rollcall_takeovers", replicas, value=self._leased.takeovers)
        sessions = "Sessions that this replica has taken over from others."
        yield CounterMetricFamily("rollcall_sessions_taken_over", sessions, value=self._leased.taken_over)

    def describe(self) -> Iterable[Metric]:
        """Nothing: the registry would ask for what is not there yet."""
        return ()
