"""Leases of the model. Whose sessions are whose is read from the sessions: the list can hold no less than is owned."""

from dataclasses import replace

from tests.fakes.store.server import Line


class MemoryLeases:
    def __init__(self, line: Line) -> None:
        self._run = line.run
        self._server = line.server

    async def renew(self, replica: str, ttl: float) -> None:
        await self._run(lambda: self._server.leases.put(replica, self._server.now() + ttl))

    async def drop(self, replica: str) -> None:
        await self._run(lambda: self._server.leases.drop(replica))

    async def live(self) -> frozenset[str]:
        return await self._run(lambda: frozenset(self._live()))

    async def orphaned(self) -> tuple[str, ...]:
        return await self._run(self._orphaned)

    async def sessions_of(self, replica: str) -> tuple[str, ...]:
        return await self._run(lambda: tuple(sid for sid, stored in self._server.sessions.items() if stored.owner == replica))

    async def forget(self, replica: str, sid: str) -> None:
        await self._run(lambda: self._forget(replica, sid))

    def _live(self) -> list[str]:
        now = self._server.now()
        return [replica for replica, until in self._server.leases.items() if until > now]

    def _orphaned(self) -> tuple[str, ...]:
        live = set(self._live())
        owners = {stored.owner: None for stored in self._server.sessions.values()}
        return tuple(owner for owner in owners if owner and owner not in live)

    def _forget(self, replica: str, sid: str) -> None:
        stored = self._server.sessions.get(sid)
        if stored is None or stored.owner != replica or stored.inbox:
            return
        if stored.record is not None and stored.record.ended:
            self._server.sessions.put(sid, replace(stored, owner=""))
