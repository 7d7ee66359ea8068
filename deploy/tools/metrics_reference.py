"""Writes docs/metrics.md from the metrics that the service registers, or checks that it is current.

python -m deploy.tools.metrics_reference            writes it
python -m deploy.tools.metrics_reference --check    fails when it is stale
"""

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client.core import Metric
from prometheus_client.metrics import MetricWrapperBase

from orchestrator.core.causes import Cause
from orchestrator.core.fleet import Fleet
from orchestrator.observability.metrics import Metrics
from orchestrator.observability.scraped import Scraped, show

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"

_HEAD: Final = """# Metrics

`GET /metrics` needs no token: labels are of closed lists (agents that are configured, causes, outcomes), never a room.
An agent that is not configured counts as `other`, the one without a name as `(unnamed)`. What all replicas share
(dispatches in flight, slots, waiting, breaker, alerts that wait, workers) each of them shows alike: take the maximum,
and of everything else the sum. Rules, alerts and a dashboard are in `deploy/prometheus` and `deploy/grafana`; what to
do when an alert comes is in [alerts.md](alerts.md). Beside these there are the `process_…` metrics of prometheus-client.

Generated from the code by `python -m deploy.tools.metrics_reference`.

| metric | type | labels | what it tells |
|---|---|---|---|
"""

_CAUSES: Final = (
    "\n`cause` is one of "
    + ", ".join(f"`{cause}`" for cause in Cause)
    + "; the `outcome` of an attempt is one of them, or `verified`, `superseded`.\n"
)


@dataclass(frozen=True, slots=True)
class Described:
    """One metric."""

    name: str
    """As it is scraped: a counter with `_total`, a histogram without `_bucket`."""
    kind: str
    labels: tuple[str, ...]
    says: str

    @property
    def series(self) -> frozenset[str]:
        """The names under which Prometheus knows it."""
        if self.kind == "histogram":
            return frozenset(f"{self.name}_{part}" for part in ("bucket", "count", "sum"))
        return frozenset({self.name})


class _Lease:
    """Of a replica that does not exist."""

    lapses = takeovers = taken_over = 0

    def fenced(self) -> bool:
        return False


def registered() -> Metrics:
    """The metrics of a service that has nothing to do."""
    metrics = Metrics([], "0")
    nothing = Scraped(lambda: (), Fleet, _Lease(), api_share=lambda: 1.0, pulse_interval=lambda: 3.0)
    show(metrics, nothing)
    return metrics


def described() -> tuple[Described, ...]:
    """Every metric, by name."""
    metrics = registered()
    wrapped = {_own_name(own): own for own in vars(metrics).values() if isinstance(own, MetricWrapperBase)}
    found = []
    for family in metrics.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = _labels(wrapped.get(family.name), family)
        found.append(Described(name, family.type, labels, family.documentation))
    return tuple(sorted(found, key=lambda metric: metric.name))


def _own_name(own: MetricWrapperBase) -> str:
    return next(iter(own.describe())).name


def _labels(own: MetricWrapperBase | None, family: Metric) -> tuple[str, ...]:
    """A metric without a sample shows its labels nowhere but in what prometheus-client keeps for itself."""
    named: Iterable[str] | None = getattr(own if own is not None else family, "_labelnames", None)
    if named is None:
        named = family.samples[0].labels if family.samples else ()
    return tuple(named)


def document() -> str:
    """The whole page."""
    ours = (metric for metric in described() if metric.name.startswith("rollcall_"))
    lines = [f"| `{m.name}` | {m.kind} | {_code(m.labels)} | {m.says} |" for m in ours]
    return _HEAD + "\n".join(lines) + "\n" + _CAUSES


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> int:
    if "--check" in sys.argv[1:]:
        if not DOCUMENT.exists() or DOCUMENT.read_text() != document():
            sys.stderr.write("docs/metrics.md is stale; run `python -m deploy.tools.metrics_reference`.\n")
            return 1
        return 0
    DOCUMENT.write_text(document())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
