"""How the times of a burst become numbers."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.burst.outcome import Outcome, RoomOutcome, percentile
from orchestrator.burst.plan import Way


def outcome(*seconds: float | None) -> Outcome:
    return Outcome(Way.PLAIN, [RoomOutcome(f"room-{n}", s) for n, s in enumerate(seconds)], looks=0)


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(50.0, 5.0), (90.0, 9.0), (95.0, 10.0), (99.0, 10.0), (100.0, 10.0), (1.0, 1.0)],
)
def test_a_percentile_is_the_time_of_a_room_by_nearest_rank(percent: float, expected: float) -> None:
    assert percentile([float(n) for n in range(1, 11)], percent, of=10) == expected


def test_rooms_without_an_agent_have_waited_for_ever() -> None:
    found = outcome(0.1, None, 0.3, 0.2)

    assert found.times == (0.1, 0.2, 0.3)
    assert found.lost == 1
    assert found.percentiles() == {"p50": 0.2, "p90": math.inf, "p95": math.inf, "p99": math.inf, "max": math.inf}


def test_of_no_rooms_nothing_is_known() -> None:
    assert outcome().percentile(50.0) == math.inf


@given(st.lists(st.floats(min_value=0, max_value=100), min_size=1), st.floats(min_value=0.1, max_value=100))
def test_so_many_percent_of_the_rooms_are_within_a_percentile(times: list[float], percent: float) -> None:
    limit = percentile(sorted(times), percent, of=len(times))

    assert sum(time <= limit for time in times) >= percent / 100 * len(times) - 1e-9
    assert limit in times
