"""The agent's part of its session's trace: its own span, the time until it is heard, and what livekit-agents tells of itself.

Where spans go is said by OpenTelemetry's own variables, or by a tracer provider of the team's. Without either nothing happens.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from functools import cache

from livekit import rtc
from livekit.agents import JobContext, telemetry
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, ParentBased, Sampler, SamplingResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import Attributes

from orchestrator.contract import AGENT_STATE_ATTRIBUTE, ATTEMPT_ATTRIBUTE, PULSE_METHOD
from worker.roll import key_of, traceparent_in

FLUSH_SECONDS = 2.0
"""For the last spans of a job, when its room is left: nobody waits for a collector that is away."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_SPEAKING = "speaking"


class AgentTrace:
    """What one job tells. Begun by `begin_trace`."""

    def __init__(self, ctx: JobContext, span: trace.Span, provider: TracerProvider | None) -> None:
        """`provider` is ours, whose last spans we send; None where the team has its own, or there is none."""
        self._room = ctx.room
        self._span = span
        self._provider = provider
        self._silent: trace.Span | None = None

    def joined(self) -> None:
        """The agent is in the room: from now on it is waited for that it is heard."""
        if not self._span.is_recording():
            return
        here = trace.set_span_in_context(self._span)
        self._silent = telemetry.tracer.start_span("first_audio", context=here)
        # livekit-agents says by this attribute when the first sound of an answer leaves.
        self._room.on("participant_attributes_changed", self._on_change)

    def heard(self) -> None:
        """People hear the agent; only the first time counts."""
        silent, self._silent = self._silent, None
        if silent is not None:
            silent.end()
            self._span.add_event("first_audio")

    async def finish(self) -> None:
        """The job is over."""
        self._room.off("participant_attributes_changed", self._on_change)
        self._span.end()
        if self._provider is not None:
            # A thread that nobody waits for at the end of the process, as all threads of asyncio's pool are.
            flush = threading.Thread(target=self._provider.force_flush, name="last-spans", daemon=True)
            flush.start()
            await asyncio.to_thread(flush.join, FLUSH_SECONDS)

    def _on_change(self, changed: Mapping[str, str], participant: rtc.Participant) -> None:
        mine = participant.identity == self._room.local_participant.identity
        if mine and changed.get(AGENT_STATE_ATTRIBUTE) == _SPEAKING:
            self.heard()


def begin_trace(ctx: JobContext, environment: Mapping[str, str]) -> AgentTrace:
    """Begin the span `agent`, under the attempt that brought it, and let what this job's task starts stand in it.

    Where somebody else dispatched the agent, it stands wherever livekit-agents has put the job.
    """
    provider = _provider(configured=_configured(environment), more=bool(environment.get("OTEL_TRACES_SAMPLER")))
    traceparent = traceparent_in(ctx.job.metadata)
    above = TraceContextTextMapPropagator().extract({"traceparent": traceparent}) if traceparent else None
    job = trace.get_current_span().get_span_context()
    links = [trace.Link(job)] if above is not None and job.is_valid else []
    span = telemetry.tracer.start_span("agent", context=above, links=links, attributes=_told_of(ctx))
    context.attach(trace.set_span_in_context(span))
    begun = AgentTrace(ctx, span, provider)
    if span.is_recording():
        ctx.add_shutdown_callback(begun.finish)
    return begun


def _told_of(ctx: JobContext) -> dict[str, str]:
    """The words that the orchestrator's spans have for the same."""
    job = ctx.job
    told = {
        "rollcall.room": job.room.name,
        "rollcall.sid": job.room.sid,
        "rollcall.agent": job.agent_name,
        "rollcall.job_id": job.id,
    }
    attempt = key_of(job.attributes, job.metadata).get(ATTEMPT_ATTRIBUTE)
    return {**told, "rollcall.attempt": attempt} if attempt else told


class _WithoutPulse(Sampler):
    """Leaves out what livekit-agents tells of each pulse: one every few seconds, and nothing but the pulse."""

    def __init__(self, others: Sampler) -> None:
        self._others = others

    def should_sample(
        self,
        parent_context: context.Context | None,
        trace_id: int,
        name: str,
        kind: trace.SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[trace.Link] | None = None,
        trace_state: trace.TraceState | None = None,
    ) -> SamplingResult:
        """As the others decide, but for the pulse."""
        if (attributes or {}).get(telemetry.trace_types.ATTR_RPC_METHOD) == PULSE_METHOD:
            return SamplingResult(Decision.DROP)
        return self._others.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """Its name, for people."""
        return f"WithoutPulse({self._others.get_description()})"


def _configured(environment: Mapping[str, str]) -> bool:
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp").strip() == "none":
        return False
    return any(environment.get(name, "").strip() for name in _ENDPOINTS)


@cache
def _provider(*, configured: bool, more: bool) -> TracerProvider | None:
    """Ours, made for the first job of the process; None where nobody wants one, or the team has set its own."""
    if not configured or _provided():
        return None
    ours = Resource({"service.name": "rollcall-worker"})
    # The end of a job is outside of its context: only what stands in a session's trace is sent, unless somebody wants more.
    chosen = TracerProvider(shutdown_on_exit=False).sampler if more else ParentBased(ALWAYS_OFF)
    resource = ours.merge(OTELResourceDetector().detect())
    provider = TracerProvider(_WithoutPulse(chosen), resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    # What people say stays out of the traces.
    telemetry.set_tracer_provider(provider, allow_pii=False)
    return provider


def _provided() -> bool:
    """Whether livekit-agents has a tracer provider: without one a span without parent is of no trace."""
    probe = telemetry.tracer.start_span("probe", context=context.Context())
    return probe.get_span_context().is_valid
