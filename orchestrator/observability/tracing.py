"""Whether there are traces: by the settings, and with nothing of OpenTelemetry imported where there are none."""

import secrets
from contextlib import AbstractContextManager, nullcontext

from orchestrator.core.session import Session
from orchestrator.observability.metrics import Metrics
from orchestrator.observability.traces import Traces
from orchestrator.runtime.ports import Clock, Delivered
from orchestrator.settings import Settings


class Untraced:
    """What Traces are, where nobody wants any."""

    def folded(self, before: Session | None, after: Session, delivered: Delivered) -> None:
        """Nothing is told."""

    def traceparent(self, session: Session, placement: str, number: int) -> None:
        """Workers are told of no span."""

    def exemplar(self, session: Session) -> None:
        """Samples are tied to no trace."""

    def token(self, traceparent: str | None) -> AbstractContextManager[None]:  # noqa: ARG002 as Traces has it
        return nullcontext()

    async def close(self) -> None:
        """Nothing waits."""


def traces_of(settings: Settings, metrics: Metrics, clock: Clock, *, replica: str, version: str) -> Traces | Untraced:
    """To be closed."""
    if settings.traces_endpoint is None:
        return Untraced()
    # An extra, and a third of a second to import.
    from orchestrator.observability.otlp import to_collector  # noqa: PLC0415

    def count(outcome: str, spans: int) -> None:
        metrics.spans.labels(outcome).inc(spans)

    sink = to_collector(settings.traces_endpoint, replica=replica, version=version, count=count)
    return Traces(sink, clock, secrets.randbits)
