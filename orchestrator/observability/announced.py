"""Gauges of the workers that have announced themselves, from the view that this replica has of them anyway.

Each replica sees the same fleet: take the maximum over the replicas, not the sum.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from orchestrator.core.fleet import Fleet

REGIONS: Final = 16
"""More of them share one label: workers name theirs themselves."""

OTHER_REGIONS: Final = "other"

_Values = Counter[tuple[str, str]]
"""By the labels of an agent and a region."""


class AnnouncedWorkers(Collector):
    """To be registered in the registry of `Metrics`. `label` makes a label of an agent's name."""

    def __init__(self, fleet: Callable[[], Fleet], label: Callable[[str], str]) -> None:
        self._fleet = fleet
        self._label = label

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One sample per agent and region in which it has workers; names beyond the bound of labels share one."""
        fleet = self._fleet()
        shown = _largest_regions(fleet)
        live, roomy, room = _Values(), _Values(), _Values()
        # A name of which nothing was ever announced has no sample: its workers are unknown, not absent.
        for name in sorted({*fleet.announced, *fleet.live}):
            agent, workers = self._label(name), [worker.told for worker in fleet.workers(name)]
            if not workers:
                live[agent, ""] += 0
                roomy[agent, ""] += 0
            for told in workers:
                labels = agent, told.region if told.region in shown else OTHER_REGIONS
                live[labels] += 1
                roomy[labels] += told.has_room
                if told.room_left is not None:
                    room[labels] += told.room_left
        yield _gauge("rollcall_workers", "Live workers; 0: they announced themselves within a day, and are gone.", live)
        yield _gauge("rollcall_workers_with_room", "Live workers that take more jobs.", roomy)
        yield _gauge("rollcall_worker_room_jobs", "Jobs that live workers still take, of those that say how many.", room)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: the registry would ask for the fleet before there is one."""
        return ()


def _largest_regions(fleet: Fleet) -> frozenset[str]:
    """Those with the most workers; the name decides among equals, so that the labels stay."""
    regions = Counter(worker.told.region for workers in fleet.live.values() for worker in workers)
    return frozenset(sorted(regions, key=lambda region: (-regions[region], region))[:REGIONS])


def _gauge(name: str, explanation: str, values: _Values) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, explanation, labels=["agent", "region"])
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family
