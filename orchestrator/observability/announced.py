"""Gauges of the workers that have announced themselves, from the view that this replica has of them anyway.

Each replica sees the same fleet: take the maximum over the replicas, not the sum.
"""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from orchestrator.core.fleet import Fleet


class AnnouncedWorkers(Collector):
    """To be registered in the registry of `Metrics`. `label` makes a label of an agent's name."""

    def __init__(self, fleet: Callable[[], Fleet], label: Callable[[str], str]) -> None:
        self._fleet = fleet
        self._label = label

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One sample per agent label; names beyond the bound of labels share one."""
        fleet = self._fleet()
        live: dict[str, int] = {}
        roomy: dict[str, int] = {}
        room: dict[str, int] = {}
        # A name of which nothing was ever announced has no sample: its workers are unknown, not absent.
        for name in sorted({*fleet.announced, *fleet.live}):
            agent, workers = self._label(name), [worker.told for worker in fleet.workers(name)]
            live[agent] = live.get(agent, 0) + len(workers)
            roomy[agent] = roomy.get(agent, 0) + sum(told.has_room for told in workers)
            counted = [told.room_left for told in workers if told.room_left is not None]
            if counted:
                room[agent] = room.get(agent, 0) + sum(counted)
        yield _gauge("rollcall_workers", "Live workers; 0: they announced themselves within a day, and are gone.", live)
        yield _gauge("rollcall_workers_with_room", "Live workers that take more jobs.", roomy)
        yield _gauge("rollcall_worker_room_jobs", "Jobs that live workers still take, of those that say how many.", room)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: the registry would ask for the fleet before there is one."""
        return ()


def _gauge(name: str, explanation: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, explanation, labels=["agent"])
    for agent, value in values.items():
        family.add_metric([agent], value)
    return family
