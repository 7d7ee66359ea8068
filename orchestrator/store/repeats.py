"""Requests that a client may repeat: whether one with this key was taken before."""

from typing import Final

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys

_TTL: Final = 86_400
"""Seconds for which a repetition is known to be one."""


class RepeatedRequests:
    """Over all replicas. Raises StoreUnavailable."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    async def is_new(self, key: str) -> bool:
        """Whether this key comes for the first time; from now on it does not."""
        return bool(await self._connection.call("SET", self._keys.request(key), "1", "NX", "EX", _TTL))
