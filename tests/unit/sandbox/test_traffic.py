"""What happens by itself: rooms at a rate, people, agents that die; and the figures that tell of it."""

import random

import pytest

from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.figures import Figures, figures
from orchestrator.sandbox.timing import Timing
from orchestrator.sandbox.traffic import Traffic
from tests.unit.sandbox.world import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


def traffic(world: World) -> Traffic:
    return Traffic(world.sandbox, world.clock, random.Random(1))  # noqa: S311  # a simulation's, and keeps no secrets


def counted(world: World) -> Figures:
    return figures(world.sandbox, seconds=world.clock.monotonic(), agents_killed=0)


async def test_rooms_open_evenly_and_under_numbered_names() -> None:
    async with world() as w:
        begun = w.clock.monotonic()
        await traffic(w).open_rooms("support-{n}", 21, rate=10.0, people=False)
        assert w.clock.monotonic() - begun == pytest.approx(2.0)
        assert list(w.sandbox.rooms) == [f"support-{n}" for n in range(1, 22)]


async def test_with_people_somebody_is_in_each_and_stays() -> None:
    async with world() as w:
        await traffic(w).open_rooms("r{n}", 3, rate=10.0, people=True)
        await w.clock.sleep(600)
        assert [room.num_participants for room in w.sandbox.rooms.values()] == [1, 1, 1]


async def test_it_waits_for_all_workers() -> None:
    async with world() as w:
        workers = [w.sandbox.start_worker("mary"), w.sandbox.start_worker("tom")]
        await traffic(w).until_registered(workers)
        assert all(worker.registered for worker in workers)


async def test_agents_are_killed_one_at_a_time_as_long_as_there_are_any() -> None:
    async with world() as w:
        await w.worker()
        for room in ("a", "b"):
            await w.agent_in(room)
        deadly = traffic(w)
        w.tasks.spawn("kill", deadly.kill_agents(5.0))
        await w.clock.sleep(5.1)
        assert (deadly.agents_killed, counted(w).rooms_with_agent) == (1, 1)
        await w.clock.sleep(20)
        assert (deadly.agents_killed, counted(w).rooms_with_agent) == (2, 0)


async def test_the_figures_tell_what_is_true_whatever_is_listed() -> None:
    async with world(timing=Timing(twin_loss=0.0)) as w:
        worker = await w.worker()
        warmed_up = counted(w)
        await w.agent_in("one")
        await w.agent_in("two")
        await w.sandbox.create_dispatch("two", "mary")
        await w.sandbox.create_dispatch("none", "nobody")
        await w.clock.sleep(1)
        now = counted(w)
        assert (now.rooms - warmed_up.rooms, now.rooms_with_agent, now.doubled_agents) == (3, 2, 1)
        assert now.dispatches - warmed_up.dispatches == 4
        assert now.dispatches_lost - warmed_up.dispatches_lost == 1
        worker.kill()
        assert counted(w).rooms_with_agent == 0
        assert len(await w.identities("one")) == 1


async def test_lost_webhooks_and_accepted_ones_are_all_webhooks() -> None:
    async with world(faults=Faults(lose_webhooks=0.3, duplicate_webhooks=1)) as w:
        for n in range(100):
            w.sandbox.create_room(f"r{n}")
        await w.clock.sleep(1)
        now = counted(w)
        assert now.webhooks / 2 + now.webhooks_lost == 100
        assert now.webhooks_lost == pytest.approx(30, abs=15)


async def test_a_webhook_given_up_is_a_lost_one() -> None:
    async with world() as w:
        w.status = 500
        w.sandbox.create_room("r")
        await w.clock.sleep(14)
        assert counted(w).webhooks_lost == 0
        await w.clock.sleep(2)
        assert (counted(w).webhooks, counted(w).webhooks_lost) == (0, 1)
