"""Silences on Redis: one hash, read by whoever is about to tell an alert."""

from typing import Final

import structlog

from orchestrator.core.silences import LONGEST, Silence
from orchestrator.runtime.ports import StoreCorrupt
from orchestrator.store.codec import decode_silence, encode_silence
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Outcome, Script

log = structlog.get_logger()

MOST: Final = 200
"""Every alert that is about to be told is held against all of them."""

_SHOWN: Final = 86_400
"""Seconds for which an ended one is still shown."""

_TTL: Final = LONGEST + _SHOWN


class Silences:
    """Over all replicas. Raises StoreUnavailable."""

    def __init__(self, connection: Connection, keys: Keys, *, most: int = MOST) -> None:
        self._connection = connection
        self._keys = keys
        self._most = most
        self._add = Script.load("silence_add")

    async def add(self, silence: Silence) -> bool:
        """Whether there was room for it. Where there is none, the one goes that ended first."""
        if await self._stored(silence):
            return True
        over = [one for one in await self.look(silence.starts_at) if not one.active(silence.starts_at)]
        if not over:
            return False
        await self._connection.call("HDEL", self._keys.silences, min(over, key=lambda one: one.ends_at).id)
        return await self._stored(silence)

    async def _stored(self, silence: Silence) -> bool:
        added: bytes = await self._add.run(
            self._connection, [self._keys.silences], [_TTL, self._most, silence.id, encode_silence(silence)]
        )
        return added.decode() == Outcome.STORED

    async def change(self, silence: Silence) -> None:
        """Another end of one that is there."""
        key = self._keys.silences
        await self._connection.calls(("HSET", key, silence.id, encode_silence(silence)), ("EXPIRE", key, _TTL))

    async def look(self, now: float) -> tuple[Silence, ...]:
        """All of them, the newest first; who looks clears away what ended long ago."""
        stored: dict[bytes, bytes] = await self._connection.call("HGETALL", self._keys.silences)
        silences: list[Silence] = []
        for name, body in stored.items():
            try:
                silence = decode_silence(body)
            except StoreCorrupt as error:
                log.warning("silence_unreadable", silence=name.decode(), error=str(error))  # a newer replica's: it heeds it
                continue
            if silence.ends_at + _SHOWN < now:
                await self._connection.call("HDEL", self._keys.silences, name)
            else:
                silences.append(silence)
        return tuple(sorted(silences, key=lambda silence: (-silence.starts_at, silence.id)))
