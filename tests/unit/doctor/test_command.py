"""The command, as far as it gets without any server."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestrator.cli import ExitCode, app
from orchestrator.settings import Configuration
from tests.e2e.harness.ports import LOOPBACK, free_port

SECRET = "hunter2-and-more-than-enough-characters"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, and a LiveKit in the environment that nobody runs."""
    monkeypatch.chdir(tmp_path)
    for name in Configuration.model_fields:
        for variable in (name.upper(), f"{name.upper()}_FILE", f"ROLLCALL_{name.upper()}", f"ROLLCALL_{name.upper()}_FILE"):
            monkeypatch.delenv(variable, raising=False)
    for name in ("ROLLCALL_CONFIG", "ROLLCALL_URL", "ROLLCALL_API_TOKEN", "ROLLCALL_API_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LIVEKIT_URL", f"ws://{LOOPBACK}:{free_port()}")
    monkeypatch.setenv("LIVEKIT_API_KEY", "APIkey")
    monkeypatch.setenv("LIVEKIT_API_SECRET", SECRET)
    monkeypatch.setenv("ROLLCALL_PORT", str(free_port()))
    return tmp_path


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *arguments])


def statuses(result: Result) -> dict[str, str]:
    return {finding["check"]: finding["status"] for finding in json.loads(result.stdout)["findings"]}


def test_what_does_not_need_what_failed_is_examined_and_the_rest_is_skipped() -> None:
    result = doctor("--json")

    assert result.exit_code == ExitCode.UNHEALTHY
    assert statuses(result) | {"configuration": "ok"} == {
        "configuration": "ok",
        "livekit": "failed",
        "key pair": "skipped",
        "rights": "skipped",
        "redis": "ok",
        "service": "skipped",
        "webhooks": "skipped",
        "agents": "skipped",
    }


def test_people_get_a_line_each_and_a_verdict_without_colours_where_there_is_no_terminal() -> None:
    lines = doctor().stdout.splitlines()

    assert lines[-1].startswith("Not well: 1 failed")
    assert any(line.startswith("failed   livekit") for line in lines)
    assert "\x1b" not in "".join(lines)
    assert len([line for line in lines if line.startswith("skipped  key pair")]) == 1


def test_a_configuration_is_refused_in_the_words_of_config_check_and_the_rest_is_still_examined(nowhere: Path) -> None:
    (nowhere / "rollcall.yaml").write_text("agents: {mary: {}}\nroutes:\n  - agents: [marry]\n")

    result = doctor("--json")

    (found,) = (f for f in json.loads(result.stdout)["findings"] if f["check"] == "configuration" and f["status"] == "failed")
    assert (found["message"], found["fix"]) == (
        'rollcall.yaml:3: routes[0].agents[0]: There is no agent "marry".',
        'Did you mean "mary"?',
    )
    assert statuses(result)["livekit"] == "failed"
    assert statuses(result)["canary"] == statuses(result)["agents"] == "skipped"


def test_a_configuration_that_cannot_be_read_leaves_nothing_to_examine(nowhere: Path) -> None:
    (nowhere / "rollcall.yaml").write_text("deadline: soon\n")

    result = doctor("--json")

    assert result.exit_code == ExitCode.UNHEALTHY
    assert {check: status for check, status in statuses(result).items() if status != "skipped"} == {"configuration": "failed"}


def test_a_token_file_that_is_not_there_is_a_mistake_of_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_API_TOKEN_FILE", "/nope")

    result = doctor("--json")

    assert statuses(result)["configuration"] == "failed"
    assert "ROLLCALL_API_TOKEN_FILE" in result.stdout


def test_a_service_that_somebody_says_is_there_and_is_not_has_failed() -> None:
    assert statuses(doctor("--json", "--url", f"http://{LOOPBACK}:{free_port()}"))["service"] == "failed"


def test_the_secret_is_never_shown() -> None:
    assert SECRET not in doctor().output + doctor("--json").output


def test_what_cannot_be_meant_is_a_usage_error() -> None:
    assert doctor("--timeout", "soon").exit_code == ExitCode.USAGE
    assert doctor("--timeout", "0").exit_code == ExitCode.USAGE
