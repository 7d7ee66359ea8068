"""TimeLimit: many waits, one timer, and each ends when it should."""

import asyncio
from typing import Any

import pytest

from orchestrator.web.timelimit import TimeLimit

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


def now() -> float:
    return asyncio.get_running_loop().time()


async def outlasts(limit: TimeLimit, seconds: float) -> float | None:
    """Wait under a limit; when the wait was interrupted, if it was."""
    try:
        with limit.wait():
            await asyncio.sleep(seconds)
    except TimeoutError:
        return now()
    return None


async def test_a_wait_that_takes_too_long_is_interrupted_at_the_limit() -> None:
    began = now()
    assert await outlasts(TimeLimit(5), 60) == pytest.approx(began + 5)


async def test_a_wait_that_ends_in_time_is_left_alone() -> None:
    limit = TimeLimit(5)
    assert await outlasts(limit, 4.9) is None
    await asyncio.sleep(60)  # nothing of it is left that could strike this task later


async def test_each_of_many_waits_has_the_whole_limit() -> None:
    began, limit = now(), TimeLimit(5)

    async def later(delay: float, seconds: float) -> float | None:
        await asyncio.sleep(delay)
        return await outlasts(limit, seconds)

    ends = await asyncio.gather(later(0, 60), later(1, 2), later(2, 60), later(4, 4.9), later(30, 60))
    assert [end and round(end - began, 3) for end in ends] == [5, None, 7, None, 35]


async def test_a_thousand_waits_share_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, limit = asyncio.get_running_loop(), TimeLimit(5)
    call_at, timers = loop.call_at, []

    def counted(when: float, *rest: Any, **more: Any) -> asyncio.TimerHandle:
        timers.append(when)
        return call_at(when, *rest, **more)

    monkeypatch.setattr(loop, "call_at", counted)
    for _ in range(1000):
        with limit.wait():
            pass
    assert len(timers) == 1


async def test_a_limit_that_has_been_idle_limits_again() -> None:
    limit = TimeLimit(5)
    assert await outlasts(limit, 60) is not None
    await asyncio.sleep(600)
    began = now()
    assert await outlasts(limit, 60) == pytest.approx(began + 5)


async def test_what_the_waiter_raises_passes() -> None:
    with pytest.raises(KeyError), TimeLimit(5).wait():
        raise KeyError


async def test_a_cancellation_by_somebody_else_stays_one() -> None:
    waiting = asyncio.gather(outlasts(TimeLimit(5), 60))
    await asyncio.sleep(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_cancellation_in_the_same_moment_as_the_limit_stays_one() -> None:
    """Else a shutdown could be swallowed."""
    waiting = asyncio.gather(outlasts(TimeLimit(5), 60))
    asyncio.get_running_loop().call_later(5, waiting.cancel)
    with pytest.raises(asyncio.CancelledError):
        await waiting
