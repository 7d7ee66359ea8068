"""Spans to a collector, by OTLP over HTTP: through OpenTelemetry's SDK, which is an extra and is imported here alone.

Its other settings (headers, TLS, sampler, service name, sizes and pauses of batches) the SDK takes from the standard OTEL_…
variables itself. A collector that is slow or away costs nobody anything but the spans: they wait in a bounded queue for a
thread of their own, and what has no room in it is counted and forgotten.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import SpanContext as Context

from orchestrator.observability.spans import Span, SpanContext

log = structlog.get_logger()

QUEUE: Final = 4096
"""Spans that wait at the most: about 4 MB."""

_LAST: Final = 2.0
"""Seconds that a stopping replica gives its last spans."""

EXPORTED: Final = "exported"
REFUSED: Final = "refused"
DROPPED: Final = "dropped"

Count = Callable[[str, int], object]
"""Outcome and number of spans."""


class OtlpSink:
    """A SpanSink. To be closed."""

    def __init__(self, exporter: SpanExporter, *, replica: str, version: str, count: Count) -> None:
        # The SDK's own words on each failed try would fill the log; the first failure and its end are told here.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)
        ours = Resource({"service.name": "rollcall", "service.version": version, "service.instance.id": replica})
        self._resource = ours.merge(OTELResourceDetector().detect())
        self._scope = InstrumentationScope("rollcall", version)
        # Of the provider only the sampler is used: it reads OTEL_TRACES_SAMPLER.
        self._sampler = TracerProvider(resource=self._resource, shutdown_on_exit=False).sampler
        self._count = count
        self._told = _Told(exporter, count)
        self._taken = 0
        self._batches = BatchSpanProcessor(self._told, max_queue_size=QUEUE)

    def samples(self, trace_id: int, parent: SpanContext | None) -> bool:
        above = None if parent is None else set_span_in_context(NonRecordingSpan(_context(parent, remote=True)))
        return self._sampler.should_sample(above, trace_id, "session").decision is Decision.RECORD_AND_SAMPLE

    def put(self, span: Span) -> None:
        if self._taken - self._told.done >= QUEUE:
            self._count(DROPPED, 1)
            return
        self._taken += 1
        self._batches.on_end(self._readable(span))

    async def close(self) -> None:
        """Send what waits, for so long as one may wait for it."""
        # A thread that nobody waits for at the end of the process, as all threads of asyncio's pool are.
        ending = threading.Thread(target=self._batches.shutdown, name="last-spans", daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, _LAST)

    def _readable(self, span: Span) -> ReadableSpan:
        return ReadableSpan(
            span.name,
            context=_context(span.context, remote=False),
            parent=None if span.parent is None else _context(span.parent, remote=False),
            resource=self._resource,
            attributes=span.attributes,
            events=[Event(moment.name, dict(moment.told), _nanoseconds(moment.at)) for moment in span.moments],
            kind=SpanKind.SERVER if span.name == "token" else SpanKind.INTERNAL,
            status=Status(StatusCode.UNSET) if span.error is None else Status(StatusCode.ERROR, span.error),
            start_time=_nanoseconds(span.begun_at),
            end_time=_nanoseconds(span.ended_at),
            instrumentation_scope=self._scope,
        )


class _Told(SpanExporter):
    """Passes batches on to another exporter, in the SDK's thread; counts them, and says when they begin and cease to fail."""

    def __init__(self, exporter: SpanExporter, count: Count) -> None:
        self._exporter = exporter
        self._count = count
        self._failing = False
        self.done = 0
        """Spans of which it is known what became of them. Written by the SDK's thread alone."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:  # the SDK swallows what is raised here: its spans are over, too, or the queue would seem full for ever
            self._over(len(spans), failing=result is not SpanExportResult.SUCCESS)
        return result

    def _over(self, spans: int, *, failing: bool) -> None:
        self.done += spans
        self._count(REFUSED if failing else EXPORTED, spans)
        if failing is self._failing:
            return
        self._failing = failing
        if failing:
            log.warning("traces_not_exported", note="The collector cannot be reached, or refuses them: these spans are lost.")
        else:
            log.info("traces_exported_again")

    def shutdown(self) -> None:
        self._exporter.shutdown()


def to_collector(endpoint: str, *, replica: str, version: str, count: Count) -> OtlpSink:
    """To the URL that takes traces."""
    return OtlpSink(OTLPSpanExporter(endpoint=endpoint), replica=replica, version=version, count=count)


def _context(context: SpanContext, *, remote: bool) -> Context:
    return Context(context.trace_id, context.span_id, is_remote=remote, trace_flags=TraceFlags(int(context.sampled)))


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e6) * 1000  # a float has no more than microseconds of a time
