"""Agents that die in the middle of a call: LiveKit lists them for another 21 s, and Rollcall has replaced them by then."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.harness.clients import client
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import workers
from tests.faults.judge import agents, reserved, settled, the_agent, wait_for_agent
from tests.faults.scene import SPARE, Scene, scene_on

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

REPLACED_WITHIN = 12.0
REPLACED_WITHOUT_PULSE_WITHIN = 27.0
"""LiveKit itself notices after 21 s."""
PAUSE = 3.0
CALLS = 4


@asynccontextmanager
async def calls(scene: Scene, *rooms: str) -> AsyncIterator[dict[str, str]]:
    """A person in each of these rooms, and the agent that serves there, and has told Rollcall that it lives."""
    async with AsyncExitStack() as people:
        for room in rooms:
            await people.enter_async_context(client(scene.server, room))
        serving = await settled(scene, *rooms)
        for room in rooms:
            await wait_until(lambda room=room: answered(scene, room), description=f"the agent in {room} answers Rollcall")  # type: ignore[misc]
        yield serving


async def answered(scene: Scene, room: str) -> bool:
    """Whether Rollcall has had an answer: the silence of an agent that has never answered proves nothing to it."""
    session = await scene.session(room)
    return session is not None and session["placements"][0]["pulse"] is not None


async def replaced(scene: Scene, room: str, old: str, *, since: float, within: float) -> None:
    """Another agent serves in time, knows whom it follows, and is alone."""
    new = await wait_for_agent(scene, room, other_than=[old], timeout=max(1.0, since + within - time.monotonic()))
    first, *_, last = scene.jobs(room)
    assert new == f"agent-{last.job_id}"
    assert reserved(last)["resumes"] == {"attempt": reserved(first)["attempt"], "cause": "silent", "identity": old}
    await settled(scene, room)
    assert old not in await agents(scene.server, room)


async def test_of_three_calls_the_killed_and_the_frozen_agent_are_replaced_and_the_one_that_pauses_is_not(scene: Scene) -> None:
    rooms = ("process-killed", "process-frozen", "process-pausing")
    async with calls(scene, *rooms) as serving:
        since = time.monotonic()
        scene.workers.signal_job("process-killed", signal.SIGKILL)
        scene.workers.signal_job("process-frozen", signal.SIGSTOP)
        scene.workers.signal_job("process-pausing", signal.SIGSTOP)
        await scene.watch(PAUSE)
        scene.workers.signal_job("process-pausing", signal.SIGCONT)
        await asyncio.gather(*(replaced(scene, room, serving[room], since=since, within=REPLACED_WITHIN) for room in rooms[:2]))
        await scene.watch(since + PAUSE + REPLACED_WITHIN - time.monotonic())
        assert await the_agent(scene.server, "process-pausing") == serving["process-pausing"]
        assert len(scene.jobs("process-pausing")) == 1
        assert len(scene.jobs("process-killed")) == len(scene.jobs("process-frozen")) == 2


async def test_with_the_pulse_off_a_killed_and_a_frozen_agent_are_replaced_when_livekit_notices(
    fault_stage: Stage, tmp_path: Path
) -> None:
    async with scene_on(fault_stage, tmp_path, environment={"ROLLCALL_PULSE_PERIOD": "0s"}) as scene:
        rooms = ("process-killed-unasked", "process-frozen-unasked")
        async with calls(scene, *rooms) as serving:
            since = time.monotonic()
            scene.workers.signal_job(rooms[0], signal.SIGKILL)
            scene.workers.signal_job(rooms[1], signal.SIGSTOP)
            await asyncio.gather(
                *(
                    wait_for_agent(scene, room, other_than=[serving[room]], timeout=REPLACED_WITHOUT_PULSE_WITHIN)
                    for room in rooms
                )
            )
            assert time.monotonic() - since <= REPLACED_WITHOUT_PULSE_WITHIN
            await settled(scene, *rooms)
            for room in rooms:
                first, second = scene.jobs(room)
                assert reserved(second)["resumes"]["attempt"] == reserved(first)["attempt"]
                assert not scene.watched.presence(room, "process").looks_with_two
    await fault_stage.clear()


async def test_the_agents_of_a_killed_worker_are_replaced_by_another_worker_and_the_others_stay(
    scene: Scene, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    async with workers(first, scene.server, {SPARE: "light"}) as one, workers(second, scene.server, {SPARE: "light"}) as other:
        scene.more_workers.extend((one, other))
        rooms = [f"spare-{n}" for n in range(CALLS)]
        async with calls(scene, *rooms) as serving:
            hit = [room for room in rooms if one.seen("entered", room=room)]
            victim = one if hit else other
            hit = hit or rooms
            since = time.monotonic()
            await victim.process.kill()
            await asyncio.gather(*(replaced(scene, room, serving[room], since=since, within=REPLACED_WITHIN) for room in hit))
            after = await settled(scene, *rooms)
            assert all(after[room] == serving[room] for room in rooms if room not in hit)
