"""LiveKit itself dies and comes back, with nothing in memory, or with all that Redis kept of rooms that are gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness.clients import client
from tests.e2e.harness.livekit import livekit_server
from tests.e2e.harness.orchestrator import webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.redis import Flavour, redis_server
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import workers
from tests.faults.judge import SETTLED_WITHIN, agents, answers, settled
from tests.faults.scene import Scene, scene_on

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

SERVED_WITHIN = 30.0
"""From when LiveKit answers again and the person is back; a stock worker comes back by itself, within seconds."""
TWO_FOR_AT_MOST = 2.0
"""Seconds for which an agent that comes back by itself may be in the room beside the one that was called for."""


async def test_a_livekit_that_forgot_its_rooms_has_them_again_with_agents_when_their_people_are_back(tmp_path: Path) -> None:
    """Agents that outlive the server come back by themselves, too: one of them is enough."""
    port = free_port()
    async with (
        livekit_server(tmp_path, webhook_urls=[webhook_url(port)]) as server,
        workers(tmp_path, server, {"light": "light"}) as crowd,
        scene_on(Stage(server, crowd, port), tmp_path) as scene,
    ):
        rooms = ("light-forgotten", "light-left")
        async with client(server, rooms[0]), client(server, rooms[1]):
            await settled(scene, *rooms)
            before = [await sid(scene, room) for room in rooms]
            await server.process.kill()
        await server.start()
        async with client(server, rooms[0]):
            await settled(scene, rooms[0], within=SERVED_WITHIN)
            assert await sid(scene, rooms[0]) not in before
            for gone in before:
                await wait_until(
                    lambda gone=gone: ended(scene, gone),  # type: ignore[misc]
                    timeout=SETTLED_WITHIN,
                    description=f"the session {gone}, of which LiveKit knows nothing any more, has ended",
                )
            await settled(scene, rooms[0])
            assert scene.watched.presence(rooms[0], "light").seconds_with_two <= TWO_FOR_AT_MOST


async def test_the_agent_that_a_dead_livekit_left_in_redis_is_never_taken_for_one(tmp_path: Path) -> None:
    """Server and worker die together, as a machine does: the agent that is listed stands for nobody, for good."""
    port = free_port()
    (tmp_path / "livekit").mkdir()
    async with (
        redis_server(tmp_path / "livekit", Flavour.REDIS) as kept,
        livekit_server(tmp_path, webhook_urls=[webhook_url(port)], redis=kept.address) as server,
        workers(tmp_path, server, {"light": "light"}) as crowd,
        scene_on(Stage(server, crowd, port), tmp_path) as scene,
    ):
        async with client(server, "light-haunted"):
            ghosts = (await settled(scene, "light-haunted")).values()
            before = await sid(scene, "light-haunted")
            await server.process.kill()
            await crowd.process.kill()
        await server.start()
        await crowd.start()
        assert await agents(server, "light-haunted") == list(ghosts)
        async with client(server, "light-haunted"):
            await settled(scene, "light-haunted", within=SERVED_WITHIN, ghosts=ghosts)
            assert await sid(scene, "light-haunted") == before
            assert not [ghost for ghost in ghosts if await answers(server, "light-haunted", ghost)]


async def sid(scene: Scene, room: str) -> str:
    """The sid of the newest session of this room."""
    session = await scene.session(room)
    assert session is not None
    return str(session["sid"])


async def ended(scene: Scene, sid: str) -> bool:
    """Whether this session has ended."""
    session = await scene.session(sid)
    return session is not None and session["state"] == "ended"
