"""Agents that talk, and all that they need for it: a server, Rollcall, models, and a worker for each agent name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import yaml
from livekit import api
from livekit.protocol.models import ParticipantInfo

from tests.e2e.harness.child import REPOSITORY
from tests.e2e.harness.configs import Config
from tests.e2e.harness.livekit import LiveKitServer, livekit_server
from tests.e2e.harness.openai_api import OpenAIApi, openai_api
from tests.e2e.harness.orchestrator import Json, Orchestrator, orchestrator, webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.workers import RollcallWorker

LISTED_EVERY = 0.1
"""Seconds between two looks at the agents of a room."""

SHIPPED = REPOSITORY / "worker/personas.yaml"
"""Who the agents are: those that come with the worker."""

VOICES = {"mary": "coral", "tom": "onyx"}
"""Tones that nobody takes for each other."""

ABSENT = "absent"
"""An agent that is configured, and has no worker."""


@dataclass(frozen=True)
class Talking:
    """What runs."""

    server: LiveKitServer
    rollcall: Orchestrator
    models: OpenAIApi


@dataclass(frozen=True, slots=True)
class Listed:
    """What one look at a room's participants showed."""

    at: float
    """Monotonic clock, seconds, of the answer."""
    agents: frozenset[str]
    """Identities of the agents that are ACTIVE."""


@asynccontextmanager
async def talking(directory: Path, *agent_names: str) -> AsyncIterator[Talking]:
    """Everything, started and registered; each room gets the first of the agents."""
    personas = directory / "personas.yaml"
    personas.write_text(yaml.safe_dump(_personas()))
    port = free_port()
    async with (
        livekit_server(directory, webhook_urls=[webhook_url(port)]) as server,
        openai_api() as models,
        orchestrator(directory, server, _config(*agent_names), port=port) as rollcall,
        AsyncExitStack() as ending,
    ):
        environment = {
            **models.environment(),
            **rollcall.worker_environment(),
            "ROLLCALL_WORKER_PERSONAS": str(personas),
        }
        arguments = ("-m", "livekit.agents", "start", "worker/main.py")
        crew = [RollcallWorker(directory, server, name, arguments=arguments, environment=environment) for name in agent_names]
        # Asked politely they would drain their jobs first, for up to an hour.
        ending.push_async_callback(_together, lambda worker: worker.process.clear_away(timeout=1.0), crew)
        await _together(RollcallWorker.start, crew)
        yield Talking(server, rollcall, models)


@asynccontextmanager
async def listed_agents(server: LiveKitServer, room: str) -> AsyncIterator[list[Listed]]:
    """What LiveKit lists in this room, look by look, until the exit."""
    looks: list[Listed] = []
    async with server.api() as livekit:

        async def watch() -> None:
            while True:
                answer = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
                active = frozenset(one.identity for one in answer.participants if _is_active_agent(one))
                looks.append(Listed(time.monotonic(), active))
                await asyncio.sleep(LISTED_EVERY)

        watching = asyncio.create_task(watch(), name="listed agents")
        try:
            yield looks
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


async def _together(step: Callable[[RollcallWorker], Coroutine[None, None, None]], crew: Sequence[RollcallWorker]) -> None:
    await asyncio.gather(*(step(worker) for worker in crew))


def _personas() -> Json:
    """The shipped ones, with the voices of the tests and with transcripts; nobody asked for becomes Nobody, and is heard."""
    shipped: Json = yaml.safe_load(SHIPPED.read_text())
    for name, voice in VOICES.items():
        persona = shipped["personas"][name]
        persona["voice"], persona["transcripts"] = voice, True
        persona["knowledge"] = [str(SHIPPED.parent / file) for file in persona["knowledge"]]
    shipped["personas"]["nobody"] = {"instructions": "You are Nobody.", "voice": "alloy"}
    return {**shipped, "default": "nobody"}


def _config(*agent_names: str) -> Config:
    return {
        "agents": {
            **{name: {"metadata": {"persona": name}} for name in agent_names},
            ABSENT: {"policy": {"attempts": 1, "accept_window": "1s", "join_window": "2s"}},
        },
        "routes": [{"agents": [agent_names[0]]}],
    }


def _is_active_agent(participant: ParticipantInfo) -> bool:
    return participant.kind == ParticipantInfo.Kind.AGENT and participant.state == ParticipantInfo.State.ACTIVE
