"""Where traces go. What else OpenTelemetry can be told (headers, sampler, service name, …) it takes from its own variables."""

from importlib.util import find_spec
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from orchestrator.configuration.entries import Entry, web_url


class TraceSettings(Entry):
    """Settings under OpenTelemetry's own names, which mean the same to all that export traces."""

    otel_exporter_otlp_endpoint: Annotated[str, AfterValidator(web_url)] | None = Field(
        None, description="The collector that traces go to, by OTLP over HTTP: http://collector:4318. Default: no traces."
    )
    otel_exporter_otlp_traces_endpoint: Annotated[str, AfterValidator(web_url)] | None = Field(
        None, description="The same for traces alone, as the whole URL: http://collector:4318/v1/traces."
    )
    otel_traces_exporter: Literal["otlp", "none"] = Field("otlp", description="none: no traces, whatever else is set.")
    otel_sdk_disabled: bool = Field(default=False, description="true: no traces, whatever else is set.")

    @property
    def traces_endpoint(self) -> str | None:
        """The URL that takes traces; None: there are none."""
        if self.otel_sdk_disabled or self.otel_traces_exporter == "none":
            return None
        base = self.otel_exporter_otlp_endpoint
        return self.otel_exporter_otlp_traces_endpoint or (f"{base}/v1/traces" if base else None)


def installed() -> bool:
    """Whether the packages are there that export traces: an extra."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None and find_spec("opentelemetry.sdk") is not None
    except ModuleNotFoundError:  # not even the package that they are in
        return False
