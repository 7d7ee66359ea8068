"""The programs of the demo, started until each is of use: livekit-server, the service, one worker; or the sandbox."""

import secrets
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml

from deploy.demo.failure import DemoFailed
from deploy.demo.loopback import HOST, free_port
from deploy.demo.program import CHECKOUT, Program
from deploy.tools.livekit_server import find

AGENT: Final = "mary"

ROLLCALL_YAML: Final[Mapping[str, Any]] = {
    "agents": {AGENT: {"metadata": {"persona": AGENT}}},
    "routes": [{"room": "demo-{visit}", "agents": [AGENT], "metadata": {"visit": "{visit}"}}],
}
"""One agent for every room of the demo, told which visit it is for."""

_WORKER_PYTHON: Final = CHECKOUT / ".venv-worker" / "bin" / "python"
_REGISTERED: Final = "registered worker"
"""What livekit-agents logs once LiveKit has taken the worker in: its health endpoint says yes before that."""

_SANDBOX_REGISTERED: Final = "workers have registered"

_LIVEKIT_SECONDS: Final = 15.0
_SERVICE_SECONDS: Final = 30.0
_WORKER_SECONDS: Final = 60.0
"""5 to 9 on an idle machine; the first start after an installation compiles 400 MB of Python."""

_NO_TIME: Final = aiohttp.ClientTimeout(total=2.0)


@dataclass(frozen=True, slots=True)
class LiveKit:
    """Where the server is, and the one pair of keys that it knows, made for this run."""

    port: int = field(default_factory=free_port)
    key: str = "demo"
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(36), repr=False)

    @property
    def url(self) -> str:
        """Where clients and workers connect."""
        return f"ws://{HOST}:{self.port}"

    def environment(self) -> dict[str, str]:
        """What the service and the worker need to find it."""
        return {"LIVEKIT_URL": self.url, "LIVEKIT_API_KEY": self.key, "LIVEKIT_API_SECRET": self.secret}


def installed_livekit_server() -> Path | None:
    """Where there is one. Raises DemoFailed where one is named that is none."""
    try:
        return find()
    except FileNotFoundError as error:
        raise DemoFailed(f"{error}.") from error


@asynccontextmanager
async def livekit_server(binary: Path, folder: Path, livekit: LiveKit, webhook_url: str) -> AsyncIterator[Program]:
    """A real livekit-server that answers."""
    config = folder / "livekit.yaml"
    config.write_text(yaml.safe_dump(_livekit_yaml(livekit, webhook_url)))
    program = Program("livekit-server", [str(binary), "--config", str(config)], folder / "livekit-server.log", {})
    try:
        await program.start()
        await program.until(lambda: _answers(livekit.port, "/"), within=_LIVEKIT_SECONDS, what="did not answer")
        yield program
    finally:
        # It would wait for the agents of its rooms to leave; here nobody is left to wait for.
        await program.stop(patience=2.0)


@asynccontextmanager
async def service(folder: Path, livekit: LiveKit, port: int) -> AsyncIterator[Program]:
    """`rollcall serve --dev` that is ready, with the embedded Valkey, its data in `folder`."""
    config = folder / "rollcall.yaml"
    config.write_text(yaml.safe_dump(dict(ROLLCALL_YAML)))
    command = [sys.executable, "-m", "orchestrator", "serve", "--dev", "--host", HOST, "--port", str(port)]
    command += ["--config", str(config), "--state-dir", str(folder / "state")]
    program = Program("rollcall", command, folder / "rollcall.log", livekit.environment())
    try:
        await program.start()
        await program.until(lambda: _answers(port, "/readyz"), within=_SERVICE_SECONDS, what="was not ready")
        yield program
    finally:
        await program.stop(patience=15.0)


@asynccontextmanager
async def worker(folder: Path, livekit: LiveKit, port: int) -> AsyncIterator[Program]:
    """The project's worker, registered as AGENT, and announced to the service on `port`."""
    if not _WORKER_PYTHON.exists():
        raise DemoFailed("The worker's environment .venv-worker is missing: run `make setup`.")
    mine = {"LIVEKIT_AGENT_NAME": AGENT, "ROLLCALL_WORKER_HOST": HOST, "ROLLCALL_WORKER_PORT": "0"}
    mine["ROLLCALL_URL"] = f"http://{HOST}:{port}"
    command = [str(_WORKER_PYTHON), "-m", "livekit.agents", "start", "worker/main.py"]
    program = Program("The worker", command, folder / "worker.log", livekit.environment() | mine)

    async def registered() -> bool:
        return _REGISTERED in program.logged()

    try:
        await program.start()
        await program.until(registered, within=_WORKER_SECONDS, what="did not register with LiveKit")
        yield program
    finally:
        # The room is closed before: a worker waits for its jobs to end, for up to an hour.
        await program.stop(patience=10.0)


@asynccontextmanager
async def sandbox(folder: Path, livekit: LiveKit, webhook_url: str) -> AsyncIterator[Program]:
    """What plays LiveKit, and a worker of AGENT, which takes as long to register as a real one."""
    command = [sys.executable, "-m", "orchestrator", "sandbox", "--host", HOST, "--port", str(livekit.port)]
    command += ["--webhook", webhook_url, "--key", livekit.key, "--secret", livekit.secret, "--agent", AGENT]
    program = Program("The sandbox", command, folder / "sandbox.log", {})
    try:
        await program.start()
        await program.until(lambda: _answers(livekit.port, "/"), within=_LIVEKIT_SECONDS, what="did not answer")
        yield program
    finally:
        await program.stop(patience=5.0)


async def sandbox_worker(sandbox: Program) -> None:
    """Wait until the sandbox's worker has registered: what is dispatched before is lost."""

    async def registered() -> bool:
        return _SANDBOX_REGISTERED in sandbox.logged()

    await sandbox.until(registered, within=_WORKER_SECONDS, what="registered no worker")


def _livekit_yaml(livekit: LiveKit, webhook_url: str) -> dict[str, Any]:
    return {
        "port": livekit.port,
        "bind_addresses": [HOST],
        "rtc": {
            "tcp_port": 0,  # with one set, it would listen on every address
            "udp_port": free_port(socket.SOCK_DGRAM),
            "use_external_ip": False,
            "node_ip": HOST,
            "enable_loopback_candidate": True,
            "interfaces": {"includes": ["lo", "lo0"]},
        },
        "keys": {livekit.key: livekit.secret},
        "webhook": {"api_key": livekit.key, "urls": [webhook_url]},
    }


async def _answers(port: int, path: str) -> bool:
    """Whether this answers 200."""
    try:
        async with aiohttp.ClientSession(timeout=_NO_TIME) as http, http.get(f"http://{HOST}:{port}{path}") as answer:
            return answer.status == 200  # noqa: PLR2004
    except (aiohttp.ClientError, TimeoutError):
        return False
