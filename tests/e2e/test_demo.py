"""The demo, as a newcomer runs it: what it tells, how it ends, and that nothing of it is left."""

import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from deploy.tools.livekit_server import VARIABLE, find
from tests.e2e.harness.child import ChildProcess, clean_environment
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

STORY = (
    r"livekit-server +ws://127\.0\.0\.1:\d+",
    r"rollcall +http://127\.0\.0\.1:\d+, with an embedded Valkey",
    r"worker +registered as mary",
    r"ann joins the room demo-\w+\.",
    r"\+0\.0\d\d s  room started",
    r"s  dispatched +mary, attempt 1, AD_\w+",
    r"s  joined +mary, agent-AJ_\w+",
    r"s  verified +in \d+ ms",
    r"mary joined [\d.]+ s after the room started, on attempt 1\.",
    r"curl http://127\.0\.0\.1:\d+/sessions/demo-\w+",
)
"""In this order."""

PLAYED = (
    r"There is no livekit-server: install one",
    r"Rollcall's own sandbox plays LiveKit and the worker",
    r"sandbox +ws://127\.0\.0\.1:\d+, in place of a livekit-server",
    r"rollcall +http://127\.0\.0\.1:\d+, with an embedded Valkey",
    r"worker +registered as mary, played by the sandbox",
    r"The room demo-\w+ opens\.",
    *STORY[4:],
)


class Demo:
    """One run, with a place of its own for temporary files, by which its processes can be told from all others."""

    def __init__(self, temporary: Path, log: Path, *options: str, server: Path | None = None) -> None:
        """Without `server` it finds none anywhere."""
        self.port = free_port()
        self._temporary = temporary
        self.process = ChildProcess(
            [sys.executable, "-m", "deploy.demo", "--port", str(self.port), *options],
            log=log,
            environment=clean_environment(**_where(server), TMPDIR=str(temporary)),
        )

    def left(self) -> list[str]:
        """The files and the processes of this run that are there now."""
        return [*map(str, self._temporary.iterdir()), *self._processes()]

    def _processes(self) -> Iterator[str]:
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended meanwhile, or is somebody else's
                if self._is_ours(process):
                    yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()

    def _is_ours(self, process: Path) -> bool:
        # Valkey writes its title over its environment, and works in its data directory.
        mark = os.fsencode(f"TMPDIR={self._temporary}")
        return mark in (process / "environ").read_bytes() or str(process.joinpath("cwd").readlink()).startswith(
            str(self._temporary)
        )


def _where(server: Path | None) -> dict[str, str]:
    return {VARIABLE: str(server)} if server else {"PATH": "/nowhere", "XDG_CACHE_HOME": "/nowhere"}


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A short path: the embedded store's socket lies below it."""
    with tempfile.TemporaryDirectory(prefix="d-") as directory:
        yield Path(directory)


async def test_it_tells_a_session_from_the_room_to_the_verified_agent(temporary: Path, tmp_path: Path) -> None:
    demo = Demo(temporary, tmp_path / "demo.log", "--once", server=find())
    demo.process.start()
    try:
        assert await demo.process.ended(timeout=150) == 0
        story = re.compile(".*".join(STORY), re.DOTALL)
        assert story.search(demo.process.logged())
        assert demo.left() == []
    finally:
        await demo.process.clear_away()


async def test_without_a_livekit_server_the_sandbox_plays_it_and_the_demo_says_so(temporary: Path, tmp_path: Path) -> None:
    demo = Demo(temporary, tmp_path / "demo.log", "--once")
    demo.process.start()
    try:
        assert await demo.process.ended(timeout=60) == 0
        story = re.compile(".*".join(PLAYED), re.DOTALL)
        assert story.search(demo.process.logged())
        assert demo.left() == []
    finally:
        await demo.process.clear_away()


async def test_ctrl_c_ends_everything_that_it_started(temporary: Path, tmp_path: Path) -> None:
    demo = Demo(temporary, tmp_path / "demo.log", server=find())
    demo.process.start()
    try:
        await wait_until(
            lambda: "Running until Ctrl-C" in demo.process.logged() or not demo.process.running,
            timeout=150,
            description="the demo has told its story",
        )
        assert any("valkey-server" in left for left in demo.left())
        os.kill(demo.process.pid, signal.SIGINT)
        assert await demo.process.ended(timeout=30) == 0
        assert "Nothing is left behind." in demo.process.logged()
        assert demo.left() == []
    finally:
        await demo.process.clear_away()


async def test_a_taken_port_is_said_in_one_sentence(temporary: Path, tmp_path: Path) -> None:
    demo = Demo(temporary, tmp_path / "demo.log", "--once")
    with socket.create_server((LOOPBACK, demo.port)):
        demo.process.start()
        assert await demo.process.ended(timeout=30) == 1
    assert demo.process.logged().startswith(f"demo: Port {demo.port} is taken: ")
    assert len(demo.process.logged().splitlines()) == 1
    assert demo.left() == []
