"""Checks run beside each other, those that need others after them, and none of them for ever."""

import asyncio
from collections.abc import Sequence

import pytest

from orchestrator.doctor.examination import Check, examine
from orchestrator.doctor.findings import Finding, failed, ok, skipped
from orchestrator.runtime.tasks import Tasks

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


def takes(name: str, seconds: float, finding: Finding, needs: tuple[str, ...] = (), after: tuple[str, ...] = ()) -> Check:
    async def work() -> Sequence[Finding]:
        await asyncio.sleep(seconds)
        return [finding]

    return Check(name, work, needs, after)


async def findings_of(*checks: Check, seconds: float = 60.0) -> list[Finding]:
    tasks = Tasks(lambda _name, _error: None)
    try:
        return [finding async for finding in examine(checks, tasks, seconds=seconds)]
    finally:
        await tasks.cancel()


async def test_checks_that_do_not_need_each_other_take_as_long_as_the_slowest_and_keep_their_order() -> None:
    began = asyncio.get_running_loop().time()

    found = await findings_of(takes("slow", 10, ok("slow", "")), takes("fast", 1, ok("fast", "")))

    assert [finding.check for finding in found] == ["slow", "fast"]
    assert asyncio.get_running_loop().time() - began == pytest.approx(10)


async def test_what_needs_a_failed_check_is_skipped_and_so_is_what_needs_that() -> None:
    found = await findings_of(
        takes("url", 1, failed("url", "", "")),
        takes("key", 1, ok("key", ""), needs=("url",)),
        takes("rights", 1, ok("rights", ""), needs=("key",)),
        takes("redis", 1, ok("redis", "")),
    )

    assert [(finding.check, finding.status.value) for finding in found] == [
        ("url", "failed"),
        ("key", "skipped"),
        ("rights", "skipped"),
        ("redis", "ok"),
    ]
    assert "key has to be right first" in found[2].message


async def test_a_check_that_could_say_nothing_does_not_stop_what_needs_it() -> None:
    found = await findings_of(takes("service", 1, skipped("service", "")), takes("hook", 1, ok("hook", ""), needs=("service",)))

    assert found[1].status == "ok"


async def test_what_comes_after_a_check_waits_for_it_whatever_it_finds() -> None:
    found = await findings_of(
        takes("agents", 5, failed("agents", "", "")), takes("canary", 1, ok("canary", ""), after=("agents",))
    )

    assert found[1].status == "ok"


async def test_a_check_that_is_not_over_in_time_has_failed_and_what_was_not_begun_is_skipped() -> None:
    began = asyncio.get_running_loop().time()

    found = await findings_of(
        takes("hangs", 1000, ok("hangs", "")),
        takes("waits", 1, ok("waits", ""), after=("hangs",)),
        seconds=20,
    )

    assert asyncio.get_running_loop().time() - began == pytest.approx(20)
    assert [(finding.status.value, finding.message) for finding in found] == [
        ("failed", "It was not over 20 s after the start."),
        ("skipped", "No time was left of 20 s."),
    ]
