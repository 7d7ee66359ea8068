"""Open questions to a person that are about the service: the runtime's Incidents."""

from typing import Final

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script

_TTL: Final = 8 * 86_400
"""Seconds after any replica has looked which are open."""

_COMPLAINTS_TTL: Final = 3_600


class ServiceIncidents:
    """At most one of a kind, whichever replicas find it, and under one id."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._open = Script.load("incident_open")

    async def open(self, kind: str) -> str:
        await self._connection.calls(("SADD", self._keys.incidents_open, kind), ("EXPIRE", self._keys.incidents_open, _TTL))
        incident: bytes = await self._open.run(self._connection, (self._keys.incident(kind),), (kind, _TTL))
        return incident.decode()

    async def current(self, kind: str) -> str | None:
        incident: bytes | None = await self._connection.call("GET", self._keys.incident(kind))
        return None if incident is None else incident.decode()

    async def close(self, kind: str) -> None:
        await self._connection.calls(("DEL", self._keys.incident(kind)), ("SREM", self._keys.incidents_open, kind))

    async def kinds(self) -> frozenset[str]:
        stored: list[bytes] = await self._connection.call("SMEMBERS", self._keys.incidents_open)
        kinds = frozenset(kind.decode() for kind in stored)
        if kinds:  # forgotten while it is open, it would be told anew under another id, and never be resolved under this one
            kept = (self._keys.incidents_open, *map(self._keys.incident, kinds))
            await self._connection.calls(*(("EXPIRE", key, _TTL) for key in kept))
        return kinds

    async def complain(self, kind: str, replica: str, at: float) -> None:
        key = self._keys.complaints(kind)
        await self._connection.calls(("ZADD", key, repr(at), replica), ("EXPIRE", key, _COMPLAINTS_TTL))

    async def content(self, kind: str, replica: str) -> None:
        await self._connection.call("ZREM", self._keys.complaints(kind), replica)

    async def complaints(self, kind: str, since: float) -> int:
        count: int = await self._connection.call("ZCOUNT", self._keys.complaints(kind), repr(since), "+inf")
        return count
