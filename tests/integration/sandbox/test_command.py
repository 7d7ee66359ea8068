"""`rollcall sandbox`: what it prints, and how it ends."""

import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from livekit import api
from typer.testing import CliRunner

from orchestrator.cli import ExitCode, app
from tests.e2e.harness.child import ChildProcess
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until

SECRET = "secretsecretsecretsecretsecretsecret"


def run(*options: str) -> list[str]:
    """The lines of a short run without workers, for which it would wait."""
    result = CliRunner().invoke(app, ["sandbox", "--port", "0", "--workers", "0", *options])
    assert result.exit_code == ExitCode.OK, result.output
    return result.stdout.splitlines()


def test_it_opens_rooms_and_says_in_the_end_how_they_fared() -> None:
    lines = run("--rooms", "5", "--rate", "100/s", "--duration", "1.2s", "--webhook", f"http://{LOOPBACK}:9/")
    assert lines[0].startswith("A sandbox plays LiveKit at http://127.0.0.1:")
    assert f"LIVEKIT_API_KEY=devkey LIVEKIT_API_SECRET={SECRET} rollcall serve --dev" in lines[1]
    assert lines[-2] == "In all:"
    figures = "  rooms 5, with agent 0, doubled 0  dispatches 0, lost 0  webhooks 0, lost 0  agents killed 0"
    assert lines[-1].endswith(" s" + figures)


def test_programs_get_a_json_object_a_line_and_nothing_else() -> None:
    lines = run("--rooms", "5", "--rate", "100/s", "--people", "--duration", "1.5s", "--block-webhooks", "--json")
    each_second, *_, end = [json.loads(line) for line in lines]
    assert end.pop("final") is True
    assert end.keys() == each_second.keys()
    assert (end["rooms"], end["rooms_with_agent"], end["webhooks"], end["webhooks_lost"]) == (5, 0, 0, 10)


@pytest.mark.parametrize(
    "options",
    [
        ("--drop-dispatch", "1.5"),
        ("--lose-webhooks", "-0.1"),
        ("--rate", "0"),
        ("--duration", "soon"),
        ("--port", "70000"),
    ],
)
def test_an_option_that_cannot_be_meant_is_a_usage_error_that_names_it(options: tuple[str, str]) -> None:
    result = CliRunner().invoke(app, ["sandbox", *options])
    assert result.exit_code == ExitCode.USAGE
    assert options[0] in result.stderr


def test_a_taken_port_is_said_in_one_sentence() -> None:
    port = free_port()
    with socket.create_server((LOOPBACK, port)):
        result = CliRunner().invoke(app, ["sandbox", "--port", str(port)])
    assert result.exit_code == ExitCode.FAILED
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1


@asynccontextmanager
async def started(log: Path, *options: str) -> AsyncIterator[ChildProcess]:
    process = ChildProcess([Path(sys.executable).with_name("rollcall"), "sandbox", *options], log=log)
    process.start()
    try:
        yield process
    finally:
        await process.clear_away()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_answers_livekits_own_client_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    async with (
        started(tmp_path / "sandbox.log", "--port", str(port)) as process,
        api.LiveKitAPI(f"ws://{LOOPBACK}:{port}", "devkey", SECRET, failover=False) as livekit,
    ):
        await wait_until(lambda: "A sandbox plays" in process.logged(), description="the sandbox is there")
        await livekit.room.create_room(api.CreateRoomRequest(name="r"))
        process.signal(number)
        assert await process.ended(timeout=5.0) == 0
        assert "In all:\n" in process.logged()


async def test_agents_join_and_are_killed(tmp_path: Path) -> None:
    port = free_port()
    options = ("--port", str(port), "--agent", "mary", "--agent", "tom", "--kill-agents-every", "300ms", "--json")

    async with (
        started(tmp_path / "sandbox.log", *options, "--block-webhooks") as process,
        api.LiveKitAPI(f"ws://{LOOPBACK}:{port}", "devkey", SECRET, failover=False) as livekit,
    ):

        def last() -> dict[str, Any]:
            lines = process.logged().splitlines()
            figures: dict[str, Any] = json.loads(lines[-1]) if lines and lines[-1].endswith("}") else {}
            return figures

        async def dispatch() -> bool:
            """Until the workers have registered dispatches are lost."""
            if last():
                for name in ("mary", "tom"):
                    request = api.CreateAgentDispatchRequest(room="r", agent_name=name)
                    await livekit.agent_dispatch.create_dispatch(request)
            return bool(last()) and last()["agents_killed"] > 1

        await wait_until(dispatch, timeout=20.0, every=0.5, description="agents were killed")
        assert last()["dispatches_lost"] < last()["dispatches"]
