"""The `alerts:` block: who is told of what, and what is refused at start."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from orchestrator.configuration import apprise_url
from orchestrator.configuration.problems import ConfigurationError
from orchestrator.core.alerts import AlertType, Severity
from orchestrator.core.causes import Cause
from orchestrator.core.paging import Grouping
from orchestrator.settings import Configuration
from orchestrator.settings.loading import load_configuration, load_settings

HOOK = f'webhook: {{url: "https://x", secret: "whsec_{"A" * 32}"}}'


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "rollcall.yaml"


def loaded(file: Path, block: str) -> Configuration:
    file.write_text("routes: [{agents: []}]\n" + textwrap.dedent(block))
    return load_configuration(file)[0]


def refused(file: Path, block: str) -> str:
    with pytest.raises(ConfigurationError) as refusal:
        loaded(file, block)
    (problem,) = refusal.value.problems
    return str(problem).removeprefix(str(file.parent) + "/")


def test_a_sink_may_be_told_of_a_part_of_all_alerts(file: Path) -> None:
    alerts = """
        alerts:
          - alertmanager: {url: "http://am:9093/"}
            match: {agent: "ma*", cause: [not_taken, no_worker], type: unverified, room: ["a-*", "b"]}
            severity: warning
            watchdog: true
          - apprise: {url: "slack://a/b/c"}
    """
    first, second = loaded(file, alerts).alerts
    assert first.alertmanager is not None
    assert first.alertmanager.url == "http://am:9093"
    assert first.match.agent == ("ma*",)
    assert first.match.cause == (Cause.NOT_TAKEN, Cause.NO_WORKER)
    assert first.match.type == (AlertType.UNVERIFIED,)
    assert (first.severity, first.watchdog, first.anywhere) == (Severity.WARNING, True, False)
    assert (second.severity, second.watchdog, second.match.agent) == (Severity.INFO, False, None)


@pytest.mark.parametrize(
    ("sink", "grouping"),
    [
        (HOOK, None),
        (f"{HOOK}, group: true", Grouping(5.0, 300.0)),
        (f"{HOOK}, group: {{wait: 0s, interval: 1m}}", Grouping(0.0, 60.0)),
        ("apprise: {url: 'slack://a/b/c'}", Grouping(5.0, 300.0)),
        ("apprise: {url: 'slack://a/b/c'}, group: false", None),
        ("alertmanager: {url: 'http://am'}", None),
        ("alertmanager: {url: 'http://am'}, group: false", None),
    ],
)
def test_people_get_one_page_for_many_rooms_and_programs_only_if_they_ask(
    file: Path, sink: str, grouping: Grouping | None
) -> None:
    assert loaded(file, f"alerts: [{{{sink}}}]").alerts[0].grouping == grouping


def test_what_fires_when_and_how_bad_it_is_may_be_said(file: Path) -> None:
    policy = loaded(file, "alert_policy: {no_worker_announced: {severity: critical, after: 5m}}").alert_policy
    assert policy[AlertType.NO_WORKER_ANNOUNCED].severity is Severity.CRITICAL
    assert policy[AlertType.NO_WORKER_ANNOUNCED].after == 300.0


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("alerts: [{}]", "alerts[0]: It says nobody to tell. Write one of webhook, alertmanager and apprise."),
        (
            f"alerts: [{{{HOOK}, alertmanager: {{url: http://am}}}}]",
            "alerts[0].alertmanager: It has both webhook and alertmanager. Give each an item of its own.",
        ),
        ("alerts: [{alertmanger: {url: http://am}}]", 'alerts[0].alertmanger: There is no setting "alertmanger" here. Did you'),
        ("alerts: [{alertmanager: {url: am}}]", "alerts[0].alertmanager.url: It is no URL of this kind. Write it like http"),
        ("alerts: [{apprise: {url: hunter2}}]", "alerts[0].apprise.url: It is no URL of apprise. Write it like slack://"),
        (f"alerts: [{{{HOOK}, severity: bad}}]", "alerts[0].severity: It must be 'critical', 'warning' or 'info'."),
        (f"alerts: [{{{HOOK}, match: {{agents: a}}}}]", 'alerts[0].match.agents: There is no setting "agents" here. Did you'),
        (f"alerts: [{{{HOOK}, match: {{agent: 'a-{{'}}}}]", "alerts[0].match.agent[0]: It has a { without a }"),
        (f"alerts: [{{{HOOK}, match: {{agent: []}}}}]", "alerts[0].match.agent: It is empty."),
        (f"alerts: [{{{HOOK}, match: {{cause: late}}}}]", "alerts[0].match.cause[0]: It must be 'not_taken', "),
        (
            "alerts: [{alertmanager: {url: http://am}, group: true}]",
            "alerts[0].group: Alertmanager groups by itself: write gro",
        ),
        (f"alerts: [{{{HOOK}, group: 5s}}]", "alerts[0].group: It must be true, false, or keys with values: {wait: 5s, "),
        (
            f"alerts: [{{{HOOK}, group: {{waits: 5s}}}}]",
            'alerts[0].group.waits: There is no setting "waits" here. Did you mean',
        ),
        (f"alerts: [{{{HOOK}, group: {{wait: soon}}}}]", 'alerts[0].group.wait: "soon" is no duration. '),
        (f"alerts: [{{{HOOK}, group: {{interval: 0s}}}}]", "alerts[0].group.interval: It must be more than 0: it cannot"),
        ("alert_policy: {unverified: {after: 5s}}", "alert_policy.unverified.after: It is not told after a time of its own"),
    ],
)
def test_a_sink_that_cannot_be_meant_is_refused_and_its_secret_is_not_shown(file: Path, block: str, message: str) -> None:
    problem = refused(file, block)
    assert problem.startswith(f"rollcall.yaml:2: {message}")
    assert "hunter2" not in problem


def refused_at_start(file: Path, block: str) -> str:
    pair = f'livekit_url: ws://127.0.0.1:7880\nlivekit_api_key: a\nlivekit_api_secret: "{"s" * 32}"\nhost: 127.0.0.1\n'
    file.write_text(pair + "routes: [{agents: []}]\n" + block)
    with pytest.raises(ConfigurationError) as refusal:
        load_settings({"config": str(file), "dev": True})
    (problem,) = refusal.value.problems
    return str(problem).removeprefix(str(file.parent) + "/")


def test_where_apprise_is_not_installed_the_service_does_not_start_with_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise_url, "installed", lambda: False)
    problem = refused_at_start(file, 'alerts: [{apprise: {url: "slack://hunter2/b/c"}}]')
    assert problem.startswith("rollcall.yaml:6: alerts[0].apprise: The package apprise is not installed. Install it with")
    assert "hunter2" not in problem


def test_a_url_that_apprise_does_not_understand_is_refused_by_the_file_alone_and_on_one_line_at_start(file: Path) -> None:
    block = 'alerts: [{apprise: {url: "nobody://hunter2"}}]'
    problem = refused_at_start(file, block)
    assert problem.startswith("rollcall.yaml:6: alerts[0].apprise.url: Apprise does not understand this URL.")
    assert refused(file, block).startswith("rollcall.yaml:2: alerts[0].apprise.url: Apprise does not understand")
    assert "hunter2" not in problem
