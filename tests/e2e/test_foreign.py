"""Dispatches that somebody else made: a token's, CreateRoom's, one by hand. One agent in each room, never two."""

from __future__ import annotations

import asyncio
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


async def made(livekit: api.LiveKitAPI) -> None:
    """A room that CreateRoom makes with the agent, and one that a dispatch by hand makes."""
    agents = [api.RoomAgentDispatch(agent_name="light")]
    await livekit.room.create_room(api.CreateRoomRequest(name="by-create", agents=agents))
    await livekit.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(agent_name="light", room="by-hand"))


async def test_rooms_that_get_the_agent_from_a_token_from_create_room_or_by_hand_get_one(
    stage: Stage, watched: Sampler, tmp_path: Path
) -> None:
    async with (
        orchestrator(tmp_path, stage.server, config("light"), port=stage.webhook_port) as rollcall,
        stage.server.api() as livekit,
        client(stage.server, "by-token", agents=["light"]),
    ):
        await made(livekit)
        await asyncio.gather(*(alone(rollcall, stage, watched, room) for room in ("by-token", "by-create", "by-hand")))
