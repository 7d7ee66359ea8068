"""May our key do what Rollcall does? Tried out on a scratch room: make it, list it, look into it, delete it."""

from collections.abc import Awaitable, Callable
from typing import Final

from orchestrator.core.quotation import quoted
from orchestrator.doctor.findings import Finding, failed, ok
from orchestrator.doctor.scratch import ScratchRooms
from orchestrator.runtime.ports import LiveKit, LiveKitError, LiveKitRejectedCredentials

NAME: Final = "rights"


async def examine_rights(livekit: LiveKit, scratch: ScratchRooms) -> list[Finding]:
    """roomList, roomCreate, and roomAdmin for participants and for dispatches."""
    denied: list[Finding] = []
    try:
        async with scratch.room() as room:
            uses: dict[str, Callable[[], Awaitable[object]]] = {
                "list rooms (roomList)": lambda: livekit.room(room.name),
                "list participants (roomAdmin)": lambda: livekit.participants(room.name),
                "list dispatches (roomAdmin)": lambda: livekit.dispatches(room.name),
            }
            for what, use in uses.items():
                try:
                    await use()
                except LiveKitError as error:
                    denied.append(_refused(what, error))
    except LiveKitError as error:
        return [_refused("create and delete rooms (roomCreate)", error)]
    return denied or [ok(NAME, "The key may create, list and delete rooms, and list participants and dispatches.")]


def _refused(what: str, error: LiveKitError) -> Finding:
    if isinstance(error, LiveKitRejectedCredentials):
        return failed(NAME, f"The key may not {what}.", "Use a key of the project that may do everything.")
    message = f"It could not be tried whether the key may {what}: {quoted(str(error))}."
    return failed(NAME, message, "Look into LiveKit's log at this moment.")
