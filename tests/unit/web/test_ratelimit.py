"""How often each caller may ask."""

import pytest

from orchestrator.web.ratelimit import BURST, CALLERS, RateLimit
from tests.unit.livekit_api.server import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def test_a_caller_has_as_many_turns_as_come_in_a_second_and_then_waits(clock: HandClock) -> None:
    limit = RateLimit(10, clock)
    assert [limit.wait("ann") for _ in range(11)] == [0] * 10 + [1]
    clock.time += 0.1
    assert [limit.wait("ann") for _ in range(2)] == [0, 1]


def test_one_caller_costs_another_nothing(clock: HandClock) -> None:
    limit = RateLimit(10, clock)
    for _ in range(20):
        limit.wait("ann")
    assert limit.wait("ben") == 0


def test_a_low_rate_lets_a_few_come_at_once_and_says_how_long_the_next_one_takes(clock: HandClock) -> None:
    limit = RateLimit(1 / 60, clock)
    assert [limit.wait("ann") for _ in range(6)] == [0] * int(BURST) + [60]
    clock.time += 59.9
    assert limit.wait("ann") == 1
    clock.time += 0.2
    assert limit.wait("ann") == 0


def test_turns_that_nobody_takes_do_not_add_up(clock: HandClock) -> None:
    limit = RateLimit(10, clock)
    limit.wait("ann")
    clock.time += 3600
    assert sum(limit.wait("ann") == 0 for _ in range(100)) == 10


def test_however_many_callers_there_are_those_remembered_are_bounded(clock: HandClock) -> None:
    limit = RateLimit(10, clock)
    for number in range(CALLERS + 10):
        limit.wait(str(number))
    assert len(limit) == CALLERS
