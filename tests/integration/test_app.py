"""The service as a process: what it imports, how it says that it cannot start, how it stops."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientTimeout

from tests.e2e.harness.child import ChildProcess, clean_environment
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.wait import wait_until
from tests.samples.signing import signed

KEY = "key"
SECRET = "a-secret-of-at-least-32-characters"
COMMAND = Path(sys.executable).with_name("rollcall")
ENVIRONMENT = clean_environment(
    LIVEKIT_URL="ws://127.0.0.1:1",
    LIVEKIT_API_KEY=KEY,
    LIVEKIT_API_SECRET=SECRET,
)


def serve(state: Path, *arguments: str) -> list[str]:
    return [str(COMMAND), "serve", "--dev", "--state-dir", str(state), *arguments]


def events(log: str) -> list[str]:
    return [json.loads(line)["event"] for line in log.splitlines() if line.startswith("{")]


def test_the_orchestrator_never_imports_livekit_agents_nor_the_worker() -> None:
    """They weigh hundreds of megabytes, and belong to another image."""
    code = "import sys, orchestrator.serving; print([m for m in sys.modules if m.startswith(('livekit.agents', 'worker'))])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_port_that_is_taken_is_said_in_one_line_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run(
            serve(tmp_path, "--port", str(taken.getsockname()[1])),
            env=ENVIRONMENT, capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
    assert done.returncode == 1
    assert events(done.stderr)[-1] == "not_started"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_cleanly_also_while_livekit_is_away(number: signal.Signals, tmp_path: Path) -> None:
    process = ChildProcess(serve(tmp_path, "--port", "0"), log=tmp_path / "log", environment=ENVIRONMENT)
    process.start()
    try:
        await wait_until(lambda: "ready" in events(process.logged()), timeout=20, description="it is ready")
        process.signal(number)
        assert await process.ended(timeout=10) == 0
    finally:
        await process.clear_away()
    assert events(process.logged())[-1] == "stopped"


async def test_connections_on_which_nothing_comes_keep_nobody_out_where_few_files_may_be_open(tmp_path: Path) -> None:
    """As systemd and shells have it: 1,024, of which each connection takes one for as long as it pleases."""
    port = free_port()
    command = ["sh", "-c", 'ulimit -Sn 128; exec "$0" "$@"', *serve(tmp_path, "--port", str(port))]
    process = ChildProcess(command, log=tmp_path / "log", environment=ENVIRONMENT)
    process.start()
    try:
        await wait_until(lambda: "ready" in events(process.logged()), timeout=20, description="it is ready")
        with ExitStack() as idle:
            for _ in range(200):
                idle.enter_context(socket.create_connection(("127.0.0.1", port)))
            async with (
                ClientSession(timeout=ClientTimeout(total=5)) as http,
                http.get(f"http://127.0.0.1:{port}/livez") as answer,
            ):
                assert answer.status == 200
    finally:
        await process.clear_away()


async def test_while_it_drains_it_says_that_it_is_not_ready_and_stores_what_still_comes(tmp_path: Path) -> None:
    port = free_port()
    environment = {**ENVIRONMENT, "ROLLCALL_DRAIN": "2s"}
    process = ChildProcess(serve(tmp_path, "--port", str(port)), log=tmp_path / "log", environment=environment)
    process.start()
    url = f"http://127.0.0.1:{port}"
    body = json.dumps({"event": "room_started", "id": "EV_x", "room": {"sid": "RM_x", "name": "x"}}).encode()
    try:
        async with ClientSession() as http:
            await wait_until(lambda: "ready" in events(process.logged()), timeout=20, description="it is ready")
            process.signal(signal.SIGTERM)

            async def refuses() -> bool:
                async with http.get(f"{url}/readyz") as answer:
                    return answer.status == 503

            await wait_until(refuses, timeout=2, description="readyz says 503")
            headers = {"Authorization": signed(body, time.time(), KEY, SECRET), "Content-Type": "application/webhook+json"}
            async with http.post(f"{url}/webhooks/livekit", data=body, headers=headers) as answer:
                assert answer.status == 200
            assert await process.ended(timeout=10) == 0
    finally:
        await process.clear_away()
