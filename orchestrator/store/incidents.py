"""Open questions to a person that are about the service: the runtime's Incidents."""

from typing import Final

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Script

_TTL: Final = 8 * 86_400
"""Seconds from when it was last found open."""


class ServiceIncidents:
    """At most one of a kind, whichever replicas find it, and under one id."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._open = Script.load("incident_open")

    async def open(self, kind: str) -> str:
        incident: bytes = await self._open.run(self._connection, (self._keys.incident(kind),), (kind, _TTL))
        return incident.decode()

    async def current(self, kind: str) -> str | None:
        incident: bytes | None = await self._connection.call("GET", self._keys.incident(kind))
        return None if incident is None else incident.decode()

    async def close(self, kind: str) -> None:
        await self._connection.call("DEL", self._keys.incident(kind))
