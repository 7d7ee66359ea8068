"""Where traces go, by OpenTelemetry's own variables."""

from pathlib import Path

import pytest

from orchestrator.configuration import traces
from orchestrator.configuration.problems import ConfigurationError
from orchestrator.settings import Settings, load_settings

BASE = "OTEL_EXPORTER_OTLP_ENDPOINT"
WHOLE = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"


@pytest.fixture(autouse=True)
def _a_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIVEKIT_URL", "wss://livekit.example")
    monkeypatch.setenv("LIVEKIT_API_KEY", "APIkey")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "s" * 32)
    monkeypatch.setenv("ROLLCALL_API_TOKENS", f"read:{'t' * 32}")


def loaded(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return load_settings()


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({}, None),
        ({BASE: "http://collector:4318"}, "http://collector:4318/v1/traces"),
        ({BASE: "http://collector:4318/"}, "http://collector:4318/v1/traces"),
        ({BASE: "http://collector:4318", WHOLE: "https://traces.example/in"}, "https://traces.example/in"),
        ({BASE: "http://collector:4318", "OTEL_TRACES_EXPORTER": "none"}, None),
        ({BASE: "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, None),
    ],
)
def test_traces_go_where_the_standard_variables_say(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], endpoint: str | None
) -> None:
    assert loaded(monkeypatch, **variables).traces_endpoint == endpoint


def test_the_file_may_say_where_they_go(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("rollcall.yaml").write_text("otel_exporter_otlp_endpoint: http://collector:4318\n")
    assert loaded(monkeypatch).traces_endpoint == "http://collector:4318/v1/traces"


def test_without_the_packages_the_service_does_not_start_with_traces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "installed", lambda: False)
    assert loaded(monkeypatch).traces_endpoint is None
    with pytest.raises(ConfigurationError) as refused:
        loaded(monkeypatch, **{BASE: "http://collector:4318"})
    message = str(refused.value)
    assert f"environment variable {BASE}" in message
    assert "pip install '.[otel]'" in message


def test_the_port_of_grpc_is_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = loaded(monkeypatch, **{BASE: "http://collector:4317"}).notes
    assert any(BASE in note and "4318" in note for note in notes)


def test_the_packages_are_found_where_they_are() -> None:
    assert traces.installed()
