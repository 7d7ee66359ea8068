"""Rules, alerts and dashboard name only what the service tells, and the rules do what is said of them."""

import json
import re
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.tools import dashboard, metrics_reference
from tests.unit.deploy.installed import tool

ROOT = Path(__file__).parents[3]
PROMETHEUS = ROOT / "deploy" / "prometheus"
RUNBOOK = ROOT / "docs" / "alerts.md"

RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((PROMETHEUS / "rules.yml").read_text())["groups"] for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
BOARD: dict[str, Any] = json.loads(dashboard.FILE.read_text())
PANELS: list[dict[str, Any]] = BOARD["panels"]
TARGETS = [(panel["title"], target["expr"]) for panel in PANELS for target in panel.get("targets", ())]
VARIABLES = [(v["name"], v["query"]["query"]) for v in BOARD["templating"]["list"] if v["type"] == "query"]
EXPRESSIONS = [
    *((rule.get("alert") or rule["record"], rule["expr"]) for rule in RULES),
    *TARGETS,
    *VARIABLES,
]

OF_PROMETHEUS = {"up": frozenset[str]()}
ADDED = {"job", "instance", "le"}
"""Labels that Prometheus adds, and those of a histogram's buckets."""

NAME = re.compile(r"(?<![\w$:.\"])(rollcall[a-z0-9_:]*|process_\w+|up)(?![\w(])(?:\{([^}]*)\})?")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")


def told() -> dict[str, frozenset[str]]:
    """The names of all series that there are, each with its labels."""
    metrics = {name: frozenset(m.labels) for m in metrics_reference.described() for name in m.series}
    return {**metrics, **OF_PROMETHEUS, **{name: frozenset({"agent"}) for name in RECORDED}}


@pytest.mark.parametrize(("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS])
def test_every_metric_and_label_that_is_asked_for_exists(where: str, expression: str) -> None:
    known = told()
    asked = NAME.findall(expression)
    assert asked or expression.strip() == "vector(1)"
    for name, matchers in asked:
        assert name in known
        assert set(LABEL.findall(matchers)) <= known[name] | ADDED


def test_what_does_not_exist_would_be_found() -> None:
    assert NAME.findall('sum(rate(rollcall_webhook_total{outcom="x"}[5m])) / up') == [
        ("rollcall_webhook_total", 'outcom="x"'),
        ("up", ""),
    ]
    assert "rollcall_webhook_total" not in told()
    assert "rollcall_time_to_agent_seconds" not in told()  # only its parts are


def test_the_alerts_are_those_that_on_call_counts_on() -> None:
    assert {alert["alert"] for alert in ALERTS} >= {
        "RollcallUnverifiedSessions",
        "RollcallSloBurnFast",
        "RollcallSloBurnSlow",
        "RollcallWebhooksSilent",
        "RollcallLiveKitUnreachable",
        "RollcallStoreTrouble",
        "RollcallBreakerOpen",
        "RollcallNoWorker",
        "RollcallCanaryFailed",
        "RollcallAlertsNotDelivered",
        "RollcallReplicaDown",
        "Watchdog",
    }


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_what_is_wrong_how_bad_it_is_and_where_to_read_on(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    annotations = alert["annotations"]
    assert set(annotations) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert all(annotations.values())
    page, _, anchor = annotations["runbook_url"].partition("#")
    assert page.endswith("/docs/alerts.md")
    headings = re.findall(r"^## (\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert anchor in {heading.lower() for heading in headings}
    assert alert["alert"].lower() == anchor
    assert annotations["dashboard_url"].endswith(f"/d/{BOARD['uid']}")


def test_every_section_of_the_page_is_about_an_alert_that_exists() -> None:
    headings = re.findall(r"^## (\w+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert headings == [alert["alert"] for alert in ALERTS]


def test_the_rules_do_what_is_said_of_them_with_made_series() -> None:
    promtool = tool("promtool", "prometheus")
    tests = sorted((PROMETHEUS / "tests").glob("*.yml"))
    assert tests
    commands: tuple[list[str | Path], ...] = (
        ["test", "rules", *tests],
        ["check", "config", PROMETHEUS / "prometheus.yml"],
    )
    for command in commands:
        done = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_with_made_series() -> None:
    tested = {
        (test["alertname"], bool(test["exp_alerts"]))
        for file in (PROMETHEUS / "tests").glob("*.yml")
        for case in yaml.safe_load(file.read_text())["tests"]
        for test in case.get("alert_rule_test", ())
    }
    quiet = {name for name, fires in tested if not fires}
    assert {name for name, fires in tested if fires} == {alert["alert"] for alert in ALERTS}
    assert quiet >= {alert["alert"] for alert in ALERTS} - {"Watchdog"}


def test_no_panel_of_the_dashboard_lies_on_another_one() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert all(above["gridPos"]["y"] <= below["gridPos"]["y"] for above, below in pairwise(PANELS))


@pytest.mark.parametrize(("tool", "file"), [(dashboard, dashboard.FILE), (metrics_reference, metrics_reference.DOCUMENT)])
def test_what_is_generated_is_current_and_would_be_found_stale(
    tool: Any, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["tool", "--check"])
    assert tool.main() == 0
    stale = tmp_path / file.name
    stale.write_text(file.read_text() + "\n")
    monkeypatch.setattr(tool, "FILE" if tool is dashboard else "DOCUMENT", stale)
    assert tool.main() == 1
    assert "stale" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["tool"])
    assert tool.main() == 0
    assert stale.read_text() == file.read_text()


def test_the_reference_names_the_labels_of_metrics_that_have_not_been_seen_yet() -> None:
    labels = {metric.name: metric.labels for metric in metrics_reference.described()}
    assert labels["rollcall_attempts_total"] == ("agent", "outcome")
    assert labels["rollcall_unverified_placements"] == ("agent",)
    assert labels["rollcall_build_info"] == ("version", "python")
    assert labels["rollcall_lease_held"] == ()
