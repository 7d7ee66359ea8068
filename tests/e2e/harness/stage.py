"""A server with workers that many tests share: starting them takes seconds, and each test has rooms of its own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from livekit import api

from tests.e2e.harness.livekit import LiveKitServer
from tests.e2e.harness.workers import TestWorkers

on_both_backends = pytest.mark.parametrize("_chosen_stage", ["memory", "redis"], indirect=True)
"""For a test of the fixture `stage`: once on a server with its state in memory, once on one with Redis behind it."""


@dataclass(frozen=True)
class Stage:
    """What the fixture `stage` gives."""

    server: LiveKitServer
    workers: TestWorkers
    """Registered under the names of their behaviours; on Redis only the well-behaved ones."""
    webhook_port: int
    """Where the server sends its webhooks: start the orchestrator on this port, or leave it silent."""

    async def clear(self) -> None:
        """Close every room, so that the next test sees and hears nothing of this one."""
        async with self.server.api() as livekit:
            listed = await livekit.room.list_rooms(api.ListRoomsRequest())
            for room in listed.rooms:
                await livekit.room.delete_room(api.DeleteRoomRequest(room=room.name))
