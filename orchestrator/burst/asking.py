"""Two ways to ask for a room and its agent."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from orchestrator.client.done import once
from orchestrator.client.errors import CommandFailed
from orchestrator.client.service import Service
from orchestrator.core.facts import CandidateSpec
from orchestrator.core.scratch import METADATA
from orchestrator.exits import ExitCode
from orchestrator.runtime.ports import LiveKit

PATIENCE: Final = 6.0
"""Seconds for one answer of Rollcall, which itself gives LiveKit 5."""

AT_ONCE: Final = 32
"""Requests to Rollcall under way."""

_UNHELD: Final = {"hold": "verified", "hold_seconds": "0"}
"""Rollcall answers as soon as it has stored the wish. Whether the agent came, LiveKit tells."""


class Asking(Protocol):
    async def ask(self, room: str) -> float:
        """The room and its agent are asked for; when the room was created, by LiveKit's clock.

        Raises CommandFailed and LiveKitError.
        """
        ...


class Plain:
    """LiveKit's own dispatch: one call makes the room and sends the agent."""

    def __init__(self, livekit: LiveKit, agent_name: str) -> None:
        self._livekit = livekit
        self._agents = (CandidateSpec(agent_name),)

    async def ask(self, room: str) -> float:
        return (await self._livekit.create_room(room, metadata=METADATA, agents=self._agents)).created_at


class ThroughRollcall:
    """Rollcall makes the room and sees to it that the agent comes: this one, whatever the routes say."""

    def __init__(self, livekit: LiveKit, service: Service, agent_name: str, threads: ThreadPoolExecutor) -> None:
        self._livekit = livekit
        self._service = service
        self._body = {"agent_name": agent_name}
        self._threads = threads

    async def ask(self, room: str) -> float:
        await asyncio.get_running_loop().run_in_executor(self._threads, self._post, room)
        made = await self._livekit.room(room)
        if made is None:
            message = f"The room that Rollcall at {self._service.url} has made is not on the server of LIVEKIT_URL."
            raise CommandFailed(ExitCode.USAGE, message, "Give both the same LiveKit.")
        return made.created_at

    def _post(self, room: str) -> None:
        self._service.post("sessions", room, "agents", body=self._body, headers=once(), query=_UNHELD, patience=PATIENCE)
