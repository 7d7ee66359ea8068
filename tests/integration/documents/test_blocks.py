"""Every block of configuration in the documents is one that the program takes for which it is meant."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.tools.livekit_server import find
from orchestrator.configuration.problems import ConfigurationError
from orchestrator.settings import load_configuration
from orchestrator.settings.model import Configuration
from tests.integration.documents.fences import DOCUMENTS, Block, blocks, blocks_in

LANGUAGES = {"yaml", "json", "python", "console", "js", "mermaid", "text", ""}
"""`js` is what a page would hold (tests/e2e/browser run such pages); the last two are pictures and plain text."""

LIVEKIT = {"webhook", "keys", "rtc", "redis", "port", "bind_addresses", "room", "turn", "logging"}
ALERTMANAGER = {"route", "receivers", "inhibit_rules", "global"}
PROMETHEUS = {"scrape_configs", "rule_files", "alerting"}

NEEDED = {
    "agents": {name: {} for name in ("mary", "tom", "notetaker")},
    "livekit_url": "wss://livekit.example",
}
"""What a fragment may speak of that stands elsewhere in the file."""


def keys_of(block: Block) -> set[str]:
    found = yaml.safe_load(block.text)
    return set(found) if isinstance(found, dict) else set()


def kind_of(block: Block) -> str:
    """Which program reads it: by its first line, where that names a file; else by its keys."""
    named = re.match(r"# (?:\S*/)?([\w-]+\.ya?ml)\b", block.text)
    if named is not None:
        return named[1]
    keys = keys_of(block)
    content = yaml.safe_load(block.text)
    if "personas" in keys:
        return "personas.yaml"
    if "webhook" in keys or (keys and keys <= LIVEKIT and isinstance(content.get("keys", {}), dict)):
        return "livekit.yaml"
    if keys and keys <= ALERTMANAGER:
        return "alertmanager.yml"
    if keys and keys <= PROMETHEUS:
        return "prometheus.yml"
    return "rollcall.yaml" if keys & set(Configuration.model_fields) else ""


def check_rollcall(block: Block, directory: Path) -> str:
    written = yaml.safe_load(block.text)
    file = directory / "rollcall.yaml"
    # What the fragment says itself stays as it is written: line numbers and all.
    missing = {name: value for name, value in NEEDED.items() if name not in written}
    file.write_text(block.text + "\n" + (yaml.safe_dump(missing) if missing else ""))
    try:
        load_configuration(file)
    except ConfigurationError as error:
        return "; ".join(map(str, error.problems))
    return ""


def ran(program: str | Path | None, *arguments: str | Path, how_to_get_it: str) -> subprocess.CompletedProcess[str]:
    """What a checker says; where CI=true it may not be missing."""
    if not program:
        stop = pytest.fail if os.environ.get("CI") == "true" else pytest.skip  # noqa: TID251 - the runner's word, no setting
        stop(how_to_get_it)
    return subprocess.run(
        [str(program), *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30, check=False,
    )  # fmt: skip


def complaint_of(done: subprocess.CompletedProcess[str]) -> str:
    return "" if done.returncode == 0 else done.stdout


def check_livekit(block: Block, directory: Path) -> str:
    """`ports` reads the file as the server does, refuses keys that there are none of, and starts nothing."""
    file = directory / "livekit.yaml"
    content = yaml.safe_load(block.text)
    content.setdefault("keys", {content.get("webhook", {}).get("api_key", "key"): "s" * 32})
    file.write_text(yaml.safe_dump(content))
    key = content.get("webhook", {}).get("api_key")
    if key is not None and key not in content["keys"]:
        return f"webhook.api_key is {key}, which is none of the keys"
    done = ran(find(), "--config", file, "ports", how_to_get_it="no livekit-server: run `make setup`")
    # Of a file that it cannot read it complains, and ends with 0.
    return "" if "TCP Ports" in done.stdout else done.stdout


def check_alertmanager(block: Block, directory: Path) -> str:
    content: dict[str, Any] = {"receivers": [{"name": "on-call"}], **yaml.safe_load(block.text)}
    content.setdefault("route", {}).setdefault("receiver", content["receivers"][0]["name"])
    file = directory / "alertmanager.yml"
    file.write_text(yaml.safe_dump(content))
    how = "no amtool on PATH (Debian: apt-get install prometheus-alertmanager)"
    return complaint_of(ran(shutil.which("amtool"), "check-config", file, how_to_get_it=how))


def check_prometheus(block: Block, directory: Path) -> str:
    file = directory / "prometheus.yml"
    file.write_text(block.text)
    how = "no promtool on PATH (Debian: apt-get install prometheus)"
    return complaint_of(ran(shutil.which("promtool"), "check", "config", "--syntax-only", file, how_to_get_it=how))


def check_personas(block: Block, directory: Path) -> str:
    """What it means is checked by tests/worker/test_readme.py, in the environment of the worker."""
    return "" if "personas" in keys_of(block) else "it has no personas"


def check_of_deploy(block: Block, directory: Path) -> str:
    """Values of the chart and compose files are checked against their schemas where they live: tests/unit/deploy."""
    return "" if isinstance(yaml.safe_load(block.text), dict) else "it is no mapping"


CHECKS: dict[str, Callable[[Block, Path], str]] = {
    "rollcall.yaml": check_rollcall,
    "livekit.yaml": check_livekit,
    "alertmanager.yml": check_alertmanager,
    "prometheus.yml": check_prometheus,
    "personas.yaml": check_personas,
    "values.yaml": check_of_deploy,
    "compose.yaml": check_of_deploy,
    "compose.override.yaml": check_of_deploy,
}


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_a_configuration_is_taken_by_the_program_that_reads_it(block: Block, tmp_path: Path) -> None:
    kind = kind_of(block)
    assert kind in CHECKS, f"name the file in its first line, as in `# rollcall.yaml`; known are {', '.join(CHECKS)}"
    assert CHECKS[kind](block, tmp_path) == ""


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text.replace("…", ""))


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_is_python(block: Block) -> None:
    ast.parse(block.text)


def test_nothing_is_in_a_language_that_nobody_checks() -> None:
    assert {block.language for path in DOCUMENTS for block in blocks_in(path)} <= LANGUAGES


def written(text: str) -> Block:
    return Block("made.md", 1, "yaml", text, "")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("# rollcall.yaml\nagent:\n  mary: {}\n", "agents"),
        ("routes: [{room: x, agents: [nobody]}]\n", "nobody"),
        ("attempts: 6s\n", "attempts"),
        ("# livekit.yaml\nwebhok: {}\n", "webhok"),
        ("keys: {APIa: 'a-secret-of-at-least-32-characters-is-it'}\nwebhook: {api_key: APIb, urls: []}\n", "APIb"),
        ("# alertmanager.yml\nroute: {group_bye: [x]}\n", "group_bye"),
        ("# prometheus.yml\nscrape_configs: [{job: x}]\n", "job"),
    ],
)
def test_a_block_that_is_wrong_would_be_found(text: str, complaint: str, tmp_path: Path) -> None:
    block = written(text)
    assert complaint in CHECKS[kind_of(block)](block, tmp_path)
