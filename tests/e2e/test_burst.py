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

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]

ROOMS = 50
WITHIN = 20.0
TRIES = 3
LOOK = 3.0
"""Seconds between two looks at all rooms, each of which is a call per room."""


async def create(server: LiveKitServer, names: list[str], *, agents: list[str] | None = None) -> None:
    """Create these rooms at once."""
    async with server.api() as livekit:
        await asyncio.gather(
            *(
                livekit.room.create_room(
                    api.CreateRoomRequest(name=name, agents=[api.RoomAgentDispatch(agent_name=a) for a in agents or ()])
                )
                for name in names
            )
        )


async def remove(server: LiveKitServer, names: list[str]) -> None:
    async with server.api() as livekit:
        for name in names:
            await livekit.room.delete_room(api.DeleteRoomRequest(room=name))


async def all_verified(rollcall: Orchestrator) -> bool:
    """Asked of the metrics: whoever lists fifty sessions again and again takes from the worker what it needs."""
    return f'rollcall_sessions{{state="verified"}} {ROOMS}.0' in await rollcall.metrics()


async def burst(rollcall: Orchestrator, server: LiveKitServer, names: list[str]) -> float:
    """Create the rooms at once, and wait until each has its verified agent; how many seconds that took."""
    begun = time.monotonic()
    await create(server, names)
    await wait_until(lambda: all_verified(rollcall), timeout=WITHIN + 60, description="all rooms are verified", every=0.5)
    return time.monotonic() - begun


async def test_fifty_rooms_at_once_are_all_verified_within_twenty_seconds_and_none_has_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every burst is filled, and no room ever has two; one of three is filled in time, for the worker reports its load.

    On a machine with two cores anything else that runs makes that worker refuse jobs for seconds. Beside it, in the
    same run and not asserted: how many agents `agents` in CreateRoom alone brings.
    """
    port = free_port()
    took: list[float] = []
    attempts = entered = 0
    async with (
        livekit_server(tmp_path, webhook_urls=[webhook_url(port)]) as server,
        workers(tmp_path, server, {"burst": "burst"}) as crowd,
    ):
        async with (
            orchestrator(tmp_path, server, config("burst"), port=port) as rollcall,
            sampler(server, every=LOOK) as watched,
        ):
            while len(took) < TRIES and min(took, default=WITHIN + 1) > WITHIN:
                names = [f"burst-{len(took)}-{n}" for n in range(ROOMS)]
                took.append(await burst(rollcall, server, names))
                looks = watched.looks
                await wait_until(lambda seen=looks: watched.looks > seen + 4, timeout=60, description="more looks")  # type: ignore[misc]
                sessions = [await rollcall.session(name) for name in names]
                attempts = sum(session["placements"][0]["attempts_total"] for session in sessions if session)
                entered = sum(seen.room in names for seen in crowd.seen("entered"))
                assert dict(watched.with_two()) == {}
                assert attempts >= entered >= ROOMS
                await remove(server, names)
        alone = [f"alone-{n}" for n in range(ROOMS)]
        async with sampler(server, every=LOOK) as watched_alone:
            await create(server, alone, agents=["burst"])
            await wait_until(lambda: watched_alone.looks > 6, timeout=60, description="20 s of looks at what came")
            came = sum(watched_alone.presence(name, "burst").greatest > 0 for name in alone)
    with capsys.disabled():
        print(  # noqa: T201 figures for people
            f"\nburst of {ROOMS} rooms: Rollcall {ROOMS} verified in {took[-1]:.1f} s (tries: {len(took)}),"
            f" {attempts} attempts, {entered} jobs; CreateRoom with agents alone: {came} of {ROOMS}"
        )
    assert min(took) <= WITHIN
