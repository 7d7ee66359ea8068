"""Watching: what can only be known by looking now and then."""

import asyncio
from contextlib import suppress

import pytest

from orchestrator.observability.metrics import Metrics
from orchestrator.observability.watching import watch_loop, watch_store
from orchestrator.runtime.ports import SlotEnd, SlotReply, StoreUnavailable
from tests.unit.observability.test_metrics import samples

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


class LateClock:
    """The loop's time, but every sleep ends a tenth of a second late."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds + 0.1)


class Counts:
    """Slots and an outbox that only count."""

    def __init__(self) -> None:
        self.waiting = 5
        self.down = False

    async def take(self, agent_name: str, holder: str, *, priority: int, since: float, hold: float) -> SlotReply:
        raise NotImplementedError

    async def give_back(self, agent_name: str, holder: str, end: SlotEnd, *, accept_window: float, cause: object) -> None:
        raise NotImplementedError

    async def welcome(self, agent_name: str) -> None: ...

    async def counts(self) -> dict[str, tuple[int, int, int, bool]]:
        if self.down:
            raise StoreUnavailable("down")
        return {"mary": (4, 4, self.waiting, False)}

    async def pending(self) -> dict[str, int]:
        return {"hook": 3}

    async def silenced(self) -> dict[str, int]:
        return {"hook": 2}


async def test_the_lag_of_the_event_loop_is_what_a_sleep_took_too_long() -> None:
    metrics = Metrics([], "1")
    with suppress(TimeoutError):
        async with asyncio.timeout(3.1):
            await watch_loop(metrics, LateClock())
    assert samples(metrics, "rollcall_event_loop_lag_seconds_count") == {"rollcall_event_loop_lag_seconds_count": 5.0}
    assert samples(metrics, "rollcall_event_loop_lag_seconds_sum")["rollcall_event_loop_lag_seconds_sum"] == pytest.approx(0.5)


async def test_slots_and_alerts_are_read_again_and_again_also_after_the_store_was_away() -> None:
    metrics, counts = Metrics(["mary"], "1"), Counts()

    async def watch(seconds: float) -> dict[str, float]:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await watch_store(counts, counts, metrics, LateClock())
        return samples(metrics, "rollcall_dispatches_waiting") | samples(metrics, "rollcall_alerts")

    alerts = {'rollcall_alerts_pending{sink="hook"}': 3.0, 'rollcall_alerts_silenced{sink="hook"}': 2.0}
    seen = {'rollcall_dispatches_waiting{agent="mary"}': 5.0} | alerts
    assert await watch(1) == seen
    counts.waiting, counts.down = 9, True
    assert await watch(20) == seen
    counts.down = False
    assert await watch(20) == seen | {'rollcall_dispatches_waiting{agent="mary"}': 9.0}
