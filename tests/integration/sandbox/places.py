"""The two LiveKits that must agree, each with a worker of `stock`, which knows nothing of Rollcall."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

from livekit import api

from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.tasks import Tasks
from orchestrator.sandbox.engine import Sandbox
from orchestrator.sandbox.model import AgentRequest
from orchestrator.sandbox.server import serving
from orchestrator.sandbox.signing import Credentials
from orchestrator.sandbox.timing import Timing
from tests.e2e.harness.clients import client
from tests.e2e.harness.livekit import API_KEY, API_SECRET, LiveKitServer, livekit_server
from tests.e2e.harness.ports import LOOPBACK
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import TestWorkers, workers
from tests.integration.conftest import crashed
from tests.integration.sandbox.receiver import Receiver, receiver

STOCK: Final = "stock"


class Place(Protocol):
    """A LiveKit, the webhooks that it sent, and what a test can do that its API cannot."""

    @property
    def url(self) -> str: ...

    @property
    def webhooks(self) -> Receiver: ...

    def person(self, room: str, identity: str, *, agents: Sequence[str] = ()) -> AbstractAsyncContextManager[object]:
        """Somebody is in the room until the exit; `agents` are those of the token's room configuration."""
        ...

    def kill_agent(self, room: str, identity: str) -> None:
        """As kill -9 of its process."""
        ...


def livekit_api(place: Place, secret: str = API_SECRET) -> api.LiveKitAPI:
    """LiveKit's own client; to be closed, as an asynchronous context manager."""
    return api.LiveKitAPI(place.url, API_KEY, secret, failover=False)


class SandboxPlace:
    """A sandbox in this process, over HTTP."""

    def __init__(self, sandbox: Sandbox, port: int, webhooks: Receiver) -> None:
        self.url = f"http://{LOOPBACK}:{port}"
        self.webhooks = webhooks
        self._sandbox = sandbox

    @asynccontextmanager
    async def person(self, room: str, identity: str, *, agents: Sequence[str] = ()) -> AsyncIterator[None]:
        self._sandbox.join(room, identity, agents=[AgentRequest(name) for name in agents])
        yield
        self._sandbox.leave(room, identity)

    def kill_agent(self, room: str, identity: str) -> None:
        self._sandbox.agent(room, identity).kill()


class RealPlace:
    """A livekit-server, and a worker with a process for each job."""

    def __init__(self, server: LiveKitServer, crowd: TestWorkers, webhooks: Receiver) -> None:
        self.url = server.url
        self.webhooks = webhooks
        self._server = server
        self._workers = crowd

    def person(self, room: str, identity: str, *, agents: Sequence[str] = ()) -> AbstractAsyncContextManager[object]:
        return client(self._server, room, identity, agents=agents)

    def kill_agent(self, room: str, identity: str) -> None:
        self._workers.kill_job(room)


@asynccontextmanager
async def sandbox_place() -> AsyncIterator[Place]:
    tasks, clock = Tasks(crashed), StoreClock()
    sandbox = Sandbox(clock, random.Random(1), tasks.spawn, timing=Timing(registration=(0.0, 0.0)))  # noqa: S311
    credentials = Credentials(API_KEY, API_SECRET)
    try:
        async with (
            receiver() as webhooks,
            serving(sandbox, clock, credentials, host=LOOPBACK, port=0, webhook_urls=[webhooks.url]) as port,
        ):
            worker = sandbox.start_worker(STOCK)
            await wait_until(lambda: worker.registered, description="the worker has registered")
            yield SandboxPlace(sandbox, port, webhooks)
            await tasks.cancel()
    finally:
        await tasks.cancel()


@asynccontextmanager
async def real_place(directory: Path) -> AsyncIterator[Place]:
    async with (
        receiver() as webhooks,
        livekit_server(directory, webhook_urls=[webhooks.url]) as server,
        workers(directory, server, {STOCK: "in_processes"}) as crowd,
    ):
        yield RealPlace(server, crowd, webhooks)
