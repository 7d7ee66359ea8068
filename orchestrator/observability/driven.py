"""Gauges of the sessions that this replica drives, counted when they are asked for: so they cannot drift from the truth.

Each session is driven by one replica, so the sum over all replicas is the whole.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from orchestrator.core.placement import PlacementState
from orchestrator.core.scratch import hidden
from orchestrator.core.session import Session, SessionState


class DrivenSessions(Collector):
    """To be registered in the registry of `Metrics`. `label` makes a label of an agent's name."""

    def __init__(self, sessions: Callable[[], Iterable[Session]], label: Callable[[str], str]) -> None:
        self._sessions = sessions
        self._label = label

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Counted when scraped, from the records in memory: no hot path pays for it."""
        states: Counter[SessionState] = Counter()
        unverified: Counter[str] = Counter()
        for session in self._sessions():
            if hidden(session):
                continue
            states[session.state] += 1
            if not session.ended:
                unverified.update(self._label(p.agent_name) for p in session.placements if p.state is PlacementState.UNVERIFIED)
        sessions = GaugeMetricFamily("rollcall_sessions", "Open sessions that this replica drives.", labels=["state"])
        for state in SessionState:
            if state is not SessionState.ENDED:
                sessions.add_metric([state.value], states[state])
        yield sessions
        missing = GaugeMetricFamily("rollcall_unverified_placements", "Placements that are unverified now.", labels=["agent"])
        for agent, count in sorted(unverified.items()):
            missing.add_metric([agent], count)
        yield missing

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: the registry would ask for the sessions before there are any."""
        return ()
