"""A worker is announced for as long as LiveKit can give it jobs, and not a moment longer."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from worker.orchestrator import Announcement, OrchestratorError
from worker.presence import Announcer, part_of

IDLE = Announcement("mary", 0.0, 0, 4, "1", "eu", (), draining=False)


class FakeWorker:
    """A worker that has just registered."""

    def __init__(self) -> None:
        self.id = "AW_1"
        self.serving = True
        self.closed = False
        self.now = IDLE

    def announcement(self) -> Announcement:
        return self.now


class FakeLine:
    """Keeps what it is told, with the time; takes nothing while it is `away`."""

    def __init__(self) -> None:
        self.away = False
        self.heard: list[tuple[float, str, bool]] = []
        """(seconds, worker id, whether it is draining) of each announcement."""
        self.withdrawn: list[tuple[float, str]] = []

    async def announce(self, worker_id: str, announcement: Announcement) -> None:
        self._fail_if_away()
        self.heard.append((asyncio.get_running_loop().time(), worker_id, announcement.draining))

    async def withdraw(self, worker_id: str) -> None:
        self._fail_if_away()
        self.withdrawn.append((asyncio.get_running_loop().time(), worker_id))

    def _fail_if_away(self) -> None:
        if self.away:
            raise OrchestratorError("not reached")


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def line() -> FakeLine:
    return FakeLine()


@pytest_asyncio.fixture
async def announcer(worker: FakeWorker, line: FakeLine) -> AsyncIterator[Announcer]:
    yield Announcer(worker, line)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


async def test_nothing_is_said_before_the_worker_has_registered(announcer: Announcer, line: FakeLine) -> None:
    await asyncio.sleep(20)
    assert line.heard == []


async def test_a_registered_worker_is_announced_at_once_and_every_five_seconds(announcer: Announcer, line: FakeLine) -> None:
    announcer.begin()
    await asyncio.sleep(17)
    assert [round(at) for at, _, _ in line.heard] == [0, 5, 10, 15]


async def test_a_second_registration_starts_no_second_round(announcer: Announcer, line: FakeLine) -> None:
    announcer.begin()
    announcer.begin()
    await asyncio.sleep(12)
    assert len(line.heard) == 3


async def test_a_worker_that_drains_says_so_within_half_a_second(
    announcer: Announcer, worker: FakeWorker, line: FakeLine
) -> None:
    announcer.begin()
    await asyncio.sleep(6.1)
    worker.now = replace(IDLE, draining=True)
    await asyncio.sleep(0.6)
    assert [draining for _, _, draining in line.heard] == [False, False, True]


async def test_a_worker_that_lost_livekit_withdraws_and_is_announced_again_when_it_is_back(
    announcer: Announcer, worker: FakeWorker, line: FakeLine
) -> None:
    announcer.begin()
    await asyncio.sleep(1.1)
    worker.serving = False
    await asyncio.sleep(30)
    assert [worker_id for _, worker_id in line.withdrawn] == ["AW_1"]
    assert line.withdrawn[0][0] < 2
    assert len(line.heard) == 1
    worker.id, worker.serving = "AW_2", True
    await asyncio.sleep(0.6)
    assert [worker_id for _, worker_id, _ in line.heard] == ["AW_1", "AW_2"]


async def test_a_worker_that_registered_anew_in_the_twinkling_of_an_eye_leaves_no_other_of_itself_behind(
    announcer: Announcer, worker: FakeWorker, line: FakeLine
) -> None:
    """LiveKit gives it a new id each time."""
    announcer.begin()
    await asyncio.sleep(1.1)
    worker.id = "AW_2"
    await asyncio.sleep(0.6)
    assert [worker_id for _, worker_id in line.withdrawn] == ["AW_1"]
    assert [worker_id for _, worker_id, _ in line.heard] == ["AW_1", "AW_2"]


async def test_a_closed_worker_withdraws(announcer: Announcer, worker: FakeWorker, line: FakeLine) -> None:
    announcer.begin()
    await asyncio.sleep(1.1)
    worker.closed = True
    await asyncio.sleep(20)
    assert [worker_id for _, worker_id in line.withdrawn] == ["AW_1"]
    assert len(line.heard) == 1


async def test_a_process_that_ends_its_tasks_withdraws_its_worker(announcer: Announcer, line: FakeLine) -> None:
    """`python -m livekit.agents start` ends so."""
    announcer.begin()
    await asyncio.sleep(1.1)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    assert [worker_id for _, worker_id in line.withdrawn] == ["AW_1"]


async def test_an_orchestrator_that_is_away_is_told_of_once_and_so_is_its_return(
    announcer: Announcer, line: FakeLine, caplog: pytest.LogCaptureFixture
) -> None:
    line.away = True
    with caplog.at_level(logging.INFO, "rollcall.worker"):
        announcer.begin()
        await asyncio.sleep(31)
        line.away = False
        await asyncio.sleep(31)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "presence not announced"),
        ("INFO", "presence announced again"),
    ]
    assert len(line.heard) == 6


@pytest.mark.parametrize(
    ("load", "threshold", "part"),
    [
        (0.0, 0.7, 0.0),
        (0.35, 0.7, 0.5),
        (0.7, 0.7, 1.0),
        (1.4, 0.7, 2.0),
        (-1.0, 0.7, 0.0),
        (3.0, math.inf, 0.99),
        (0.125, math.inf, 0.125),
        (math.inf, 0.7, 1.0),
        (math.nan, 0.7, 1.0),
        (0.5, 0.0, 1.0),
        (1e9, 0.7, 1000.0),
    ],
)
async def test_a_worker_is_full_where_livekit_agents_takes_no_more_jobs(load: float, threshold: float, part: float) -> None:
    assert part_of(load, threshold) == part
