"""What a feed of sessions is made with, where nothing else is told beside them."""

from orchestrator.runtime.ports import Clock
from orchestrator.runtime.tasks import Tasks
from orchestrator.web.feed import FeedParts
from tests.fakes.store import MemoryChanges, MemoryStore


def feed_parts(store: MemoryStore, clock: Clock, tasks: Tasks) -> FeedParts:
    """Its changes are those of this store."""
    return FeedParts(
        store=store,
        changes=MemoryChanges(store.line),
        clock=clock,
        spawn=tasks.spawn,
        paused=tuple,
        warnings=_nothing,
        incidents=_none,
        version="1",
    )


async def _nothing() -> tuple[str, ...]:
    return ()


async def _none() -> int:
    return 0
