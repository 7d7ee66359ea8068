"""What a person needs to understand a failure, and to see it again."""

from tests.simulation.judging import Broken
from tests.simulation.replica import Composition
from tests.simulation.run import Outcome
from tests.simulation.shrink import shrink

_LINES = 200
"""Of a history: the last so many."""


def story(failed: Outcome, composition: Composition) -> str:
    """The seed, the schedule without what makes no difference, and the history of the session concerned."""
    shrunk = shrink(failed, composition)
    room = shrunk.failure.room if isinstance(shrunk.failure, Broken) else ""
    history = shrunk.trace.history(room).splitlines()
    bug = f" --bug {composition.name}" if composition.name else ""
    return "\n".join(
        [
            f"seed {failed.plan.seed}: {failed.failure}",
            f"see it again: python -m tests.simulation --replay {failed.plan.seed}{bug}",
            "",
            f"what it needs ({len(shrunk.plan.faults)} of {len(failed.plan.faults)} faults): {shrunk.failure}",
            *(f"  {fault}" for fault in shrunk.plan.faults),
            *(f"  {wish}" for wish in shrunk.plan.wishes),
            f"  {shrunk.plan.policy}",
            *(f"  {worker}" for worker in shrunk.plan.workers),
            "",
            f"history of {room or 'everything'}:",
            *history[-_LINES:],
        ]
    )
