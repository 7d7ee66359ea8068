"""The command, as far as it gets without any server."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestrator.cli import ExitCode, app
from tests.e2e.harness.ports import LOOPBACK, free_port

SECRET = "hunter2-and-more-than-enough-characters"


def burst(*options: str, **environment: str | None) -> Result:
    env: dict[str, str | None] = {
        "LIVEKIT_URL": f"ws://{LOOPBACK}:{free_port()}",
        "LIVEKIT_API_KEY": "APIkey",
        "LIVEKIT_API_SECRET": SECRET,
        "LIVEKIT_API_SECRET_FILE": None,
        "ROLLCALL_URL": f"http://{LOOPBACK}:{free_port()}",
        "ROLLCALL_API_TOKEN": None,
        "ROLLCALL_API_TOKEN_FILE": None,
        **environment,
    }
    return CliRunner().invoke(app, ["burst", "--agent", "mary", *options], env=env)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"LIVEKIT_URL": None}, "LIVEKIT_URL must be set."),
        ({"LIVEKIT_API_KEY": "", "LIVEKIT_API_SECRET": ""}, "LIVEKIT_API_KEY and LIVEKIT_API_SECRET must be set."),
        ({"ROLLCALL_URL": None}, "Nobody said where the service runs. Set ROLLCALL_URL"),
        ({"LIVEKIT_URL": "127.0.0.1:7880"}, "LIVEKIT_URL: it is no URL of this kind."),
        ({"LIVEKIT_API_SECRET": "short"}, "LIVEKIT_API_SECRET: the secret has 5 characters"),
    ],
)
def test_what_the_environment_lacks_is_named(environment: dict[str, str | None], said: str) -> None:
    result = burst(**environment)

    assert result.exit_code == ExitCode.USAGE
    assert said in result.stderr


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("wss://project.livekit.cloud", "on project.livekit.cloud, which is LiveKit Cloud"),
        ("ws://livekit.example", "on livekit.example."),
        ("ws://192.0.2.7:7880", "on 192.0.2.7."),
    ],
)
def test_where_others_bear_the_load_nothing_happens_without_a_yes(url: str, said: str) -> None:
    result = burst("--compare", "--rooms", "30", LIVEKIT_URL=url)

    assert result.exit_code == ExitCode.USAGE
    assert "Make 60 rooms, each with an agent," in result.stderr
    assert said in result.stderr
    assert "Say --yes." in result.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--rooms", "5000"], "5000 rooms are more than a burst may have"),
        (["--rooms", "0"], "--rooms"),
        (["--rate", "0"], "it must be more than 0"),
        (["--rate", "fast"], "is no rate"),
        (["--timeout", "0s"], "waits for no time"),
        (["--slo", "p77=5s"], '"p77" is none of'),
        (["--plain", "--compare"], "leave one of them out"),
        (["--plot", "burst.png"], "burst.png is neither .svg nor .html"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_made(options: list[str], said: str) -> None:
    result = burst(*options)

    assert result.exit_code == ExitCode.USAGE
    assert said in result.stderr


def test_a_picture_needs_a_directory(tmp_path: Path) -> None:
    assert "There is no directory" in burst("--plot", str(tmp_path / "nowhere" / "burst.svg")).stderr


def test_people_need_livekit_s_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "orchestrator.burst.people", None)
    result = burst("--plain", "--people")

    assert result.exit_code == ExitCode.USAGE
    assert "--people needs LiveKit's client, which is not installed. Install Rollcall with its extra" in result.stderr


def test_a_livekit_that_does_not_answer_is_unhealthy_and_the_secret_is_not_shown() -> None:
    result = burst("--plain")

    assert result.exit_code == ExitCode.UNHEALTHY
    assert "LiveKit did not do what a burst needs: ListRooms: no answer" in result.stderr
    assert SECRET not in result.output
