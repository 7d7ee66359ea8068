"""Dispatches that somebody else made: a token's, CreateRoom's, one by hand. One agent in each room, never two."""

from __future__ import annotations

from pathlib import Path

import pytest
from livekit import api

from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import config
from tests.e2e.harness.listing import Sampler
from tests.e2e.harness.orchestrator import Orchestrator, orchestrator
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

LOOKS_UNTIL_QUIET = 75
"""At five a second: longer than the ten seconds after which Rollcall looks a second time."""


async def agents_in(stage: Stage, room: str) -> set[str]:
    """The agents that LiveKit lists in a room now."""
    async with stage.server.api() as livekit:
        listed = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
        return {p.identity for p in listed.participants if p.permission.agent}


async def alone(rollcall: Orchestrator, stage: Stage, watched: Sampler, room: str) -> None:
    """One agent was there, and after a quiet while still only that one."""
    session = await rollcall.wait_for_state(room, "verified")
    begun = watched.looks
    await wait_until(lambda: watched.looks > begun + LOOKS_UNTIL_QUIET, timeout=60, description="the listings were watched")
    after = await rollcall.wait_for_state(room, "verified")
    presence = watched.presence(room, "light")
    assert presence.seconds_with_two <= 2.0
    assert session["sid"] == after["sid"]
    assert await agents_in(stage, room) == {after["placements"][0]["identity"]}


async def test_a_room_whose_token_carries_the_agent_gets_one(stage: Stage, watched: Sampler, tmp_path: Path) -> None:
    async with (
        orchestrator(tmp_path, stage.server, config("light"), port=stage.webhook_port) as rollcall,
        client(stage.server, "by-token", agents=["light"]),
    ):
        await alone(rollcall, stage, watched, "by-token")


async def test_a_room_that_was_made_with_the_agent_gets_one(stage: Stage, watched: Sampler, tmp_path: Path) -> None:
    async with orchestrator(tmp_path, stage.server, config("light"), port=stage.webhook_port) as rollcall:
        async with stage.server.api() as livekit:
            agents = [api.RoomAgentDispatch(agent_name="light")]
            await livekit.room.create_room(api.CreateRoomRequest(name="by-create", agents=agents))
        await alone(rollcall, stage, watched, "by-create")


async def test_a_room_that_got_a_dispatch_by_hand_at_the_same_moment_gets_one(
    stage: Stage, watched: Sampler, tmp_path: Path
) -> None:
    async with orchestrator(tmp_path, stage.server, config("light"), port=stage.webhook_port) as rollcall:
        async with stage.server.api() as livekit:
            request = api.CreateAgentDispatchRequest(agent_name="light", room="by-hand")
            await livekit.agent_dispatch.create_dispatch(request)  # makes the room as well
        await alone(rollcall, stage, watched, "by-hand")
