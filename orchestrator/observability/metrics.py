"""Every metric, once. Labels are of closed lists only: agents that are configured, outcomes, causes. Never a room."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from orchestrator.core.canary import Outcome, Tried
from orchestrator.core.naming import spelled
from orchestrator.core.reconciling import Round
from orchestrator.observability.promise import BROKEN, KEPT

OTHER: Final = "other"

_LAGS: Final = (0.5, 1, 2, 5, 10, 30, 60, 300)
_TIMES_TO_AGENT: Final = (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 30, 60, 90)
_ROUNDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_CALLS: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class _Made:
    """Families of metrics in one registry, each with its name, what it says, and its labels."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def counter(self, name: str, says: str, *labels: str) -> Counter:
        return Counter(name, says, labels, registry=self._registry)

    def gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return Gauge(name, says, labels, registry=self._registry)

    def histogram(self, name: str, says: str, *labels: str, buckets: Sequence[float]) -> Histogram:
        return Histogram(name, says, labels, buckets=buckets, registry=self._registry)


class Metrics:
    """The registry and what is in it. `agents` are the names that may be labels; all others count as one."""

    def __init__(self, agents: Iterable[str], version: str) -> None:
        self.registry = CollectorRegistry()
        self._agents = frozenset(agents)
        ProcessCollector(registry=self.registry)
        made = _Made(self.registry)
        made.gauge("rollcall_build_info", "Always 1.", "version", "python").labels(version, platform.python_version()).set(1)
        self._of_doors(made)
        self._of_sessions(made)
        self._of_dispatching(made)
        self._of_pulses(made)
        self._of_reconciling(made)
        self._of_alerts(made)
        self._of_canaries(made)
        self._of_the_process(made)
        for name in self._agents:  # a series that begins with its first event hides it from `rate`
            for outcome in (KEPT, BROKEN):
                self.promises.labels(self.agent(name), outcome)

    # --- what there is -------------------------------------------------------------------------------------------------

    def _of_doors(self, made: _Made) -> None:
        """What comes in, and who is told over HTTP."""
        self.webhooks = made.counter("rollcall_webhooks_total", "Requests to the door for webhooks.", "outcome")
        self.webhook_lag = made.histogram(
            "rollcall_webhook_lag_seconds",
            "How late an event of LiveKit was stored, at the least: its own time is cut to the second.",
            buckets=_LAGS,
        )
        self.commands = made.counter(
            "rollcall_commands_total",
            "What people, callers and agents asked for: want, switch, dismiss, redispatch, cancel, resolve, pause, resume, "
            "silence, unsilence.",
            "command",
            "source",
        )
        self.tokens = made.counter("rollcall_tokens_total", "Requests for tokens.", "outcome")
        self.transcript_items = made.counter(
            "rollcall_transcript_items_total", "Items of transcripts that were stored, repetitions included."
        )
        self.event_clients = made.gauge(
            "rollcall_event_clients", "Clients that follow the sessions of the screen at this replica."
        )
        self.event_clients_dropped = made.counter(
            "rollcall_event_clients_dropped_total", "Clients that did not take what they were sent, and were dropped."
        )

    def _of_sessions(self, made: _Made) -> None:
        """What becomes of sessions, and of the agents that they must have."""
        self.facts = made.counter("rollcall_facts_total", "Facts folded into committed records.", "fact")
        self.sessions_opened = made.counter("rollcall_sessions_opened_total", "Sessions opened.")
        self.sessions_ended = made.counter("rollcall_sessions_ended_total", "Sessions ended.", "outcome")
        self.attempts = made.counter(
            "rollcall_attempts_total",
            "Attempts by what came of them: verified, their cause, superseded by another.",
            "agent",
            "outcome",
        )
        self.time_to_agent = made.histogram(
            "rollcall_time_to_agent_seconds",
            "From when an agent was first wanted until it joined.",
            "agent",
            buckets=_TIMES_TO_AGENT,
        )
        self.promises = made.counter(
            "rollcall_promises_total",
            "Agents that people waited for, by whether they were verified within 5 s: in_time, late. "
            "Each counts once; one that leaves again within seconds counts again.",
            "agent",
            "outcome",
        )
        self.duplicates = made.counter(
            "rollcall_duplicates_retired_total", "Second agents of ours that were taken out of a room.", "agent"
        )
        self.agents_lost = made.counter("rollcall_agents_lost_total", "Verified agents that were lost.", "agent", "cause")
        self.unverified = made.counter("rollcall_unverified_total", "Placements that became unverified.", "agent", "cause")

    def _of_dispatching(self, made: _Made) -> None:
        """Pacing, and calls to LiveKit's API."""
        self._in_flight = made.gauge(
            "rollcall_dispatches_in_flight",
            "Dispatches called and not yet joined, over all replicas: each replica shows the same.",
            "agent",
        )
        self._slots = made.gauge("rollcall_dispatch_slots", "How many may be in flight, over all replicas.", "agent")
        self._waiting = made.gauge(
            "rollcall_dispatches_waiting", "Placements that wait for a slot, over all replicas.", "agent"
        )
        self._breaker = made.gauge("rollcall_dispatch_breaker_open", "1 while one dispatch at a time probes.", "agent")
        self.livekit_calls = made.histogram(
            "rollcall_livekit_call_seconds", "Calls to LiveKit's API.", "method", "outcome", buckets=_CALLS
        )
        self.api_share = made.gauge(
            "rollcall_api_share",
            "The part of the project's budget of calls to LiveKit's API that this replica may make, in (0, 1].",
        )

    def _of_pulses(self, made: _Made) -> None:
        self.pulse_interval = made.gauge(
            "rollcall_pulse_interval_seconds",
            "Between two answers of one agent: more than the period when the API budget is short.",
        )
        self.pulse_round_trip = made.histogram(
            "rollcall_pulse_round_trip_seconds",
            "From asking an agent until it answered. Not of every answer: of each agent's first, and then of so many that "
            "one sees its pulse beat. Unanswered questions are in rollcall_livekit_call_seconds.",
            "agent",
            buckets=_CALLS,
        )

    def _of_reconciling(self, made: _Made) -> None:
        self._rounds = made.histogram(
            "rollcall_reconcile_seconds", "Rounds of the reconciler of this replica.", buckets=_ROUNDS
        )
        self._repairs = made.counter(
            "rollcall_reconcile_repairs_total",
            "What the reconciler found: rooms adopted, ended, differing from the record, claimed for want of an owner.",
            "repair",
        )
        self._unheard = made.gauge(
            "rollcall_rooms_unheard",
            "Rooms that LiveKit lists and of which no webhook came, as this replica's last round saw them.",
        )
        self._webhooks_silent = made.gauge("rollcall_webhooks_silent", "1 while LiveKit's webhooks do not reach us.")

    def _of_alerts(self, made: _Made) -> None:
        self.alert_deliveries = made.counter("rollcall_alert_deliveries_total", "Tries to deliver an alert.", "sink", "outcome")
        self._alerts_pending = made.gauge(
            "rollcall_alerts_pending", "Alerts that a sink has not accepted yet, over all replicas.", "sink"
        )
        self._alerts_silenced = made.gauge(
            "rollcall_alerts_silenced", "Alerts that silences keep from a sink, over all replicas.", "sink"
        )

    def _of_canaries(self, made: _Made) -> None:
        self._canary_seconds = made.histogram(
            "rollcall_canary_seconds",
            "From the dispatch of a canary until its agent had answered; of those that were well.",
            "agent",
            buckets=_TIMES_TO_AGENT,
        )
        self._canaries = made.counter(
            "rollcall_canaries_total",
            "Canaries by what came of them: answering, failed; unknown: LiveKit could not say.",
            "agent",
            "outcome",
        )

    def _of_the_process(self, made: _Made) -> None:
        """How this replica itself is, and its store."""
        self.store_calls = made.histogram(
            "rollcall_store_call_seconds", "Calls to the store.", "method", "outcome", buckets=_CALLS
        )
        self.loop_lag = made.histogram("rollcall_event_loop_lag_seconds", "How late the event loop is.", buckets=_CALLS)
        self.spans = made.counter(
            "rollcall_spans_total",
            "Spans of traces by what became of them: exported, refused by the collector or never answered, dropped for want "
            "of room in the queue.",
            "outcome",
        )
        self.task_crashes = made.counter("rollcall_task_crashes_total", "Tasks that ended by a defect.")

    # --- what is told of it --------------------------------------------------------------------------------------------

    def agent(self, name: str) -> str:
        """The label of an agent."""
        if name not in self._agents:
            return OTHER
        return spelled(name)

    def set_slots(self, counts: Mapping[str, tuple[int, int, int, bool]]) -> None:
        """Per agent name: slots in use, limit, waiting, breaker open."""
        for gauge in (self._in_flight, self._slots, self._waiting, self._breaker):
            gauge.clear()
        for name, (in_use, limit, waiting, breaker_open) in counts.items():
            label = self.agent(name)
            self._in_flight.labels(label).inc(in_use)
            self._slots.labels(label).inc(limit)
            self._waiting.labels(label).inc(waiting)
            self._breaker.labels(label).inc(int(breaker_open))

    def observe_round(self, found: Round) -> None:
        """What one round of the reconciler saw and did."""
        self._rounds.observe(found.seconds)
        for repair in ("adopted", "ended", "differing", "claimed"):
            self._repairs.labels(repair).inc(getattr(found, repair))
        self._unheard.set(found.silence.unheard)
        self._webhooks_silent.set(found.silence.silent)

    def count_canary(self, agent_name: str, outcome: Outcome, tried: Tried | None) -> None:
        """What came of one canary; what was seen of it, if anything was."""
        self._canaries.labels(self.agent(agent_name), outcome.value).inc()
        seconds = None if tried is None else tried.joined if tried.answered is None else tried.answered
        if outcome is Outcome.ANSWERING and seconds is not None:
            self._canary_seconds.labels(self.agent(agent_name)).observe(seconds)

    def expect_canaries(self, agents: Iterable[str]) -> None:
        """Show what is counted of these agents from the beginning on."""
        for name in agents:
            for outcome in Outcome:
                self._canaries.labels(self.agent(name), outcome.value)

    def set_alerts(self, *, pending: Mapping[str, int], silenced: Mapping[str, int]) -> None:
        for sink, count in pending.items():
            self._alerts_pending.labels(sink).set(count)
        for sink, count in silenced.items():
            self._alerts_silenced.labels(sink).set(count)
