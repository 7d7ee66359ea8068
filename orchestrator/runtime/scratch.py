"""Scratch rooms: made for a moment, and deleted whatever happens to whoever made them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from orchestrator.core.listing import ListedRoom
from orchestrator.core.scratch import METADATA
from orchestrator.runtime.ports import LiveKit, LiveKitError, NotFound


@asynccontextmanager
async def scratch_room(livekit: LiveKit, name: str) -> AsyncIterator[ListedRoom]:
    """A room that lives as long as the context; its dispatches and agents go with it. Raises LiveKitError.

    What could not be deleted at the end, or was opened anew by an agent that came late, `closed` deletes.
    """
    try:
        yield await livekit.create_room(name, metadata=METADATA, agents=())
    finally:
        with suppress(LiveKitError):
            await livekit.delete_room(name)


async def closed(livekit: LiveKit, name: str) -> bool:
    """Delete a scratch room that is there again, or still. Whether there is none now, as far as LiveKit says."""
    try:
        if await livekit.room(name) is not None:
            await livekit.delete_room(name)
    except NotFound:
        return True
    except LiveKitError:
        return False
    return True
