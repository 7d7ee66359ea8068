"""CreateDispatch brings a missing room back to life, without metadata and without anybody in it. This undoes that."""

import structlog

from orchestrator.runtime.ports import LiveKit, LiveKitError, NotFound, SessionStore

log = structlog.get_logger()


class GhostGuard:
    """Looks after each CreateDispatch whether it went into the room that was meant."""

    def __init__(self, livekit: LiveKit, store: SessionStore) -> None:
        self._livekit = livekit
        self._store = store

    async def appeared(self, room: str, sid: str, dispatch_id: str) -> bool:
        """Whether the room was another one by the time of the call; then what the call made is undone.

        A room that somebody has entered, or that has metadata, is not of our making: only our dispatch goes.
        """
        try:
            found = await self._livekit.room(room)
        except LiveKitError:
            return False  # unknown: the attempt's own looks will tell
        if found is None or found.sid == sid:
            return False
        log.warning("room_reborn_by_dispatch", room=room, sid=sid, new_sid=found.sid, dispatch_id=dispatch_id)
        try:
            await self._livekit.delete_dispatch(room, dispatch_id)
        except NotFound:
            pass
        except LiveKitError as error:
            log.warning("dispatch_not_deleted", room=room, dispatch_id=dispatch_id, error=str(error))
        if await self._made_by_us(room, found.sid):
            await self._store.bury(found.sid)
            try:
                await self._livekit.delete_room(room)
            except LiveKitError as error:
                log.warning("room_not_deleted", room=room, sid=found.sid, error=str(error))
        return True

    async def _made_by_us(self, room: str, sid: str) -> bool:
        try:
            found = await self._livekit.room(room)
            return found is not None and found.sid == sid and not found.metadata and not await self._livekit.participants(room)
        except LiveKitError:
            return False
