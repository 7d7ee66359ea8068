"""Replicas that are killed, stopped and rolled: another one goes on where they were."""

from __future__ import annotations

import random
import signal
import time

import aiohttp
import pytest

from tests.e2e.harness.wait import wait_until
from tests.faults.judge import reserved, settled
from tests.faults.scene import SEED, Replica, Scene

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

KILLS = 3
PAUSE = 12.0
"""Seconds for which the owner is stopped: longer than its lease, so that somebody else drives its sessions meanwhile."""
HANDED_OVER_WITHIN = 2.0
TAKEN_OVER_WITHIN = 12.0


async def test_replicas_killed_at_random_leave_no_room_without_its_agent_and_none_with_two(scene: Scene) -> None:
    chance = random.Random(SEED)  # noqa: S311 a test that can be repeated, no secret
    rooms = []
    for n in range(KILLS):
        new = [f"light-kill-{n}-{i}" for i in range(3)] + [f"slow-kill-{n}"]
        rooms += new
        await scene.create(*new)
        await scene.calls("CreateDispatch", *new, number=chance.randint(1, len(new)))
        victim = chance.choice(scene.replicas)
        await victim.kill()
        await victim.start()
    await settled(scene, *rooms)
    assert not scene.watched.with_two()


async def test_an_owner_that_is_stopped_and_goes_on_finds_its_sessions_in_other_hands_and_leaves_them(
    scene: Scene,
) -> None:
    """Stopped while the agent is on its way: the attempt is under way, and nobody's until the lease has lapsed."""
    await scene.create("slow-stopped")
    await scene.calls("CreateDispatch", "slow-stopped")
    owner = scene.owner("slow-stopped")
    owner.rollcall.process.pause()
    stopped_at = time.monotonic()
    meanwhile = [f"light-meanwhile-{n}" for n in range(3)]
    await scene.create(*meanwhile)
    taken_over_at = await scene.taken_over("slow-stopped", from_=owner, since=stopped_at)
    assert taken_over_at - stopped_at <= TAKEN_OVER_WITHIN
    await scene.watch(stopped_at + PAUSE - time.monotonic())
    owner.rollcall.process.resume()
    await settled(scene, "slow-stopped", *meanwhile)
    assert not scene.watched.with_two()
    assert len(scene.jobs("slow-stopped")) == 1


async def test_replicas_stopped_one_after_the_other_hand_their_sessions_over_at_once_as_they_are(scene: Scene) -> None:
    """Each is stopped while the agents of its rooms are on their way."""
    rooms = []
    for n, replica in enumerate(scene.replicas):
        new = [f"slow-rolled-{n}-{i}" for i in range(3)]
        rooms += new
        await scene.create(*new)
        await scene.calls("CreateDispatch", *new, number=len(new))
        replica.rollcall.process.signal(signal.SIGTERM)
        asked_at = time.monotonic()
        told = await readiness_until_the_end(replica)
        assert told == sorted(told), "ready again after it was asked to end"
        assert await replica.rollcall.process.ended(timeout=5.0) == 0
        await scene.drive(len(rooms), [other for other in scene.replicas if other is not replica])
        assert time.monotonic() - asked_at <= HANDED_OVER_WITHIN
        await replica.start()
    await settled(scene, *rooms)
    assert not scene.watched.with_two()
    assert [len(scene.jobs(room)) for room in rooms] == [1] * len(rooms)


async def readiness_until_the_end(replica: Replica) -> list[int]:
    """What a balancer is told by a replica that was asked to end, until it listens no more."""
    statuses: list[int] = []

    async def ended() -> bool:
        try:
            async with aiohttp.ClientSession() as http, http.get(f"{replica.rollcall.url}/readyz") as answer:
                statuses.append(answer.status)
        except aiohttp.ClientConnectionError:
            return True
        return False

    await wait_until(ended, every=0.0, description=f"the replica at {replica.rollcall.url} listens no more")
    return statuses


async def test_an_owner_killed_between_record_and_call_is_followed_by_one_agent_and_a_count_of_two(scene: Scene) -> None:
    """The recorded attempt was never made: the next replica finds no dispatch of it, and makes the second one."""
    scene.accidents.before("CreateDispatch", "light-recorded", lambda proxy: scene.replica_behind(proxy).kill())
    await scene.create("light-recorded")
    await settled(scene, "light-recorded")
    assert await numbers(scene, "light-recorded") == [1, 2]
    assert [reserved(job)["attempt"] for job in scene.jobs("light-recorded")] == [2]
    assert not scene.watched.with_two()


async def test_an_owner_killed_between_call_and_reply_is_followed_by_one_agent_and_a_count_of_one(scene: Scene) -> None:
    """The recorded attempt was made, and nobody heard the answer: the next replica finds its agent, and counts it."""
    scene.accidents.after("CreateDispatch", "light-called", lambda proxy: scene.replica_behind(proxy).kill())
    await scene.create("light-called")
    await settled(scene, "light-called")
    assert await numbers(scene, "light-called") == [1]
    assert [reserved(job)["attempt"] for job in scene.jobs("light-called")] == [1]
    assert not scene.watched.with_two()


async def numbers(scene: Scene, room: str) -> list[int]:
    """The attempts that Rollcall counts in this room."""
    session = await scene.session(room)
    assert session is not None
    (placement,) = session["placements"]
    return [attempt["number"] for attempt in placement["attempts"]]
