"""Nothing is wrong but that the machine is busy: an agent that answers late is still an agent that answers."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.harness.clients import client
from tests.e2e.harness.process import ChildProcess
from tests.faults.judge import settled
from tests.faults.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]

CALLS = 20
SECONDS = 60.0


@asynccontextmanager
async def a_busy_core(directory: Path) -> AsyncIterator[None]:
    """Another program keeps one core to itself, as far as the system lets it."""
    program = f"import os; os.sched_setaffinity(0, {{{max(os.sched_getaffinity(0))}}})\nwhile True: pass"
    busy = ChildProcess([sys.executable, "-c", program], log=directory / "busy.log")
    busy.start()
    try:
        yield
    finally:
        await busy.kill()


async def test_no_agent_of_twenty_calls_is_removed_while_another_program_takes_a_core(scene: Scene, tmp_path: Path) -> None:
    rooms = [f"light-call-{n}" for n in range(CALLS)]
    async with AsyncExitStack() as people:
        for room in rooms:
            await people.enter_async_context(client(scene.server, room))
        serving = await settled(scene, *rooms)
        async with a_busy_core(tmp_path):
            await scene.watch(SECONDS)
        assert await settled(scene, *rooms) == serving
    for room in rooms:
        assert scene.watched.presence(room, "light").identities == {serving[room]}
        assert len(scene.jobs(room)) == 1
