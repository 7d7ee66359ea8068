"""Logins on Redis: each under the digest of its cookie, so that nobody can log in with what is stored."""

import msgspec

from orchestrator.core.login import Login
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys


class Logins:
    """Over all replicas. Raises StoreUnavailable."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    async def add(self, digest: str, login: Login, *, seconds: float) -> None:
        """Keep it for so long."""
        body = msgspec.json.encode(login)
        await self._connection.call("SET", self._keys.login(digest), body, "PX", max(round(seconds * 1000), 1))

    async def find(self, digest: str) -> Login | None:
        body: bytes | None = await self._connection.call("GET", self._keys.login(digest))
        return None if body is None else msgspec.json.decode(body, type=Login)

    async def drop(self, digest: str) -> None:
        await self._connection.call("DEL", self._keys.login(digest))
