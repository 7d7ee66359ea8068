"""What the dashboard shows: rows of panels, from whether people have their agents down to the process."""

from dataclasses import dataclass
from typing import Final

OURS: Final = 'job=~"$job"'
_AGENT: Final = f'{OURS}, agent=~"$agent"'


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture. `queries`: expression and legend."""

    title: str
    says: str
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: str = "timeseries"
    steps: tuple[tuple[str, float | None], ...] = (("green", None),)
    """Colours, and from which value on they are meant."""
    most: float | None = None


def _rate(metric: str, by: str, matching: str = OURS) -> str:
    return f"sum by ({by}) (rate({metric}{{{matching}}}[$__rate_interval]))"


def _quantile(quantile: float, metric: str, by: str = "", matching: str = OURS) -> str:
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({quantile}, {_rate(f'{metric}_bucket', labels, matching)})"


def _quantiles(metric: str, by: str = "", matching: str = OURS) -> tuple[tuple[str, str], ...]:
    legend = f" {{{{{by}}}}}" if by else ""
    return tuple((_quantile(q, metric, by, matching), f"p{q * 100:g}{legend}") for q in (0.5, 0.95, 0.99))


ROWS: Final[tuple[tuple[str, tuple[Panel, ...]], ...]] = (
    (
        "Do people have their agents?",
        (
            Panel(
                "Verified",
                "Of the open sessions that want an agent.",
                ((f"min(rollcall:sessions_verified:ratio{{{OURS}}})", "verified"),),
                "percentunit",
                "stat",
                (("red", None), ("orange", 0.95), ("green", 0.99)),
                1,
            ),
            Panel(
                "Error budget left",
                "Of 30 days, for 99.9 % within 5 s.",
                ((f"min(rollcall:error_budget_left:ratio30d{{{OURS}}})", "left"),),
                "percentunit",
                "stat",
                (("red", None), ("orange", 0), ("green", 0.5)),
                1,
            ),
            Panel(
                "Unverified now",
                "Rooms without their agent, by agent.",
                ((f"sum by (agent) (rollcall_unverified_placements{{{_AGENT}}}) or on () vector(0)", "{{agent}}"),),
                kind="stat",
                steps=(("green", None), ("red", 1)),
            ),
            Panel(
                "Too late, of all that people wait for",
                "1: a month's budget in a month; 14.4 pages.",
                tuple((f"max(rollcall:promises_broken:ratio_rate{w}{{{OURS}}}) / 0.001", w) for w in ("5m", "1h", "6h", "3d")),
            ),
        ),
    ),
    (
        "Agents",
        (
            Panel(
                "Time to agent",
                "From when it was first wanted until it joined.",
                _quantiles("rollcall_time_to_agent_seconds", "agent", _AGENT),
                "s",
            ),
            Panel("Sessions by state", "Open ones.", ((f"sum by (state) (rollcall_sessions{{{OURS}}})", "{{state}}"),)),
            Panel(
                "Attempts by what came of them",
                "Per second; everything but verified is a cause.",
                ((_rate("rollcall_attempts_total", "outcome", _AGENT), "{{outcome}}"),),
            ),
            Panel(
                "Lost, given up, doubled",
                "Per second.",
                (
                    (_rate("rollcall_agents_lost_total", "cause", _AGENT), "lost: {{cause}}"),
                    (_rate("rollcall_unverified_total", "cause", _AGENT), "given up: {{cause}}"),
                    (_rate("rollcall_duplicates_retired_total", "agent", _AGENT), "second {{agent}} removed"),
                ),
            ),
            Panel(
                "Dispatches: in flight, waiting, breaker",
                "Over all replicas.",
                (
                    (f"max by (agent) (rollcall_dispatches_in_flight{{{_AGENT}}})", "{{agent}} in flight"),
                    (f"max by (agent) (rollcall_dispatch_slots{{{_AGENT}}})", "{{agent}} may be in flight"),
                    (f"max by (agent) (rollcall_dispatches_waiting{{{_AGENT}}})", "{{agent}} waiting"),
                    (f"max by (agent) (rollcall_dispatch_breaker_open{{{_AGENT}}}) > 0", "{{agent}}: breaker open"),
                ),
            ),
            Panel(
                "Workers",
                "As they announce themselves.",
                (
                    (f"max by (agent, region) (rollcall_workers{{{_AGENT}}})", "{{agent}} {{region}} live"),
                    (f"max by (agent, region) (rollcall_workers_with_room{{{_AGENT}}})", "{{agent}} {{region}} with room"),
                    (f"max by (agent, region) (rollcall_worker_room_jobs{{{_AGENT}}})", "{{agent}} {{region}} jobs more"),
                ),
            ),
        ),
    ),
    (
        "Canaries: would the next caller get an agent?",
        (
            Panel(
                "Canaries by what came of them",
                "In ten minutes. unknown: LiveKit could not say.",
                (
                    (
                        f"sum by (agent, outcome) (increase(rollcall_canaries_total{{{_AGENT}}}[10m])) > 0",
                        "{{agent}} {{outcome}}",
                    ),
                ),
            ),
            Panel(
                "Canaries: until the agent answered",
                "Of those that were well, from the dispatch on.",
                _quantiles("rollcall_canary_seconds", "agent", _AGENT),
                "s",
            ),
        ),
    ),
    (
        "LiveKit",
        (
            Panel(
                "Pulse: round trip",
                "Of the questions that were answered.",
                _quantiles("rollcall_livekit_call_seconds", "", f'{OURS}, method="pulse", outcome="alive"'),
                "s",
            ),
            Panel(
                "Pulse: answers",
                "Per second, by what they told.",
                ((_rate("rollcall_livekit_call_seconds_count", "outcome", f'{OURS}, method="pulse"'), "{{outcome}}"),),
            ),
            Panel(
                "Pulse: period",
                "Longer than it is set to: the API budget is short.",
                ((f"rollcall_pulse_interval_seconds{{{OURS}}}", "{{instance}}"),),
                "s",
            ),
            Panel("Webhooks: lag", "At the least.", _quantiles("rollcall_webhook_lag_seconds"), "s"),
            Panel(
                "Webhooks: outcomes",
                "Per second.",
                ((_rate("rollcall_webhooks_total", "outcome"), "{{outcome}}"),),
            ),
            Panel(
                "Webhooks: silence",
                "Rooms of which none came; 1: LiveKit's do not reach us.",
                (
                    (f"max(rollcall_rooms_unheard{{{OURS}}})", "rooms unheard"),
                    (f"max(rollcall_webhooks_silent{{{OURS}}})", "silent"),
                ),
            ),
            Panel(
                "Reconcile: repairs and rounds",
                "Per second.",
                (
                    (_rate("rollcall_reconcile_repairs_total", "repair"), "{{repair}}"),
                    (f"sum(rate(rollcall_reconcile_seconds_count{{{OURS}}}[$__rate_interval]))", "rounds"),
                ),
            ),
            Panel("Reconcile: a round takes", "", _quantiles("rollcall_reconcile_seconds"), "s"),
            Panel(
                "API calls that failed",
                "Per second.",
                (
                    (
                        _rate(
                            "rollcall_livekit_call_seconds_count",
                            "method, outcome",
                            f'{OURS}, method!="pulse", outcome!~"ok|not_found"',
                        ),
                        "{{method}}: {{outcome}}",
                    ),
                ),
            ),
        ),
    ),
    (
        "Rollcall itself",
        (
            Panel(
                "Store: p99",
                "By method.",
                ((_quantile(0.99, "rollcall_store_call_seconds", "method"), "{{method}}"),),
                "s",
            ),
            Panel("Event loop: lag", "By how much it is late.", _quantiles("rollcall_event_loop_lag_seconds"), "s"),
            Panel(
                "API share",
                "The part of the project's budget that each replica may use.",
                ((f"rollcall_api_share{{{OURS}}}", "{{instance}}"),),
                "percentunit",
            ),
            Panel(
                "Alerts by sink",
                "Tries per second, what waits, and what silences keep back.",
                (
                    (_rate("rollcall_alert_deliveries_total", "sink, outcome"), "{{sink}} {{outcome}}"),
                    (f"max by (sink) (rollcall_alerts_pending{{{OURS}}})", "{{sink}} waiting"),
                    (f"max by (sink) (rollcall_alerts_silenced{{{OURS}}})", "{{sink}} silenced"),
                ),
            ),
            Panel(
                "Leases",
                "Held by so many replicas; lost and taken over, per second.",
                (
                    (f"sum(rollcall_lease_held{{{OURS}}})", "held"),
                    (f"sum(rate(rollcall_leases_lost_total{{{OURS}}}[$__rate_interval]))", "lost"),
                    (f"sum(rate(rollcall_takeovers_total{{{OURS}}}[$__rate_interval]))", "replicas taken over"),
                    (f"sum(rate(rollcall_sessions_taken_over_total{{{OURS}}}[$__rate_interval]))", "sessions taken over"),
                ),
            ),
            Panel(
                "Asked for",
                "Per second: tokens, agents, items of transcripts.",
                (
                    (_rate("rollcall_tokens_total", "outcome"), "token {{outcome}}"),
                    (_rate("rollcall_commands_total", "command, source"), "{{command}} by {{source}}"),
                    (f"sum(rate(rollcall_transcript_items_total{{{OURS}}}[$__rate_interval]))", "transcript items"),
                ),
            ),
            Panel(
                "Memory and CPU",
                "Of each replica.",
                (
                    (f"process_resident_memory_bytes{{{OURS}}} / 1048576", "{{instance}} MiB"),
                    (f"100 * rate(process_cpu_seconds_total{{{OURS}}}[$__rate_interval])", "{{instance}} % of a core"),
                ),
            ),
            Panel(
                "Defects",
                "Tasks that ended by one.",
                ((f"sum(increase(rollcall_task_crashes_total{{{OURS}}}[$__rate_interval]))", "crashes"),),
                steps=(("green", None), ("red", 1)),
            ),
        ),
    ),
)
