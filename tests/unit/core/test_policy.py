"""Backoff and deadlines."""

import pytest

from orchestrator.core.policy import Policy, backoff_ceiling, candidate_deadline


@pytest.mark.parametrize(("failures", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8), (5, 15), (50, 15)])
def test_the_wait_doubles_from_one_second_up_to_its_cap(failures: int, seconds: float) -> None:
    assert backoff_ceiling(Policy(), failures) == seconds


def test_each_fallback_keeps_one_join_window_of_the_deadline() -> None:
    policy = Policy(deadline=90, join_window=15)
    assert [candidate_deadline(policy, 100.0, left) for left in (2, 1, 0)] == [160.0, 175.0, 190.0]


def test_a_deadline_too_short_for_its_fallbacks_ends_at_once_and_not_before() -> None:
    assert candidate_deadline(Policy(deadline=20, join_window=15), 100.0, 3) == 100.0
