"""The Helm chart: what it makes is what Kubernetes takes, and it refuses what would lose sessions."""

from __future__ import annotations

import functools
import json
import re
import shutil
import tomllib
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from typer.testing import CliRunner

from orchestrator.cli import app
from tests.unit.deploy.charting import CHART, EMBEDDED, EVERYTHING, EXISTING, ROOT, VALUES, one, pod, refused, run, template

KUBERNETES = ("1.27", "1.33")


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_lint_finds_nothing(helm: Path, values: Path) -> None:
    done = run(helm, "lint", "--strict", "--kube-version", "1.33.0", "-f", values, CHART)
    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_kubernetes_takes_every_manifest(helm: Path, values: Path, kubernetes: str) -> None:
    manifests = template(helm, values, kubernetes=kubernetes)
    checked = [manifest for manifest in manifests if not manifest["apiVersion"].startswith("monitoring.coreos.com/")]
    assert len(checked) >= 5
    for manifest in checked:
        kubernetes_validate.validate(manifest, kubernetes, strict=True)


def test_a_manifest_that_kubernetes_does_not_know_would_be_found(helm: Path) -> None:
    deployment = one(template(helm, EXISTING), "Deployment")
    pod(deployment)["containers"][0]["imagePullPolicies"] = "Never"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, "1.33", strict=True)


def test_by_default_there_are_two_replicas_that_are_kept_apart_and_never_stopped_together(helm: Path) -> None:
    manifests = template(helm, EXISTING)
    deployment = one(manifests, "Deployment")
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert one(manifests, "PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    spread = {constraint["topologyKey"] for constraint in pod(deployment)["topologySpreadConstraints"]}
    assert spread == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    selected = deployment["spec"]["selector"]["matchLabels"].items()
    for kind, where in (("Service", "selector"), ("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")):
        selector = one(manifests, kind)["spec"][where]
        assert selector.get("matchLabels", selector).items() == selected
    assert selected <= deployment["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_every_pod_runs_as_nobody_in_particular_and_may_do_nothing_in_particular(helm: Path, values: Path) -> None:
    manifests = template(helm, values)
    pods = [pod(m) for m in manifests if m["kind"] == "Deployment"] + [m["spec"] for m in manifests if m["kind"] == "Pod"]
    for spec in pods:
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] >= 10_000
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"]


def test_it_is_asked_whether_it_lives_and_whether_it_is_ready_at_the_routes_that_mean_it(helm: Path) -> None:
    (container,) = pod(one(template(helm, EXISTING), "Deployment"))["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == container["startupProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_secrets_are_in_files_and_in_no_environment(helm: Path) -> None:
    manifests = template(helm, EVERYTHING)
    spec = pod(one(manifests, "Deployment"))
    (container,) = spec["containers"]
    variables = {entry["name"]: entry["value"] for entry in container["env"]}
    keys = one(manifests, "Secret", "rollcall-keys")["stringData"]
    assert not set(keys) & set(variables)
    for name in keys:
        assert variables[f"{name}_FILE"] == f"/etc/rollcall/keys/{name}"
    assert not any(secret in json.dumps(spec) for secret in keys.values())


@pytest.mark.parametrize("values", VALUES, ids=lambda path: path.stem)
def test_the_service_can_read_the_configuration_and_the_environment_that_it_is_given(
    helm: Path, values: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifests = template(helm, values)
    (holder,) = (m for m in manifests if m["metadata"]["name"] == "rollcall-config")
    assert holder["kind"] == ("Secret" if values == EVERYTHING else "ConfigMap")
    file = tmp_path / "rollcall.yaml"
    file.write_text({**holder.get("data", {}), **holder.get("stringData", {})}["rollcall.yaml"])
    keys = {
        "LIVEKIT_API_KEY": "APImain",
        "LIVEKIT_API_SECRET": "an-example-of-a-secret-that-is-long-enough",
        "ROLLCALL_API_TOKENS": "read:an-example-of-a-token-to-read",
        "REDIS_URL": "redis://valkey:6379/0",
    }
    (container,) = pod(one(manifests, "Deployment"))["containers"]
    for entry in container["env"]:
        if entry["name"].endswith("_FILE"):
            name = entry["name"].removesuffix("_FILE")
            (tmp_path / name).write_text(keys[name])
            monkeypatch.setenv(entry["name"], str(tmp_path / name))
        elif entry["name"] != "ROLLCALL_CONFIG":
            monkeypatch.setenv(entry["name"], entry["value"])
    checked = CliRunner().invoke(app, ["config", "check", str(file)])
    assert checked.exit_code == 0, checked.output


def test_a_change_of_the_configuration_is_a_rollout(helm: Path) -> None:
    before, after = (
        one(template(helm, EXISTING, *settings), "Deployment")["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
        for settings in ((), ("config.agents.mary.metadata.persona=tom",))
    )
    assert before != after


@pytest.mark.parametrize(
    ("values", "settings", "says"),
    [
        (EMBEDDED, ("replicaCount=2",), "replicaCount"),
        (EMBEDDED, ("autoscaling.enabled=true",), "autoscaling"),
        (EMBEDDED, ("embeddedStore.enabled=false",), "there is no store"),
        (EMBEDDED, ("storeKeysInSecret.keys.REDIS_URL=redis://valkey",), "which of them you mean"),
        (EMBEDDED, ("storeKeysInSecret.keys.ROLLCALL_API_TOKENS=",), "ROLLCALL_API_TOKENS is empty"),
        (EMBEDDED, ("storeKeysInSecret.keys.LIVEKIT_API_SECRET=short",), "LIVEKIT_API_SECRET"),
        (EXISTING, ("livekit.url=",), "(wss?|https?)"),
        (EXISTING, ("drainSeconds=31",), "terminationGracePeriodSeconds (45) must be at least 15 longer"),
        (EXISTING, ("replicas=3",), "replicas"),
        (EXISTING, ("storeConfigInSecret.existingSecret=mine",), "which of them you mean"),
        (EXISTING, ("autoscaling.enabled=true", "autoscaling.minReplicas=9"), "minReplicas"),
        (EXISTING, ("config.keys[0].key=APIold", "config.keys[0].secret=mine"), "would stand in a ConfigMap"),
        (EXISTING, ("config.alerts[0].apprise.url=slack://a/b/c",), "would stand in a ConfigMap"),
        (EXISTING, ("worker.create=true",), "agentName is empty"),
        (EXISTING, ("worker.terminationGracePeriodSeconds=60",), "terminationGracePeriodSeconds"),
    ],
)
def test_what_would_lose_sessions_or_mean_nothing_is_refused(
    helm: Path, values: Path, settings: tuple[str, ...], says: str
) -> None:
    assert says in refused(helm, values, *settings)


def test_the_grace_period_is_longer_than_the_drain_that_the_service_is_told(helm: Path) -> None:
    spec = pod(one(template(helm, EXISTING), "Deployment"))
    (drain,) = (entry["value"] for entry in spec["containers"][0]["env"] if entry["name"] == "ROLLCALL_DRAIN")
    assert int(drain.removesuffix("s")) + 15 <= spec["terminationGracePeriodSeconds"]


def test_the_embedded_store_keeps_its_data_and_is_never_opened_twice(helm: Path) -> None:
    manifests = template(helm, EMBEDDED)
    deployment = one(manifests, "Deployment")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    (state,) = (volume for volume in pod(deployment)["volumes"] if volume["name"] == "state")
    claim = one(manifests, "PersistentVolumeClaim", state["persistentVolumeClaim"]["claimName"])
    assert claim["spec"]["storageClassName"] == "fast"


def test_the_worker_has_the_time_to_finish_its_calls_and_knows_the_service_by_its_name(helm: Path) -> None:
    manifests = template(helm, EVERYTHING)
    deployment = one(manifests, "Deployment", "rollcall-worker")
    spec = pod(deployment)
    assert spec["terminationGracePeriodSeconds"] > 3_600
    variables = {entry["name"]: entry.get("value") for entry in spec["containers"][0]["env"]}
    service = one(manifests, "Service")
    assert variables["ROLLCALL_URL"] == f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}"
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    assert not service["spec"]["selector"].items() <= labels


def test_workers_are_kept_apart_and_never_stopped_together(helm: Path) -> None:
    manifests = template(helm, EVERYTHING)
    deployment = one(manifests, "Deployment", "rollcall-worker")
    budget = one(manifests, "PodDisruptionBudget", "rollcall-worker")["spec"]
    selected = deployment["spec"]["selector"]
    assert (budget["maxUnavailable"], budget["selector"]) == (1, selected)
    spread = {item["topologyKey"]: item["labelSelector"] for item in pod(deployment)["topologySpreadConstraints"]}
    assert spread == {"kubernetes.io/hostname": selected, "topology.kubernetes.io/zone": selected}


def test_workers_are_rolled_out_for_their_key_pair_and_for_nothing_that_they_are_not_given(helm: Path) -> None:
    keys = "storeKeysInSecret.keys"
    before, tokens, secret = (
        one(template(helm, EVERYTHING, *settings), "Deployment", "rollcall-worker")["spec"]["template"]
        for settings in (
            (),
            (f"{keys}.ROLLCALL_API_TOKENS=operate:another-token-to-operate",),
            (f"{keys}.LIVEKIT_API_SECRET=another-example-of-a-secret-that-is-long",),
        )
    )
    assert before == tokens != secret


def test_whoever_limits_who_may_reach_the_service_does_not_lock_out_its_own_workers_and_its_test(helm: Path) -> None:
    manifests = template(helm, EVERYTHING)
    (rule,) = one(manifests, "NetworkPolicy")["spec"]["ingress"]
    own = [peer["podSelector"]["matchLabels"].items() for peer in rule["from"] if "podSelector" in peer]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "livekit"}}} in rule["from"]
    worker = one(manifests, "Deployment", "rollcall-worker")["spec"]["template"]
    for asking in (worker, one(manifests, "Pod", "rollcall-ready")):
        assert any(selected <= asking["metadata"]["labels"].items() for selected in own)
    (open_to_all,) = one(template(helm, EXISTING), "NetworkPolicy")["spec"]["ingress"]
    assert "from" not in open_to_all


def test_helm_test_asks_the_service_whether_it_is_ready(helm: Path) -> None:
    manifests = template(helm, EXISTING)
    test = one(manifests, "Pod", "rollcall-ready")
    assert test["metadata"]["annotations"]["helm.sh/hook"] == "test"
    (container,) = test["spec"]["containers"]
    assert container["args"][-1] == f"http://{one(manifests, 'Service')['metadata']['name']}:8080/readyz"
    selector = one(manifests, "Service")["spec"]["selector"].items()
    assert not selector <= test["metadata"]["labels"].items()


def test_the_notes_say_where_webhooks_go(helm: Path, tmp_path: Path) -> None:
    """Helm shows them only of an installation; as a part of a manifest they are rendered without a cluster."""
    chart = tmp_path / "rollcall"
    shutil.copytree(CHART, chart)
    lines = (chart / "templates" / "NOTES.txt").read_text().splitlines()
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: notes}\ndata:\n  notes: |\n"
    (chart / "templates" / "notes.yaml").write_text(head + "\n".join(f"    {line}" for line in lines))
    notes = one(template(helm, EVERYTHING, chart=chart), "ConfigMap", "notes")["data"]["notes"]
    assert "https://rollcall.example/webhooks/livekit" in notes
    assert "http://rollcall.default.svc:8080/webhooks/livekit" in notes


def test_the_values_that_the_documentation_shows_are_taken(helm: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "kubernetes.md").read_text()
    (shown,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    values = tmp_path / "values.yaml"
    values.write_text(shown)
    manifests = template(helm, values)
    assert one(manifests, "Ingress")["spec"]["rules"][0]["host"] == "rollcall.example"
    named = set(re.findall(r"`((?:[a-z]\w+)(?:\.\w+)+)`", page)) - {
        "values.yaml",
        "rollcall.yaml",
        "values.schema.json",
        "livekit.yaml",
    }
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())
    assert named
    for name in named:
        functools.reduce(lambda value, key: value[key], name.split("."), defaults)


def test_the_schema_is_one_and_the_default_values_lack_only_what_nobody_can_know() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    lacking = [list(error.absolute_path) for error in jsonschema.Draft7Validator(schema).iter_errors(values)]
    assert lacking == [["livekit", "url"]]
    assert set(schema["properties"]) - {"global"} == set(values)
    assert values.keys() >= {
        "replicaCount",
        "image",
        "serviceAccount",
        "podAnnotations",
        "securityContext",
        "resources",
        "autoscaling",
    }
    assert values.keys() >= {"terminationGracePeriodSeconds", "serviceMonitor", "storeKeysInSecret"}


def test_the_chart_s_version_is_the_project_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == chart["version"] == project["version"]
