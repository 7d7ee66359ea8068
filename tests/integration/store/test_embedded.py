"""EmbeddedValkey: a store that comes and goes with the process, and keeps what it was told."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path
from urllib.parse import unquote

import pytest

from orchestrator.store.embedded import EmbeddedStoreError, EmbeddedValkey, embedded_valkey
from orchestrator.store.keys import Keys
from orchestrator.store.sessions import Retention, Sessions
from tests.e2e.harness.child import ChildProcess
from tests.e2e.harness.wait import wait_until
from tests.integration.conftest import connected
from tests.integration.store.stories import SID, STARTED, opening, tell

LEAVE_BEHIND = """
import signal, sys
from pathlib import Path
from orchestrator.store.embedded import EmbeddedValkey
valkey = EmbeddedValkey(Path(sys.argv[1]))
valkey.start()
print("started", flush=True)
signal.pause()
"""


def socket_of(url: str) -> str:
    return unquote(url.removeprefix("unix://"))


def answers(url: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(socket_of(url)) == 0


def ended(pid: int) -> bool:
    """Whether a process is gone, or only waits for a parent that asks how it ended."""
    status = Path(f"/proc/{pid}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


async def server_pid(url: str) -> int:
    async with connected(url) as connection:
        return int((await connection.client.info("server"))["process_id"])


async def test_it_is_ready_within_two_seconds_and_gone_afterwards(tmp_path: Path) -> None:
    begun = time.monotonic()
    async with embedded_valkey(tmp_path) as url:
        assert time.monotonic() - begun < 2.0
        async with connected(url) as connection:
            assert await connection.call("CONFIG", "GET", "appendonly") == [b"appendonly", b"yes"]
            assert await connection.call("CONFIG", "GET", "appendfsync") == [b"appendfsync", b"everysec"]
            assert await connection.call("CONFIG", "GET", "port") == [b"port", b"0"]
        pid = await server_pid(url)
    assert not answers(url)
    assert ended(pid)


async def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url, connected(url) as connection:
        await tell(Sessions(connection, Keys(), Retention()), STARTED)
    async with embedded_valkey(tmp_path) as url, connected(url) as connection:
        assert [d.fact for d in await Sessions(connection, Keys(), Retention()).inbox(SID)] == [opening(), STARTED]


async def test_it_survives_the_ctrl_c_that_ends_us(tmp_path: Path) -> None:
    """The terminal sends SIGINT to every process; we still have to store what is under way."""
    async with embedded_valkey(tmp_path) as url:
        os.kill(await server_pid(url), signal.SIGINT)
        async with connected(url) as connection:
            assert await connection.call("ECHO", "x") == b"x"
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


async def test_a_store_left_by_a_parent_that_was_killed_is_replaced_and_its_data_kept(tmp_path: Path) -> None:
    parent = ChildProcess([sys.executable, "-c", LEAVE_BEHIND, tmp_path], log=tmp_path / "parent.log")
    parent.start()
    try:
        await wait_until(lambda: "started" in parent.logged(), description="the store of the first parent runs")
        url = EmbeddedValkey(tmp_path).url
        leftover = await server_pid(url)
        async with connected(url) as connection:
            await connection.call("SET", "kept", "yes", "EX", 60)
        await parent.kill()
        assert answers(url)
        async with embedded_valkey(tmp_path) as again, connected(again) as connection:
            assert again == url
            assert await server_pid(again) != leftover
            assert await connection.call("GET", "kept") == b"yes"
        await wait_until(lambda: ended(leftover), description="the one that was left behind has ended")
    finally:
        await parent.clear_away()


async def test_two_processes_cannot_keep_their_sessions_in_one_directory(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url:
        with pytest.raises(EmbeddedStoreError, match="--state-dir"):
            await asyncio.to_thread(EmbeddedValkey(tmp_path).start)
        assert answers(url)


async def test_a_directory_too_deep_for_a_socket_gets_one_elsewhere(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    async with embedded_valkey(deep) as url:
        assert len(os.fsencode(socket_of(url))) <= 107
        assert answers(url)
        assert (Path(socket_of(url)).parent.stat().st_mode & 0o777) == 0o700
        assert (deep / "valkey" / "appendonlydir").is_dir()
    Path(socket_of(url)).parent.rmdir()


async def test_a_start_that_is_cancelled_leaves_no_process_behind(tmp_path: Path) -> None:
    async def enter() -> None:
        async with embedded_valkey(tmp_path):
            raise AssertionError("it was cancelled before")

    entering = asyncio.get_running_loop().create_task(enter())
    await wait_until((tmp_path / "valkey" / "lock").exists, description="it starts", every=0.001)
    entering.cancel()
    with pytest.raises(asyncio.CancelledError):
        await entering
    assert not answers(EmbeddedValkey(tmp_path).url)


async def test_a_store_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedStoreError, match="space"):
        await asyncio.to_thread(EmbeddedValkey(tmp_path / "with space").start)
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey" / "appendonlydir").write_text("in the way")
    with pytest.raises(EmbeddedStoreError, match="did not start"):
        await asyncio.to_thread(EmbeddedValkey(tmp_path).start)
    (tmp_path / "valkey" / "appendonlydir").unlink()
    async with embedded_valkey(tmp_path) as url:
        assert answers(url)


def test_a_store_that_was_never_started_can_be_stopped(tmp_path: Path) -> None:
    EmbeddedValkey(tmp_path).stop()
    assert not list(tmp_path.iterdir())
