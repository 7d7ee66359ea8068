"""The sign of life: one a minute, whatever number of replicas there are."""

import asyncio
from contextlib import suppress

import pytest

from orchestrator.runtime.watchdog import Watchdog
from tests.fakes.store import Line, MemoryAlerts, Server
from tests.unit.alerting.test_deliveries import LoopClock

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


async def test_two_replicas_send_one_a_minute() -> None:
    clock = LoopClock()
    line = Line(Server(clock))
    alerts = MemoryAlerts(line)
    with suppress(TimeoutError):
        async with asyncio.timeout(179), asyncio.TaskGroup() as replicas:
            for _ in range(2):
                replicas.create_task(Watchdog(alerts, clock).run())
    assert [(alert.type, alert.at) for alert in alerts.queued.values()] == [
        ("watchdog", 0.0),
        ("watchdog", 60.0),
        ("watchdog", 120.0),
    ]
