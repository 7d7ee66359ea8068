"""Shares of the API budget: they follow demand, make one together, and outlive an outage of the store. In virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from orchestrator.runtime.budget import Allowance, Purpose
from orchestrator.runtime.shares import FORGOTTEN, PERIOD, ShareKeeper
from orchestrator.runtime.tasks import Tasks
from tests.fakes.store import Line, MemoryLeases, MemoryShares, Server
from tests.unit.runtime.service import VirtualClock

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

BUDGET = 100.0
SETTLED = 3 * PERIOD
"""Seconds in which everybody has asked, let go, and been given what is left."""


class Replica:
    """One replica's allowance, and its way to the store."""

    def __init__(self, name: str, server: Server, tasks: Tasks) -> None:
        clock = VirtualClock()
        self.tasks = tasks
        self.name = name
        self.line = Line(server)
        self.allowance = Allowance(BUDGET, clock, tasks)
        self.leases = MemoryLeases(self.line)
        self.keeper = ShareKeeper(name, self.allowance, MemoryShares(self.line), self.leases, clock)

    async def begin(self) -> None:
        await self.leases.renew(self.name, 3600)
        self.keeping = self.tasks.spawn(self.name, self.keeper.run())

    def call(self, purpose: Purpose, *, per_second: float, seconds: float) -> None:
        """Make calls at this pace, whether or not those before have had their turn."""
        self.tasks.spawn(f"{self.name}:calls", self._call(purpose, per_second, seconds))

    async def _call(self, purpose: Purpose, per_second: float, seconds: float) -> None:
        for _ in range(int(per_second * seconds)):
            self.tasks.spawn(f"{self.name}:call", self.allowance.take(purpose))
            await asyncio.sleep(1 / per_second)


@asynccontextmanager
async def replicas(count: int) -> AsyncIterator[tuple[Server, list[Replica]]]:
    """So many replicas that have known of each other for a while."""

    def crashed(name: str, error: BaseException) -> None:
        raise AssertionError(name) from error

    tasks, server = Tasks(crashed), Server(VirtualClock())
    several = [Replica(f"replica-{number}", server, tasks) for number in range(count)]
    for replica in several:
        await replica.begin()
    await asyncio.sleep(SETTLED)
    try:
        yield server, several
    finally:
        await tasks.cancel()


def rates(several: list[Replica]) -> list[float]:
    return [replica.allowance.per_second for replica in several]


async def test_a_lone_replica_may_spend_the_whole_budget() -> None:
    async with replicas(1) as (_, [alone]):
        alone.call(Purpose.PULSE, per_second=10, seconds=60)
        await asyncio.sleep(60)
        assert (alone.keeper.part, alone.allowance.per_second) == (1.0, BUDGET)


async def test_idle_replicas_share_evenly() -> None:
    async with replicas(3) as (_, several):
        assert rates(several) == pytest.approx([BUDGET / 3] * 3)


async def test_who_has_more_to_ask_gets_more_and_all_together_stay_within_the_budget() -> None:
    async with replicas(3) as (_, several):
        busy, *idle = several
        busy.call(Purpose.LOOK, per_second=70, seconds=60)
        for _ in range(40):
            await asyncio.sleep(1)
            assert sum(rates(several)) <= BUDGET + 1e-9
        assert busy.allowance.per_second >= 70
        assert sum(busy.allowance.waiting(purpose) for purpose in Purpose) <= 1
        assert all(replica.allowance.per_second > 5 for replica in idle)


async def test_calls_that_wait_count_as_wanted() -> None:
    """Otherwise who has little could never show that it wants more."""
    async with replicas(2) as (_, [starved, other]):
        other.call(Purpose.PULSE, per_second=30, seconds=300)
        await asyncio.sleep(SETTLED)
        before = starved.allowance.per_second
        starved.call(Purpose.LOOK, per_second=60, seconds=60)
        await asyncio.sleep(SETTLED)
        assert starved.allowance.per_second > max(before, 55)


async def test_a_part_goes_back_step_by_step_when_a_burst_is_over() -> None:
    async with replicas(2) as (_, [one, other]):
        one.call(Purpose.LOOK, per_second=80, seconds=20)
        await asyncio.sleep(20)
        seen = []
        for _ in range(8):
            seen.append(one.allowance.per_second)
            await asyncio.sleep(PERIOD)
        assert seen == sorted(seen, reverse=True)
        assert seen[0] - seen[1] < 30
        assert rates([one, other]) == pytest.approx([50, 50], rel=0.1)


async def test_a_dead_replicas_part_goes_to_the_others() -> None:
    async with replicas(2) as (_, [alive, dead]):
        dead.keeping.cancel()
        await asyncio.sleep(FORGOTTEN + PERIOD)
        assert alive.allowance.per_second == BUDGET


async def test_while_the_store_is_away_everybody_keeps_its_part_until_it_is_forgotten() -> None:
    async with replicas(2) as (server, [busy, idle]):
        busy.call(Purpose.LOOK, per_second=60, seconds=120)
        await asyncio.sleep(2 * SETTLED)
        before = rates([busy, idle])
        server.down = True
        await asyncio.sleep(FORGOTTEN - 2 * PERIOD)
        assert rates([busy, idle]) == before
        with capture_logs() as lines:
            await asyncio.sleep(60)
        assert rates([busy, idle]) == [BUDGET / 2] * 2
        assert (
            lines == [{"event": "api_budget_split_evenly", "log_level": "warning", "replicas": 2, "per_second": BUDGET / 2}] * 2
        )


async def test_nobody_is_left_with_very_little_when_the_store_is_back() -> None:
    async with replicas(3) as (server, several):
        server.down = True
        await asyncio.sleep(30)
        server.down = False
        for _ in range(200):
            await asyncio.sleep(0.1)
            assert rates(several) == pytest.approx([BUDGET / 3] * 3)


async def test_a_newcomer_begins_with_an_even_part() -> None:
    async with replicas(1) as (server, [first]):
        second = Replica("second", server, first.tasks)
        await second.begin()
        await asyncio.sleep(0.1)
        assert second.allowance.per_second == BUDGET / 2
        await asyncio.sleep(SETTLED)
        assert rates([first, second]) == pytest.approx([BUDGET / 2] * 2)


async def test_parts_follow_demand_again_when_the_store_is_back() -> None:
    async with replicas(2) as (server, [busy, idle]):
        busy.call(Purpose.LOOK, per_second=60, seconds=120)
        server.down = True
        await asyncio.sleep(30)
        assert rates([busy, idle]) == [BUDGET / 2] * 2
        server.down = False
        await asyncio.sleep(SETTLED)
        assert busy.allowance.per_second > 60


async def test_a_replica_that_never_reached_the_store_knows_of_no_other() -> None:
    tasks, server = Tasks(lambda _name, _error: None), Server(VirtualClock())
    server.down = True
    replica = Replica("alone", server, tasks)
    tasks.spawn("keeper", replica.keeper.run())
    await asyncio.sleep(60)
    assert replica.allowance.per_second == BUDGET
    await tasks.cancel()
