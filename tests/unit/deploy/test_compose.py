"""The stack of deploy/compose: what Compose takes, made of parts that fit each other, and locked up as far as it can be."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from typer.testing import CliRunner

from orchestrator.alerting.sinks.alertmanager import alertname
from orchestrator.cli import app
from orchestrator.core.alerts import AlertType
from tests.unit.deploy.installed import go_module, tool

ROOT = Path(__file__).parents[3]
COMPOSE = ROOT / "deploy" / "compose"
TEXT = (COMPOSE / "compose.yaml").read_text()
STACK: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = STACK["services"]
EXAMPLE = (COMPOSE / ".env.example").read_text()

SCHEMA = "github.com/compose-spec/compose-go/v2@v2.16.2"
"""Compose's own loader, which carries its schema."""

VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((go_module(SCHEMA) / "schema" / "compose-spec.json").read_text())
    return found


def interpolated(environment: dict[str, str]) -> dict[str, Any]:
    """The stack as Compose would read it with this .env."""
    text = VARIABLE.sub(lambda match: environment.get(match[1]) or match[2], TEXT)
    assert "${" not in text
    stack: dict[str, Any] = yaml.safe_load(text)
    return stack


def test_compose_takes_it() -> None:
    validator = jsonschema.validators.validator_for(found := schema())(found)
    assert [error.message for error in validator.iter_errors(STACK)] == []
    broken = {**STACK, "services": {**SERVICES, "proxy": {**SERVICES["proxy"], "healtcheck": {}}}}
    assert list(validator.iter_errors(broken))


def test_every_file_that_it_mounts_exists() -> None:
    for service in SERVICES.values():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (COMPOSE / source).is_file(), source
                assert mount.endswith(":ro")
            else:
                assert source in STACK["volumes"]
        if build := service.get("build"):
            assert (COMPOSE / build["context"] / build["dockerfile"]).is_file()


def test_there_are_two_replicas_of_one_kind_behind_the_name_that_all_others_use() -> None:
    assert SERVICES["rollcall-1"] == SERVICES["rollcall-2"]
    assert SERVICES["proxy"]["networks"]["default"]["aliases"] == ["rollcall"]
    assert "reverse_proxy rollcall-1:8080 rollcall-2:8080" in (COMPOSE / "Caddyfile").read_text()
    livekit = yaml.safe_load((ROOT / "deploy" / "livekit.yaml").read_text())
    assert livekit["webhook"]["urls"] == ["http://rollcall:8080/webhooks/livekit"]
    environment = SERVICES["rollcall-1"]["environment"]
    assert livekit["webhook"]["api_key"] == environment["LIVEKIT_API_KEY"]
    assert SERVICES["livekit"]["environment"]["LIVEKIT_KEYS"].startswith(f"{environment['LIVEKIT_API_KEY']}: ")
    assert SERVICES["worker"]["environment"]["ROLLCALL_URL"] == "http://rollcall:8080"


def test_nothing_starts_before_what_it_needs_is_healthy() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}, name
            # Those that are built have their check in the image.
            assert "healthcheck" in SERVICES[other] or "build" in SERVICES[other], other
    assert set(SERVICES["proxy"]["depends_on"]) == {"rollcall-1", "rollcall-2"}
    assert "valkey" in SERVICES["rollcall-1"]["depends_on"]


def test_every_container_is_locked_up_and_reached_from_this_machine_alone() -> None:
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"]["max-size"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert re.search(r":v?\d+\.\d+[\w.-]*$|:local$", service["image"]), f"{name} is of no version"
    assert "ports" not in SERVICES["valkey"]


def test_the_store_forgets_nothing() -> None:
    command = SERVICES["valkey"]["command"]
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_every_variable_is_in_the_example_and_everything_in_the_example_is_a_variable() -> None:
    assert {match[1] for match in VARIABLE.finditer(TEXT)} == set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE))


@pytest.mark.parametrize("environment", [{}, {"LIVEKIT_API_SECRET": "s" * 40, "ROLLCALL_OPERATE_TOKEN": "o" * 40}])
def test_the_service_takes_what_it_is_given(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    services = interpolated(environment)["services"]
    for name, value in services["rollcall-1"]["environment"].items():
        monkeypatch.setenv(name, value)
    checked = CliRunner().invoke(app, ["config", "check", str(COMPOSE / "rollcall.yaml")])
    assert checked.exit_code == 0, checked.output
    secret = services["rollcall-1"]["environment"]["LIVEKIT_API_SECRET"]
    assert services["worker"]["environment"]["LIVEKIT_API_SECRET"] == secret
    assert services["livekit"]["environment"]["LIVEKIT_KEYS"] == f"APIrollcall: {secret}"
    worker = services["worker"]["environment"]["ROLLCALL_API_TOKEN"]
    assert f"worker:{worker}" in services["rollcall-1"]["environment"]["ROLLCALL_API_TOKENS"].split(",")


def test_a_replica_has_longer_to_stop_than_it_drains() -> None:
    service = SERVICES["rollcall-1"]
    drain, grace = (
        int(text.removesuffix("s")) for text in (service["environment"]["ROLLCALL_DRAIN"], service["stop_grace_period"])
    )
    assert drain + 15 <= grace


def test_prometheus_takes_its_configuration_and_scrapes_each_replica(tmp_path: Path) -> None:
    for file in (COMPOSE / "prometheus.yml", ROOT / "deploy" / "prometheus" / "rules.yml"):
        shutil.copy(file, tmp_path)
    command = [tool("promtool", "prometheus"), "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (scraped,) = yaml.safe_load((COMPOSE / "prometheus.yml").read_text())["scrape_configs"]
    assert scraped["job_name"].startswith("rollcall")
    assert {target.partition(":")[0] for target in scraped["static_configs"][0]["targets"]} <= set(SERVICES)


def amtool(*arguments: str) -> str:
    command = [tool("amtool", "prometheus-alertmanager"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("alertname=RollcallUnverified", "agent=mary", "cause=not_taken", "severity=critical"), "on-call"),
        (("alertname=RollcallWatchdog", "severity=info"), "watchdog"),
        (("alertname=Watchdog", "severity=info"), "watchdog"),
        (("alertname=RollcallSomething", "severity=info"), "nobody"),
    ],
)
def test_alertmanager_takes_its_configuration_and_tells_pages_from_signs_of_life(
    labels: tuple[str, ...], receiver: str
) -> None:
    file = str(COMPOSE / "alertmanager.yml")
    amtool("check-config", file)
    assert amtool("config", "routes", "test", f"--config.file={file}", *labels).split() == [receiver]


def test_rooms_that_lack_one_agent_for_one_reason_are_one_page() -> None:
    assert yaml.safe_load((COMPOSE / "alertmanager.yml").read_text())["route"]["group_by"] == ["alertname", "agent", "cause"]


def test_what_keeps_an_alert_back_is_an_alert_that_there_is() -> None:
    rules = yaml.safe_load((ROOT / "deploy" / "prometheus" / "rules.yml").read_text())["groups"]
    told = {alertname(kind) for kind in AlertType} | {
        rule["alert"] for group in rules for rule in group["rules"] if "alert" in rule
    }
    inhibiting = yaml.safe_load((COMPOSE / "alertmanager.yml").read_text())["inhibit_rules"]
    matchers = [matcher for rule in inhibiting for matcher in (*rule["source_matchers"], *rule["target_matchers"])]
    assert matchers
    for matcher in matchers:
        name, _, pattern = matcher.partition("=")
        assert name == "alertname"
        assert set(pattern.strip('~"').split("|")) <= told, matcher


def test_prometheus_keeps_what_the_objective_looks_back_on() -> None:
    (kept,) = (word for word in SERVICES["prometheus"]["command"] if word.startswith("--storage.tsdb.retention.time="))
    rules = (ROOT / "deploy" / "prometheus" / "rules.yml").read_text()
    assert int(kept.partition("=")[2].removesuffix("d")) > max(int(days) for days in re.findall(r"\[(\d+)d\]", rules))


def test_the_proxy_takes_its_configuration() -> None:
    command = [tool("caddy", "caddy"), "validate", "--adapter", "caddyfile", "--config", str(COMPOSE / "Caddyfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_grafana_finds_its_dashboard_and_prometheus_where_they_are() -> None:
    (provider,) = yaml.safe_load((COMPOSE / "grafana" / "dashboards.yaml").read_text())["providers"]
    (dashboard,) = (mount for mount in SERVICES["grafana"]["volumes"] if mount.startswith("../grafana/"))
    assert Path(dashboard.split(":")[1]).parent == Path(provider["options"]["path"])
    (source,) = yaml.safe_load((COMPOSE / "grafana" / "datasource.yaml").read_text())["datasources"]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
