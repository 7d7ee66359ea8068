"""Nothing fails but that the machine is busy: twenty calls go on while another program takes a core."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from tests.e2e.harness.child import ChildProcess
from tests.e2e.harness.clients import client
from tests.faults.judge import settled
from tests.faults.scene import Scene

CALLS: Final = 20


async def calls_on_a_busy_machine(scene: Scene, directory: Path, *, seconds: float) -> None:
    """Each call keeps the agent that it began with: AssertionError when one was removed, or joined by another."""
    rooms = [f"light-call-{n}" for n in range(CALLS)]
    async with AsyncExitStack() as people:
        for room in rooms:
            await people.enter_async_context(client(scene.server, room))
        serving = await settled(scene, *rooms)
        async with _a_busy_core(directory):
            await scene.watch(seconds)
        assert await settled(scene, *rooms) == serving
    for room in rooms:
        assert scene.watched.presence(room, "light").identities == {serving[room]}
        assert len(scene.jobs(room)) == 1


@asynccontextmanager
async def _a_busy_core(directory: Path) -> AsyncIterator[None]:
    """Another program keeps one core to itself, as far as the system lets it."""
    program = f"import os; os.sched_setaffinity(0, {{{max(os.sched_getaffinity(0))}}})\nwhile True: pass"
    busy = ChildProcess([sys.executable, "-c", program], log=directory / "busy.log")
    busy.start()
    try:
        yield
    finally:
        await busy.kill()
