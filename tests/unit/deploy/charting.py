"""The chart, rendered by Helm as often as tests ask, and each time only once."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy" / "helm" / "rollcall"
VALUES = sorted((CHART / "ci").glob("*.yaml"))
EXISTING, EVERYTHING, EMBEDDED = (CHART / "ci" / f"{name}-values.yaml" for name in ("existing", "everything", "embedded"))

Manifest = dict[str, Any]


def run(helm: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([helm, *arguments], capture_output=True, text=True, timeout=60, check=False)


@functools.cache
def rendered(helm: Path, chart: Path, values: Path, settings: tuple[str, ...], kubernetes: str, release: str) -> str:
    sets = [word for setting in settings for word in ("--set", setting)]
    done = run(helm, "template", release, chart, "-f", values, "--kube-version", f"{kubernetes}.0", *sets)
    assert done.returncode == 0, done.stderr
    return done.stdout


def template(
    helm: Path, values: Path, *settings: str, kubernetes: str = "1.33", release: str = "rollcall", chart: Path = CHART
) -> list[Manifest]:
    text = rendered(helm, chart, values, settings, kubernetes, release)
    return [manifest for manifest in yaml.load_all(text, yaml.CSafeLoader) if manifest]


def refused(helm: Path, values: Path, *settings: str) -> str:
    sets = [word for setting in settings for word in ("--set", setting)]
    done = run(helm, "template", "rollcall", CHART, "-f", values, "--kube-version", "1.33.0", *sets)
    assert done.returncode != 0, "it was not refused"
    return done.stderr


def one(manifests: list[Manifest], kind: str, name: str = "rollcall") -> Manifest:
    (found,) = (m for m in manifests if m["kind"] == kind and m["metadata"]["name"] == name)
    return found


def pod(deployment: Manifest) -> Manifest:
    spec: Manifest = deployment["spec"]["template"]["spec"]
    return spec
