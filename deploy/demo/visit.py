"""A person in the room: a real client, who opens the room by joining it. Or, where nobody can join, the room alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from livekit import api, rtc

from deploy.demo.failure import DemoFailed
from deploy.demo.parts import LiveKit

VISITOR = "ann"


@asynccontextmanager
async def visit(livekit: LiveKit, room: str) -> AsyncIterator[None]:
    """Somebody is in the room, which is closed at the exit: its agent then goes, and its worker can end."""
    grants = api.VideoGrants(room_join=True, room=room)
    token = api.AccessToken(livekit.key, livekit.secret).with_identity(VISITOR).with_grants(grants).to_jwt()
    person = rtc.Room()
    try:
        await person.connect(livekit.url, token)
    except rtc.ConnectError as error:
        raise DemoFailed(f"The client could not join the room: {error.message}.") from error
    try:
        yield
    finally:
        await person.disconnect()
        await _close(livekit, room)


@asynccontextmanager
async def open_room(livekit: LiveKit, room: str) -> AsyncIterator[None]:
    """The room is open, and empty until its agent comes; it is closed at the exit."""
    try:
        async with api.LiveKitAPI(livekit.url, livekit.key, livekit.secret) as client:
            await client.room.create_room(api.CreateRoomRequest(name=room))
    except (api.TwirpError, OSError) as error:
        raise DemoFailed("The sandbox could not open the room.") from error
    try:
        yield
    finally:
        await _close(livekit, room)


async def _close(livekit: LiveKit, room: str) -> None:
    try:
        async with api.LiveKitAPI(livekit.url, livekit.key, livekit.secret) as client:
            await client.room.delete_room(api.DeleteRoomRequest(room=room))
    except (api.TwirpError, OSError):
        return  # the server has gone, and with it the room
