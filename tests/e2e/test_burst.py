"""A burst: what LiveKit alone loses in silence, Rollcall fills, and never with two."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from livekit import api

from tests.e2e.harness.configs import config
from tests.e2e.harness.listing import sampler
from tests.e2e.harness.livekit import LiveKitServer, livekit_server
from tests.e2e.harness.orchestrator import Orchestrator, orchestrator, webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.wait import NotInTime, wait_until
from tests.e2e.harness.workers import workers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(420)]

ROOMS = 50
GOAL = 20.0
"""Seconds, on an idle machine of 2 cores: printed, for a busy one tells nothing of us. Measured by `make bench`."""

PATIENCE = 120.0
"""Seconds: a machine on which other programs run is slow, and what a slow worker refuses is asked for again."""

PATIENT = {"attempts": 20, "deadline": "180s"}
"""The policy: no room is given up within that time."""

TRIES = 2
LOOK = 3.0
"""Seconds between two looks at all rooms, each of which is a call per room."""


async def create(server: LiveKitServer, names: list[str]) -> None:
    """Create these rooms at once."""
    async with server.api() as livekit:
        await asyncio.gather(*(livekit.room.create_room(api.CreateRoomRequest(name=name)) for name in names))


async def all_verified(rollcall: Orchestrator) -> bool:
    """Asked of the metrics: whoever lists fifty sessions again and again takes from the worker what it needs."""
    return f'rollcall_sessions{{state="verified"}} {ROOMS}.0' in await rollcall.metrics()


@dataclass(frozen=True)
class Filled:
    """A burst in which every room got its agent."""

    seconds: float
    attempts: int
    jobs: int


async def burst(directory: Path) -> Filled | None:
    """One burst with everything made for it; None when the worker broke down under it."""
    port = free_port()
    names = [f"burst-{n}" for n in range(ROOMS)]
    async with (
        livekit_server(directory, webhook_urls=[webhook_url(port)]) as server,
        workers(directory, server, {"burst": "burst"}) as crowd,
        orchestrator(directory, server, config("burst", policy=PATIENT), port=port) as rollcall,
        sampler(server, every=LOOK) as watched,
    ):
        begun = time.monotonic()
        await create(server, names)
        try:
            await wait_until(lambda: all_verified(rollcall), timeout=PATIENCE, description="all rooms are verified", every=0.5)
        except NotInTime:
            assert dict(watched.with_two()) == {}
            return None
        seconds = time.monotonic() - begun
        looks = watched.looks
        await wait_until(lambda: watched.looks > looks + 4, timeout=60, description="more looks at all rooms")
        assert dict(watched.with_two()) == {}
        sessions = [await rollcall.session(name) for name in names]
        attempts = sum(session["placements"][0]["attempts_total"] for session in sessions if session)
        return Filled(seconds, attempts, len(crowd.seen("entered")))


async def test_fifty_rooms_at_once_are_all_verified_and_none_has_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No room ever has two, in any of at most two bursts; one of them is filled.

    The worker reports its load, and holds fifty jobs in one process: anything else that runs on two cores makes it
    refuse jobs for seconds, or breaks its media library.
    """
    filled: Filled | None = None
    number = 0
    for number in range(1, TRIES + 1):
        directory = tmp_path / str(number)
        directory.mkdir()
        filled = await burst(directory)
        if filled is not None:
            break
    assert filled is not None, f"none of {TRIES} bursts was filled within {PATIENCE:g} s"
    assert filled.attempts >= ROOMS
    assert filled.jobs >= ROOMS
    with capsys.disabled():
        print(  # noqa: T201 figures for people
            f"\nburst of {ROOMS} rooms: all verified in {filled.seconds:.1f} s (goal: {GOAL:g} s; tries: {number}),"
            f" {filled.attempts} attempts, {filled.jobs} jobs"
        )
