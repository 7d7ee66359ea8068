"""Which faults does a failure need? Delta debugging over the schedule: leave out what makes no difference."""

from dataclasses import replace

from tests.simulation.faults import Fault
from tests.simulation.judging import Broken
from tests.simulation.plan import Plan
from tests.simulation.replica import Composition
from tests.simulation.run import Outcome, run


def shrink(failed: Outcome, composition: Composition) -> Outcome:
    """The same failure with as few faults, wishes and rooms as can be: without any further one it does not happen."""
    outcome = failed
    faults = list(outcome.plan.faults)
    pieces = 2
    while faults:
        size = max(len(faults) // pieces, 1)
        for begin in range(0, len(faults), size):
            fewer = faults[:begin] + faults[begin + size :]
            tried = _again(outcome.plan, fewer, composition)
            if _same(tried, failed):
                outcome, faults, pieces = tried, fewer, max(pieces - 1, 2)
                break
        else:
            if size == 1:
                break
            pieces = min(pieces * 2, len(faults))
    return _with_fewer_rooms(_with_fewer_wishes(outcome, failed, composition), failed, composition)


def _with_fewer_wishes(outcome: Outcome, failed: Outcome, composition: Composition) -> Outcome:
    for wish in outcome.plan.wishes:
        tried = run(replace(outcome.plan, wishes=tuple(w for w in outcome.plan.wishes if w is not wish)), composition)
        if _same(tried, failed):
            outcome = tried
    return outcome


def _with_fewer_rooms(outcome: Outcome, failed: Outcome, composition: Composition) -> Outcome:
    for room in outcome.plan.rooms:
        plan = replace(outcome.plan, rooms=tuple(r for r in outcome.plan.rooms if r != room))
        tried = run(plan, composition)
        if _same(tried, failed):
            outcome = tried
    return outcome


def _again(plan: Plan, faults: list[Fault], composition: Composition) -> Outcome:
    return run(replace(plan, faults=tuple(faults)), composition)


def _same(tried: Outcome, failed: Outcome) -> bool:
    """Whether it is the same invariant that breaks; of which session may differ."""
    if isinstance(tried.failure, Broken) and isinstance(failed.failure, Broken):
        return tried.failure.number == failed.failure.number
    return type(tried.failure) is type(failed.failure)
