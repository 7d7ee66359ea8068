"""SimulatedLoop: time that jumps, and processes that stop, go on and die between two of their steps."""

import asyncio

import pytest

from tests.simulation.loop import Process, SimulatedLoop, Stuck, bury


@pytest.fixture
def loop() -> SimulatedLoop:
    return SimulatedLoop(most_steps=10_000)


class Diary:
    def __init__(self) -> None:
        self.lines: list[str] = []

    async def keep(self, name: str, every: float) -> None:
        try:
            while True:
                self.lines.append(f"{name} {asyncio.get_running_loop().time():g}")
                await asyncio.sleep(every)
        finally:
            self.lines.append(f"{name} is tidied up")


def test_a_year_of_waiting_takes_no_time(loop: SimulatedLoop) -> None:
    loop.run_until_complete(asyncio.sleep(31_536_000))
    assert loop.time() == 31_536_000
    bury(loop)


def test_a_process_that_is_stopped_does_when_it_wakes_what_became_due_meanwhile(loop: SimulatedLoop) -> None:
    diary, process = Diary(), Process(loop, "p")

    async def story() -> None:
        process.spawn("diary", diary.keep("p", 2.0))
        await asyncio.sleep(3)
        process.pause()
        await asyncio.sleep(10)
        process.resume()
        await asyncio.sleep(3)

    loop.run_until_complete(story())
    assert diary.lines == ["p 0", "p 2", "p 13", "p 15"]
    bury(loop)


def test_of_a_process_that_is_killed_not_another_line_is_executed(loop: SimulatedLoop) -> None:
    diary, process = Diary(), Process(loop, "p")

    async def story() -> None:
        process.spawn("diary", diary.keep("p", 2.0))
        await asyncio.sleep(3)
        process.kill()
        await asyncio.sleep(10)
        assert diary.lines == ["p 0", "p 2"]

    loop.run_until_complete(story())
    bury(loop)


def test_whoever_waits_for_an_answer_of_a_process_that_dies_is_refused(loop: SimulatedLoop) -> None:
    process = Process(loop, "p")

    async def story() -> int:
        answer: asyncio.Future[int] = loop.create_future()
        process.connect(answer, 0)
        loop.call_later(5, process.kill)
        return await answer

    assert loop.run_until_complete(story()) == 0
    assert loop.time() == 5
    bury(loop)


def test_what_a_process_starts_belongs_to_it_and_what_it_calls_outside_does_not(loop: SimulatedLoop) -> None:
    diary, process = Diary(), Process(loop, "p")

    async def work() -> None:
        loop.create_task(diary.keep("child", 2.0))
        loop.call_later(4, diary.lines.append, "timer of p")

    async def story() -> None:
        process.spawn("work", work())
        await asyncio.sleep(3)
        process.kill()
        await asyncio.sleep(10)
        assert diary.lines == ["child 0", "child 2"]

    loop.run_until_complete(story())
    bury(loop)


def test_a_run_that_never_ends_is_ended(loop: SimulatedLoop) -> None:
    def again() -> None:
        loop.call_soon(again)

    again()
    with pytest.raises(Stuck, match="steps"):
        loop.run_until_complete(asyncio.Event().wait())
    bury(loop)


def test_a_run_in_which_nothing_can_happen_any_more_is_ended(loop: SimulatedLoop) -> None:
    with pytest.raises(Stuck, match="nothing is left"):
        loop.run_until_complete(asyncio.Event().wait())
    bury(loop)


def test_the_first_failure_ends_the_run_at_once(loop: SimulatedLoop) -> None:
    async def story() -> None:
        loop.fail(ValueError("first"))
        loop.fail(ValueError("second"))
        await asyncio.sleep(1)

    with pytest.raises(ValueError, match="first"):
        loop.run_until_complete(story())
    assert loop.time() == 0
    bury(loop)
