"""A real Sentinel beside a real master."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.e2e.harness.child import ChildProcess
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.redis import RedisServer

SERVICE = "rollcall"


@asynccontextmanager
async def sentinel(directory: Path, master: RedisServer) -> AsyncIterator[int]:
    """The port of a lone sentinel that watches this master, under the name SERVICE."""
    port = free_port()
    configuration = directory / "sentinel.conf"
    configuration.write_text(
        f"port {port}\nbind {LOOPBACK}\ndir {directory}\nsentinel monitor {SERVICE} {LOOPBACK} {master.port} 1\n"
    )
    process = ChildProcess(["redis-server", str(configuration), "--sentinel"], log=directory / "sentinel.log")
    process.start()
    try:
        yield port
    finally:
        await process.clear_away()
