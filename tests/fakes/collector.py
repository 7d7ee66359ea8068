"""A collector of traces: OTLP over HTTP, as OpenTelemetry's own protocol says it. It keeps what it gets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PATH: Final = "/v1/traces"


class Collector:
    """The spans that arrived, with what their sender says of itself."""

    def __init__(self) -> None:
        self.spans: list[tuple[dict[str, Any], Span]] = []
        self.url = ""
        self.status = 200
        """What it answers."""

    async def take(self, request: web.Request) -> web.Response:
        message = ExportTraceServiceRequest.FromString(await request.read())
        if self.status != 200:
            return web.Response(status=self.status)
        for resource in message.resource_spans:
            sender = told(resource.resource.attributes)
            self.spans.extend((sender, span) for scope in resource.scope_spans for span in scope.spans)
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf")

    def named(self, name: str) -> list[Span]:
        return [span for _, span in self.spans if span.name == name]


def told(attributes: Any) -> dict[str, Any]:
    """OTLP's list of attributes as a dictionary."""
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in attributes}


@asynccontextmanager
async def collector(port: int = 0) -> AsyncIterator[Collector]:
    """On 127.0.0.1."""
    kept = Collector()
    app = web.Application()
    app.router.add_post(PATH, kept.take)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        kept.url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
        yield kept
    finally:
        await runner.cleanup()
