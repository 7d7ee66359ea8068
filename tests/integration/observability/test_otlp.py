"""Spans on their way to a collector, by OTLP over HTTP; and what becomes of them without one."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs

from orchestrator.observability.otlp import QUEUE, OtlpSink, to_collector
from orchestrator.observability.spans import Span, SpanContext
from orchestrator.observability.steps import Moment
from tests.e2e.harness.wait import wait_until
from tests.fakes.collector import collector, told

TRACE = 0x4BF92F3577B34DA6A3CE929D0E0E4736
ROOT = SpanContext(TRACE, 7, sampled=True)
SPAN = Span(
    SpanContext(TRACE, 8, sampled=True),
    ROOT,
    "attempt mary",
    1_700_000_000.25,
    1_700_000_001.5,
    {"rollcall.room": "support-17", "rollcall.attempt": 1},
    "nobody took it",
    (Moment("unverified", 1_700_000_001.0, {"rollcall.cause": "not_taken"}),),
)


class Counted(Counter[str]):
    def __call__(self, outcome: str, spans: int) -> None:
        self[outcome] += spans


class StuckExporter(SpanExporter):
    """Like a collector that takes the connection and never answers."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.entered.set()
        self.released.wait(30)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        self.released.set()


class BrokenExporter(SpanExporter):
    """Fails where exporters are to answer."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        raise ValueError("a defect")

    def shutdown(self) -> None:
        """Nothing is open."""


async def test_a_span_arrives_as_it_was_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
    counted = Counted()
    async with collector() as received:
        sink = to_collector(received.url, replica="r1", version="1.2.3", count=counted)
        sink.put(SPAN)
        await sink.close()
    ((sender, span),) = received.spans
    assert sender == {
        "service.name": "rollcall",
        "service.version": "1.2.3",
        "service.instance.id": "r1",
        "deployment.environment.name": "staging",
    }
    assert (span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex()) == (f"{TRACE:032x}", f"{8:016x}", f"{7:016x}")
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (1_700_000_000_250_000_000, 1_700_000_001_500_000_000)
    assert told(span.attributes) == {"rollcall.room": "support-17", "rollcall.attempt": 1}
    assert (span.status.code, span.status.message) == (2, "nobody took it")
    assert [event.name for event in span.events] == ["unverified"]
    assert counted == {"exported": 1}


async def test_the_service_is_called_as_the_standard_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "rollcall-eu")
    async with collector() as received:
        sink = to_collector(received.url, replica="r1", version="1", count=Counted())
        sink.put(SPAN)
        await sink.close()
    assert [sender["service.name"] for sender, _ in received.spans] == ["rollcall-eu"]


async def test_a_collector_that_refuses_is_told_once_and_counted() -> None:
    counted = Counted()
    async with collector() as received:
        received.status = 400
        sink = to_collector(received.url, replica="r1", version="1", count=counted)
        with capture_logs() as logs:
            sink.put(SPAN)
            await sink.close()
    assert received.spans == []
    assert counted == {"refused": 1}
    assert [line["event"] for line in logs] == ["traces_not_exported"]


async def test_a_collector_that_never_answers_costs_a_bounded_queue_and_no_wait() -> None:
    counted, exporter = Counted(), StuckExporter()
    sink = OtlpSink(exporter, replica="r1", version="1", count=counted)
    for _ in range(QUEUE + 100):
        sink.put(SPAN)
    assert counted == {"dropped": 100}
    assert await asyncio.to_thread(exporter.entered.wait, 10)
    begun = asyncio.get_running_loop().time()
    await sink.close()
    assert asyncio.get_running_loop().time() - begun < 10
    exporter.released.set()


async def test_what_the_exporter_cannot_even_send_takes_no_place_in_the_queue_for_ever() -> None:
    counted = Counted()
    sink = OtlpSink(BrokenExporter(), replica="r1", version="1", count=counted)
    for _ in range(QUEUE):
        sink.put(SPAN)
    await wait_until(lambda: counted["refused"] == QUEUE, description="all of them are over")
    sink.put(SPAN)
    await sink.close()
    assert counted == {"refused": QUEUE + 1}


@pytest.mark.parametrize(
    ("sampler", "argument", "alone", "caller_samples", "caller_does_not"),
    [
        ("parentbased_always_on", "", True, True, False),
        ("parentbased_always_off", "", False, True, False),
        ("always_on", "", True, True, True),
        ("traceidratio", "0.0", False, False, False),
    ],
)
def test_the_sampler_is_the_one_that_the_standard_variable_names(
    monkeypatch: pytest.MonkeyPatch, sampler: str, argument: str, *, alone: bool, caller_samples: bool, caller_does_not: bool
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", argument)
    sink = OtlpSink(StuckExporter(), replica="r1", version="1", count=Counted())
    assert sink.samples(TRACE, None) is alone
    assert sink.samples(TRACE, ROOT) is caller_samples
    assert sink.samples(TRACE, SpanContext(TRACE, 7, sampled=False)) is caller_does_not
