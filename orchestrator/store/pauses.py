"""Paused agent names on Redis: one hash, read by every replica every two seconds, and kept for as long as any replica reads."""

from collections.abc import Mapping
from typing import Final

import msgspec

from orchestrator.core.pauses import Pause
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script

_TTL: Final = 30 * 86_400
"""Seconds after the last replica looked: a service that is off for a month begins without pauses."""


class PausedAgents:
    """Over all replicas. Raises StoreUnavailable."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._pause = Script.load("pause")

    async def pause(self, agent_name: str, pause: Pause) -> None:
        await self._pause.run(self._connection, [self._keys.pauses], [_TTL, agent_name, msgspec.json.encode(pause)])

    async def resume(self, agent_name: str) -> None:
        await self._pause.run(self._connection, [self._keys.pauses], [_TTL, agent_name, ""])

    async def look(self) -> Mapping[str, Pause]:
        key = self._keys.pauses
        _, stored = await self._connection.calls(("EXPIRE", key, _TTL), ("HGETALL", key))
        return {name.decode(): msgspec.json.decode(pause, type=Pause) for name, pause in stored.items()}
