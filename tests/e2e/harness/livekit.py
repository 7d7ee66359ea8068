"""A real livekit-server, in memory or with Redis behind it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import yaml
from livekit import api

from deploy.tools.livekit_server import HOW_TO_GET_ONE, find
from tests.e2e.harness.child import ChildProcess
from tests.e2e.harness.ports import LOOPBACK, free_port
from tests.e2e.harness.wait import wait_until

API_KEY = "devkey"
API_SECRET = "a-secret-of-the-tests-with-32-characters"


class LiveKitServer:
    """A livekit-server that can be killed and started again on the same ports."""

    def __init__(self, directory: Path, *, webhook_urls: Sequence[str] = (), redis: str | None = None) -> None:
        """`redis` is the host:port of the Redis to keep state in; without one the state is in memory."""
        binary = find()
        if binary is None:
            raise FileNotFoundError(HOW_TO_GET_ONE)
        self.port = free_port()
        self._config = directory / "livekit.yaml"
        self._config.write_text(yaml.safe_dump(_config(self.port, webhook_urls, redis)))
        self.process = ChildProcess([binary, "--config", self._config], log=directory / "livekit-server.log")

    @property
    def url(self) -> str:
        """Where workers and clients connect."""
        return f"ws://{LOOPBACK}:{self.port}"

    def environment(self) -> dict[str, str]:
        """What a worker or an orchestrator needs to find it."""
        return {"LIVEKIT_URL": self.url, "LIVEKIT_API_KEY": API_KEY, "LIVEKIT_API_SECRET": API_SECRET}

    async def start(self) -> None:
        """Run it until it answers."""
        self.process.start()
        await wait_until(self._answers, timeout=15.0, description="livekit-server answers")

    def api(self) -> api.LiveKitAPI:
        """LiveKit's own client; to be closed, as an asynchronous context manager."""
        return api.LiveKitAPI(self.url, API_KEY, API_SECRET, failover=False)

    def token(
        self,
        room: str,
        identity: str,
        *,
        metadata: str = "",
        attributes: dict[str, str] | None = None,
        agents: Sequence[str] = (),
    ) -> str:
        """A person's token; with `agents` the room that it opens is created with a dispatch of each."""
        token = (
            api.AccessToken(API_KEY, API_SECRET).with_identity(identity).with_grants(api.VideoGrants(room_join=True, room=room))
        )
        token = token.with_metadata(metadata).with_attributes(attributes or {})
        if agents:
            dispatches = [api.RoomAgentDispatch(agent_name=name) for name in agents]
            token = token.with_room_config(api.RoomConfiguration(agents=dispatches))
        return token.to_jwt()

    async def _answers(self) -> bool:
        if not self.process.running:
            message = f"livekit-server ended with code {self.process.exit_code}:\n{self.process.logged()[-2_000:]}"
            raise RuntimeError(message)
        try:
            async with aiohttp.ClientSession() as http, http.get(f"http://{LOOPBACK}:{self.port}/") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False


@asynccontextmanager
async def livekit_server(
    directory: Path, *, webhook_urls: Sequence[str] = (), redis: str | None = None
) -> AsyncIterator[LiveKitServer]:
    """A running livekit-server, ended at the exit. FileNotFoundError says how to get one when there is none."""
    server = LiveKitServer(directory, webhook_urls=webhook_urls, redis=redis)
    try:
        await server.start()
        yield server
    finally:
        # A server with agents in its rooms waits for them to leave: nobody here does.
        await server.process.clear_away(timeout=1.0)


def _config(port: int, webhook_urls: Sequence[str], redis: str | None) -> dict[str, object]:
    config: dict[str, object] = {
        "port": port,
        "bind_addresses": [LOOPBACK],
        "rtc": {
            # With a TCP port set it would listen on every address.
            "tcp_port": 0,
            "udp_port": free_port(socket.SOCK_DGRAM),
            "use_external_ip": False,
            "node_ip": LOOPBACK,
            "enable_loopback_candidate": True,
            "interfaces": {"includes": ["lo"]},
        },
        "keys": {API_KEY: API_SECRET},
    }
    if webhook_urls:
        config["webhook"] = {"api_key": API_KEY, "urls": list(webhook_urls)}
    if redis is not None:
        config["redis"] = {"address": redis}
    return config
