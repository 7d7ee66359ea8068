"""The store's time between two answers of the store, in real time: no test here waits."""

import time

import pytest

from orchestrator.runtime.clock import STEP, StoreClock, SystemRandomness

SLOW = 0.5
"""Seconds by which a starved machine may delay a reading here."""


@pytest.fixture
def clock() -> StoreClock:
    return StoreClock()


def learn(clock: StoreClock, store_time: float, *, took: float = 0.0) -> None:
    clock.learn(store_time, asked_at=clock.monotonic() - took)


def just_after(store_time: float) -> object:
    return pytest.approx(store_time + SLOW / 2, abs=SLOW / 2)


def test_until_the_store_has_answered_it_is_this_machines_time(clock: StoreClock) -> None:
    assert clock.now() == pytest.approx(time.time(), abs=SLOW)


@pytest.mark.parametrize("wrong_by", [-3600.0, -2 * STEP, 0.3, 3600.0])
def test_the_stores_time_replaces_this_machines_however_wrong_that_is(clock: StoreClock, wrong_by: float) -> None:
    store_time = clock.now() + wrong_by
    learn(clock, store_time)
    assert clock.now() == just_after(store_time)


def test_it_moves_on_between_two_answers(clock: StoreClock) -> None:
    learn(clock, 2_000_000_000.0)
    first, began = clock.now(), clock.monotonic()
    while clock.monotonic() < began + 0.002:  # it tells milliseconds
        pass
    assert clock.now() > first


def test_an_answer_that_travelled_longer_does_not_turn_it_back(clock: StoreClock) -> None:
    learn(clock, 2_000_000_000.0)
    before = clock.now()
    learn(clock, before - STEP / 2)
    assert clock.now() == before


def test_a_store_whose_clock_is_far_behind_is_followed_at_once(clock: StoreClock) -> None:
    """Another Redis took over: standing still until it has caught up would stop every deadline."""
    learn(clock, 2_000_000_000.0)
    learn(clock, 2_000_000_000.0 - 20)
    assert clock.now() == just_after(2_000_000_000.0 - 20)


def test_an_answer_that_waited_while_the_process_was_stopped_is_ignored(clock: StoreClock) -> None:
    learn(clock, 2_000_000_000.0)
    learn(clock, 2_000_000_000.0 - 60, took=60)
    assert clock.now() == just_after(2_000_000_000.0)


def test_attempt_ids_differ() -> None:
    randomness = SystemRandomness()
    assert len({randomness.attempt_id() for _ in range(1000)}) == 1000


def test_fractions_lie_below_one() -> None:
    randomness = SystemRandomness()
    assert all(0 <= randomness.fraction() < 1 for _ in range(1000))
