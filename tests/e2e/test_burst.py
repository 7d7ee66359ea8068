"""A burst: what LiveKit alone loses in silence, Rollcall fills, and never with two."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from livekit import api

from tests.e2e.harness.configs import config
from tests.e2e.harness.listing import sampler
from tests.e2e.harness.livekit import LiveKitServer, livekit_server
from tests.e2e.harness.orchestrator import Orchestrator, orchestrator, webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import workers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

ROOMS = 50
WITHIN = 20.0


async def create(server: LiveKitServer, names: list[str], *, agents: list[str] | None = None) -> float:
    """Create these rooms at once; how many seconds that took."""
    async with server.api() as livekit:
        begun = time.monotonic()
        await asyncio.gather(
            *(
                livekit.room.create_room(
                    api.CreateRoomRequest(name=name, agents=[api.RoomAgentDispatch(agent_name=a) for a in agents or ()])
                )
                for name in names
            )
        )
        return time.monotonic() - begun


async def all_verified(rollcall: Orchestrator, names: set[str]) -> bool:
    listed = await rollcall.sessions(state="verified", limit="100")
    return names <= {session["room"] for session in listed["sessions"]}


async def test_fifty_rooms_at_once_are_all_verified_within_twenty_seconds_and_none_has_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside it, in the same run and not asserted: how many agents `agents` in CreateRoom alone brings."""
    port = free_port()
    async with (
        livekit_server(tmp_path, webhook_urls=[webhook_url(port)]) as server,
        workers(tmp_path, server, {"burst": "burst"}) as crowd,
    ):
        names = [f"burst-{n}" for n in range(ROOMS)]
        async with (
            orchestrator(tmp_path, server, config("burst"), port=port) as rollcall,
            sampler(server, every=1.0) as watched,
        ):
            begun = time.monotonic()
            spread = await create(server, names)
            await wait_until(
                lambda: all_verified(rollcall, set(names)),
                timeout=WITHIN + 30,
                description="all rooms are verified",
                every=1.0,
            )
            took = time.monotonic() - begun
            looks = watched.looks
            await wait_until(lambda: watched.looks > looks + 10, timeout=60, description="more looks at all rooms")
            sessions = [await rollcall.session(name) for name in names]
            attempts = sum(session["placements"][0]["attempts_total"] for session in sessions if session)
            entered = len(crowd.seen("entered", agent_name="burst"))
            doubled = dict(watched.with_two())
            async with server.api() as livekit:
                for name in names:
                    await livekit.room.delete_room(api.DeleteRoomRequest(room=name))
        alone = [f"alone-{n}" for n in range(ROOMS)]
        async with sampler(server, every=1.0) as watched_alone:
            await create(server, alone, agents=["burst"])
            await wait_until(lambda: watched_alone.looks > 20, timeout=60, description="20 s of looks at what came")
            came = sum(watched_alone.presence(name, "burst").greatest > 0 for name in alone)
    with capsys.disabled():
        print(  # noqa: T201 a figure for people, asked for by whoever runs this
            f"\nburst of {ROOMS} rooms within {spread:.2f} s: Rollcall {ROOMS} verified in {took:.1f} s,"
            f" {attempts} attempts, {entered} jobs; CreateRoom with agents alone: {came} of {ROOMS}"
        )
    assert took <= WITHIN
    assert doubled == {}
    assert attempts >= ROOMS
