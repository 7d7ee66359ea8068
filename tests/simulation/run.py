"""One plan, from the beginning to the end, or to the first invariant that breaks."""

import contextvars
import logging
import sys
import time
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import structlog

from tests.simulation.judging import Broken
from tests.simulation.loop import SimulatedLoop, Stuck, bury
from tests.simulation.plan import Plan
from tests.simulation.replica import Composition
from tests.simulation.trace import Trace
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Outcome:
    plan: Plan
    failure: Broken | Stuck | None
    trace: Trace
    simulated: float
    """Seconds."""
    real: float
    steps: int


def run(plan: Plan, composition: Composition | None = None) -> Outcome:
    """Live through a plan. The same plan and composition give the same outcome, line by line."""
    begun = time.monotonic()
    loop = SimulatedLoop()
    composition = composition or Composition()
    world = contextvars.copy_context().run(World, loop, plan, composition)
    failure: Broken | Stuck | None = None
    with _logs_of(world), composition.in_place():
        try:
            loop.run_until_complete(world.live())
        except (Broken, Stuck) as broken:
            failure = broken
        finally:
            bury(loop)
    return Outcome(plan, failure, world.trace, loop.time(), time.monotonic() - begun, loop.steps)


@contextmanager
def _logs_of(world: World) -> Iterator[None]:
    """The trace tells the story, and thousands of lines of log would only take time; but a defect that was caught is one."""
    before = structlog.get_config()

    def hear(_logger: object, _method: str, event: MutableMapping[str, Any]) -> NoReturn:
        if error := sys.exc_info()[1] if event.get("exc_info") else None:
            lines = "".join(traceback.format_exception(error))
            world.loop.fail(Broken("I18", "No unhandled exception, whatever happens", "", f"{event['event']}: {lines}"))
        raise structlog.DropEvent

    structlog.configure(processors=[hear], wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**before)
