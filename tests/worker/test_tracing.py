"""The agent's spans stand under the attempt that brought it; and nothing happens where nobody wants traces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from livekit.agents import JobContext, telemetry
from livekit.agents.testing import fake_job_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import worker
from tests.worker.rooms import FakeRoom
from worker import tracing

TRACE, ATTEMPT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
OURS = {"session": "RM_1", "placement": "mary", "attempt": 2, "attempt_id": "x7"}


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("ROLLCALL_URL", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    tracing._provider.cache_clear()
    yield
    tracing._provider.cache_clear()
    telemetry.set_tracer_provider(trace.NoOpTracerProvider())


@pytest.fixture
def exported() -> InMemorySpanExporter:
    """The spans of a team that has a tracer provider of its own."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.set_tracer_provider(provider)
    return exporter


@contextmanager
def job(room: FakeRoom, *, traced: bool = True) -> Iterator[JobContext]:
    reserved = OURS | ({"traceparent": f"00-{TRACE}-{ATTEMPT}-01"} if traced else {})
    with fake_job_context(room=room.real, job_metadata=json.dumps({"rollcall": reserved})) as ctx:
        try:
            yield ctx
        finally:
            ctx._tempdir.cleanup()  # it makes a directory, and nobody else removes it


def named(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = [span for span in exporter.get_finished_spans() if span.name == name]
    return span


async def finish(ctx: JobContext) -> None:
    for callback in ctx._shutdown_callbacks:
        await callback("")


async def test_the_agents_span_stands_under_its_attempt(exported: InMemorySpanExporter) -> None:
    with job(FakeRoom()) as ctx:
        await worker.attach(ctx)
        await finish(ctx)
    agent = named(exported, "agent")
    assert agent.context is not None
    assert agent.parent is not None
    assert (f"{agent.context.trace_id:032x}", f"{agent.parent.span_id:016x}") == (TRACE, ATTEMPT)
    assert agent.attributes is not None
    assert agent.attributes["rollcall.attempt"] == "2"


async def test_what_livekit_agents_tells_afterwards_stands_under_the_agent(exported: InMemorySpanExporter) -> None:
    with job(FakeRoom()) as ctx:
        await worker.attach(ctx)
        telemetry.tracer.start_span("agent_session").end()
        await finish(ctx)
    session, agent = named(exported, "agent_session"), named(exported, "agent")
    assert session.parent is not None
    assert agent.context is not None
    assert session.parent.span_id == agent.context.span_id


async def test_the_first_sound_is_told_once_by_the_agents_own_word(exported: InMemorySpanExporter) -> None:
    with job(FakeRoom()) as ctx:
        roll = await worker.attach(ctx)
        assert "first_audio" not in [span.name for span in exported.get_finished_spans()]
        roll.heard()
        roll.heard()
        await finish(ctx)
    first, agent = named(exported, "first_audio"), named(exported, "agent")
    assert first.parent is not None
    assert agent.context is not None
    assert first.parent.span_id == agent.context.span_id
    assert [event.name for event in agent.events] == ["first_audio"]


async def test_an_agent_session_that_speaks_is_heard(exported: InMemorySpanExporter) -> None:
    room = FakeRoom()
    with job(room) as ctx:
        await worker.attach(ctx)
        room.emit("participant_attributes_changed", {"lk.agent.state": "listening"}, room.local_participant)
        assert "first_audio" not in [span.name for span in exported.get_finished_spans()]
        room.emit("participant_attributes_changed", {"lk.agent.state": "speaking"}, room.local_participant)
        assert "first_audio" in [span.name for span in exported.get_finished_spans()]
        await finish(ctx)


async def test_without_configuration_there_is_nothing() -> None:
    with job(FakeRoom()) as ctx:
        await worker.attach(ctx)
        assert not trace.get_current_span().is_recording()
        await finish(ctx)
    assert tracing._provider(configured=False, more=False) is None


async def test_an_endpoint_in_the_environment_is_enough_and_a_dead_one_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.1")
    with job(FakeRoom()) as ctx:
        await worker.attach(ctx)
        assert trace.get_current_span().is_recording()
        assert not telemetry.tracer.start_span("of no session", context=Context()).is_recording()
        assert not telemetry.tracer.start_span("rpc_handler", attributes={"rpc.method": "rollcall.pulse"}).is_recording()
        assert telemetry.tracer.start_span("rpc_handler", attributes={"rpc.method": "look_up"}).is_recording()
        await finish(ctx)


@pytest.mark.parametrize(("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")])
async def test_what_is_switched_off_stays_off(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv(name, value)
    with job(FakeRoom()) as ctx:
        await worker.attach(ctx)
        assert not trace.get_current_span().is_recording()
        await finish(ctx)


async def test_an_agent_of_somebody_elses_dispatch_has_a_trace_of_its_own(exported: InMemorySpanExporter) -> None:
    with job(FakeRoom(), traced=False) as ctx:
        await worker.attach(ctx)
        await finish(ctx)
    assert named(exported, "agent").parent is None
