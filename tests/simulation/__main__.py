"""python -m tests.simulation: many seeds, one seed again, or the planted bugs."""

import argparse
import sys
import time
from collections.abc import Sequence

from tests.simulation.bugs import BUGS
from tests.simulation.plan import draw
from tests.simulation.replica import Composition
from tests.simulation.report import story
from tests.simulation.run import Outcome, run

_PROGRESS = 10.0
"""Seconds between two lines that say how far it is."""


def main(arguments: Sequence[str] | None = None) -> int:
    """How many failed, as the exit status: 0 or 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many (default: %(default)s)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no further seed after so many")
    parser.add_argument("--replay", type=int, metavar="SEED", help="live through one seed again, and tell its whole story")
    parser.add_argument("--bug", choices=sorted(BUGS), help="with a planted bug")
    parser.add_argument("--bugs", action="store_true", help="find each planted bug within --seeds, and print how")
    options = parser.parse_args(arguments)
    composition = BUGS[options.bug] if options.bug else Composition()
    if options.replay is not None:
        return _replay(options.replay, composition)
    if options.bugs:
        return _hunt(options.first, options.seeds)
    return _all(options.first, options.seeds, options.seconds, composition)


def _say(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _all(first: int, seeds: int, seconds: float, composition: Composition) -> int:
    begun = told = time.monotonic()
    simulated, failed, lived = 0.0, 0, 0
    for seed in range(first, first + seeds):
        if time.monotonic() - begun > seconds:
            break
        outcome = run(draw(seed), composition)
        lived, simulated = lived + 1, simulated + outcome.simulated
        if outcome.failure:
            failed += 1
            _say(f"\n{story(outcome, composition)}\n")
        if time.monotonic() - told > _PROGRESS:
            told = time.monotonic()
            _say(f"{lived} seeds, {failed} failed")
    real = time.monotonic() - begun
    _say(
        f"{lived} seeds ({first} to {first + lived - 1}), {failed} failed; "
        f"{simulated / 3600:.1f} simulated hours in {real:.0f} s: {simulated / 3600 / real:.2f} simulated hours per second"
    )
    return int(failed > 0)


def _replay(seed: int, composition: Composition) -> int:
    outcome = run(draw(seed), composition)
    _say(outcome.trace.text())
    _say(f"\n{outcome.steps} steps, {outcome.simulated:.0f} simulated seconds in {outcome.real:.2f} s")
    if outcome.failure:
        _say(f"\n{story(outcome, composition)}")
    return int(outcome.failure is not None)


def find(bug: Composition, first: int, seeds: int) -> Outcome | None:
    """How the first of these seeds fails that fails because of the bug alone."""
    for seed in range(first, first + seeds):
        outcome = run(draw(seed), bug)
        if outcome.failure and run(draw(seed)).failure is None:
            return outcome
    return None


def _hunt(first: int, seeds: int) -> int:
    missed = 0
    for name, bug in BUGS.items():
        outcome = find(bug, first, seeds)
        missed += outcome is None
        seen = f"seed {outcome.plan.seed}: {str(outcome.failure).splitlines()[0]}" if outcome else "NOT FOUND"
        _say(f"{name:45} {seen}")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
