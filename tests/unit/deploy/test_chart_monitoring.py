"""What the chart hands to Prometheus and Grafana is what is tested elsewhere, copied."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from deploy.tools import chart_files
from tests.unit.deploy.charting import CHART, EVERYTHING, ROOT, template
from tests.unit.deploy.installed import go_module

OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
"""Whose definitions of ServiceMonitor and PrometheusRule are held against ours."""


def strict(schema: Any) -> Any:
    """A schema of Kubernetes, under which what it does not name is no error, as one under which it is."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: strict(value) for name, value in schema.items()}
    if isinstance(closed.get("properties"), dict) and "x-kubernetes-preserve-unknown-fields" not in closed:
        closed.setdefault("additionalProperties", False)
    return closed


def definition(kind: str) -> Any:
    """The validator of what the operator takes as a manifest of this kind."""
    file = go_module(OPERATOR) / "example" / "prometheus-operator-crd" / f"monitoring.coreos.com_{kind.lower()}s.yaml"
    (version,) = yaml.load(file.read_text(), yaml.CSafeLoader)["spec"]["versions"]
    return jsonschema.Draft202012Validator(strict(version["schema"]["openAPIV3Schema"]))


@pytest.mark.parametrize(
    ("kind", "where"), [("ServiceMonitor", ("endpoints", 0)), ("PrometheusRule", ("groups", 0, "rules", 0))]
)
def test_the_prometheus_operator_takes_what_is_for_it(helm: Path, kind: str, where: tuple[str | int, ...]) -> None:
    (manifest,) = (m for m in template(helm, EVERYTHING) if m["kind"] == kind)
    validator = definition(kind)
    assert [error.message for error in validator.iter_errors(manifest)] == []
    broken: Any = copy.deepcopy(manifest)
    place = broken
    for step in ("spec", *where):
        place = place[step]
    place["intervall"] = "15s"
    assert list(validator.iter_errors(broken)), "it would not be seen"


def test_prometheus_scrapes_each_release_as_a_job_that_the_rules_find(helm: Path) -> None:
    for release, job in (("rollcall", "rollcall"), ("eu", "rollcall-eu-rollcall"), ("rollcall-eu", "rollcall-eu")):
        manifests = template(helm, EVERYTHING, release=release)
        (monitor,) = (m for m in manifests if m["kind"] == "ServiceMonitor")
        (endpoint,) = monitor["spec"]["endpoints"]
        assert {"targetLabel": "job", "replacement": job} in endpoint["relabelings"]
        (service,) = (m for m in manifests if m["kind"] == "Service")
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
        assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}


def test_the_rules_of_the_chart_are_those_that_are_tested_with_links_of_your_own(helm: Path, tmp_path: Path) -> None:
    (rule,) = (m for m in template(helm, EVERYTHING) if m["kind"] == "PrometheusRule")
    text = (ROOT / "deploy" / "prometheus" / "rules.yml").read_text()
    ours = text.replace("https://rollcall.internal/docs/alerts.md", "https://docs.example/alerts.md").replace(
        "https://rollcall.internal/grafana/d/rollcall", "https://grafana.example/d/rollcall"
    )
    assert rule["spec"] == yaml.safe_load(ours)
    assert "rollcall.internal" not in json.dumps(rule["spec"])


def test_grafana_is_given_the_dashboard_as_it_is(helm: Path) -> None:
    (holder,) = (m for m in template(helm, EVERYTHING) if m["metadata"]["name"] == "rollcall-dashboard")
    assert json.loads(holder["data"]["rollcall.json"]) == json.loads((ROOT / "deploy/grafana/rollcall.json").read_text())


def test_a_copy_that_is_stale_would_be_found_and_is_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["chart_files", "--check"])
    assert chart_files.main() == 0
    source, copy = tmp_path / "rules.yml", ROOT / "deploy" / "helm" / "stale.yml"
    shutil.copy(CHART / "files" / "rules.yml", source)
    monkeypatch.setattr(chart_files, "COPIES", {source: copy})
    assert chart_files.main() == 1
    assert "deploy/helm/stale.yml is stale" in capsys.readouterr().err
    assert not copy.exists()
