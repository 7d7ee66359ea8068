"""Tasks: named, kept, guarded, and ended at shutdown."""

import asyncio
import gc
from typing import NoReturn

import pytest
from structlog.testing import capture_logs

from orchestrator.runtime.tasks import Tasks

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


class Crashes(list[tuple[str, BaseException]]):
    def add(self, name: str, error: BaseException) -> None:
        self.append((name, error))


@pytest.fixture
def crashes() -> Crashes:
    return Crashes()


@pytest.fixture
def tasks(crashes: Crashes) -> Tasks:
    return Tasks(crashes.add)


async def fail() -> NoReturn:
    raise ValueError("a defect")


async def test_a_task_has_its_name_and_gives_its_result_to_who_awaits_it(tasks: Tasks) -> None:
    task = tasks.spawn("answer", asyncio.sleep(1, result=42))
    assert task.get_name() == "answer"
    assert await task == 42


async def test_a_running_task_is_kept_and_counted_and_an_ended_one_is_not(tasks: Tasks) -> None:
    """asyncio alone would let the collector take a task that nobody refers to."""
    done = asyncio.Event()

    async def work() -> None:
        await asyncio.sleep(5)
        done.set()

    tasks.spawn("kept", work())
    gc.collect()
    assert len(tasks) == 1
    await done.wait()
    await tasks.drain(1)
    assert len(tasks) == 0


async def test_a_crash_is_logged_with_the_tasks_name_and_handed_on(tasks: Tasks, crashes: Crashes) -> None:
    with capture_logs() as logs:
        tasks.spawn("settle:mary", fail())
        await tasks.drain(1)
    ((name, error),) = crashes
    assert (name, str(error)) == ("settle:mary", "a defect")
    assert logs == [{"event": "task_crashed", "task": "settle:mary", "log_level": "error", "exc_info": error}]


async def test_a_cancelled_task_is_no_crash(tasks: Tasks, crashes: Crashes) -> None:
    tasks.spawn("waits", asyncio.sleep(60))
    await tasks.cancel()
    assert (len(tasks), crashes) == (0, [])


async def test_draining_waits_for_tasks_that_end_by_themselves(tasks: Tasks) -> None:
    started = asyncio.get_running_loop().time()
    task = tasks.spawn("short", asyncio.sleep(3, result="done"))
    await tasks.drain(10)
    assert task.result() == "done"
    assert asyncio.get_running_loop().time() - started == pytest.approx(3)


async def test_draining_waits_for_what_its_tasks_still_spawn(tasks: Tasks) -> None:
    ended = []

    async def first() -> None:
        await asyncio.sleep(1)
        tasks.spawn("second", second())

    async def second() -> None:
        await asyncio.sleep(1)
        ended.append("second")

    tasks.spawn("first", first())
    await tasks.drain(10)
    assert ended == ["second"]


async def test_draining_cuts_off_at_its_timeout_and_names_who_was_cut_off(tasks: Tasks) -> None:
    started = asyncio.get_running_loop().time()
    task = tasks.spawn("endless", asyncio.sleep(3600))
    with capture_logs() as logs:
        await tasks.drain(10)
    assert task.cancelled()
    assert asyncio.get_running_loop().time() - started == pytest.approx(10)
    assert logs == [{"event": "tasks_cut_off", "names": ["endless"], "log_level": "warning"}]


async def test_a_task_may_end_all_the_others(tasks: Tasks) -> None:
    other = tasks.spawn("other", asyncio.sleep(60))
    await tasks.spawn("shutdown", tasks.cancel())
    assert other.cancelled()
