"""Whatever breaks, what must hold holds: a hundred seeds, the same story each time, and proof that it can fail."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.simulation.__main__ import find
from tests.simulation.bugs import BUGS, DropsTheFence, TrustsListings
from tests.simulation.faults import KINDS
from tests.simulation.judging import Broken
from tests.simulation.plan import draw
from tests.simulation.planting import Bug
from tests.simulation.replica import Composition
from tests.simulation.report import story
from tests.simulation.run import run
from tests.simulation.shrink import shrink
from tests.simulation.wishes import Asks

SEEDS = 100
PART = 10
WITHIN = 200
"""Seeds in which each planted bug must show."""

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.timeout(180)  # it computes all the time, mostly beside another such test


@pytest.mark.parametrize("first", range(1, SEEDS + 1, PART))
def test_the_invariants_hold_whatever_breaks(first: int) -> None:
    for seed in range(first, first + PART):
        outcome = run(draw(seed))
        assert outcome.failure is None, story(outcome, Composition())


def test_one_seed_tells_one_story_line_by_line() -> None:
    for seed in range(1, 16):
        assert run(draw(seed)).trace.text() == run(draw(seed)).trace.text(), f"seed {seed}"


def test_the_story_does_not_depend_on_how_this_process_hashes() -> None:
    code = (
        "import hashlib; from tests.simulation.run import run; from tests.simulation.plan import draw;"
        "print(hashlib.sha256(''.join(run(draw(s)).trace.text() for s in (3, 4, 7)).encode()).hexdigest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hashes},  # noqa: TID251 - the program needs the rest of it
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hashes in ("1", "2")
    }
    assert len(told) == 1


def test_every_kind_of_fault_is_drawn() -> None:
    drawn = {fault.kind for seed in range(1, 3 * SEEDS) for fault in draw(seed).faults}
    assert drawn == set(KINDS)


def test_every_kind_of_wish_is_drawn() -> None:
    wishes = [wish for seed in range(1, SEEDS) for wish in draw(seed).wishes]
    assert {wish.asks for wish in wishes} == set(Asks)
    assert {wish.grace > 0 for wish in wishes} == {True, False}
    assert any(wish.again_after == 0.0 for wish in wishes), "two that ask at the same moment"
    assert any(first.room == second.room and first.at == second.at for first, second in pairwise(wishes))


@pytest.mark.parametrize("bug", BUGS.values(), ids=lambda bug: bug.name)
@pytest.mark.slow
def test_a_planted_bug_is_found(bug: Bug) -> None:
    assert find(bug, bug.first, WITHIN) is not None


def test_a_failure_is_shrunk_to_what_it_needs() -> None:
    bug = DropsTheFence()
    failed = find(bug, 1, WITHIN)
    assert failed is not None
    shrunk = shrink(failed, bug)
    assert isinstance(shrunk.failure, Broken)
    assert shrunk.failure.number == "I9"
    assert len(shrunk.plan.faults) <= len(failed.plan.faults)
    for fault in shrunk.plan.faults:
        fewer = run(shrunk.plan.without([fault]), bug).failure
        assert not (isinstance(fewer, Broken) and fewer.number == "I9"), "this fault made no difference"


def test_a_failure_is_told_with_its_seed_its_faults_and_the_history_of_its_session() -> None:
    bug = TrustsListings()
    failed = find(bug, 1, WITHIN)
    assert failed is not None
    told = story(failed, bug)
    assert f"--replay {failed.plan.seed} --bug" in told
    assert "I2 is broken" in told
    assert "verified" in told
