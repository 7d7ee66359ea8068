"""LiveKit does what it is asked for, and its answer is lost."""

from __future__ import annotations

import pytest

from tests.faults.judge import settled
from tests.faults.scene import Scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

ROOMS = 6


async def test_an_answer_that_is_lost_after_the_dispatch_was_made_makes_no_second_one(scene: Scene) -> None:
    rooms = [f"light-unheard-{n}" for n in range(ROOMS - 2)] + ["slow-unheard", "process-unheard"]
    for replica in scene.replicas:
        replica.proxy.losing.add("CreateDispatch")
    await scene.create(*rooms)
    await settled(scene, *rooms)
    assert sum(replica.proxy.lost for replica in scene.replicas) == ROOMS
    assert [len(scene.jobs(room)) for room in rooms] == [1] * ROOMS
    for room in rooms:
        session = await scene.session(room)
        assert session is not None
        assert session["placements"][0]["attempts_total"] == 1
    assert not scene.watched.with_two()
