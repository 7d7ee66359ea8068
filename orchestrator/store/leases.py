"""Which replicas live: the runtime's Leases.

A replica's id is new with every start, so a lease that comes back is always that of the same process.
"""

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.roster import ROSTER_TTL, Roster
from orchestrator.store.scripts import Script


class ReplicaLeases:
    """Leases lapse by Redis's own clock: no two clocks are compared."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._roster = Roster(connection, keys)
        self._renew = Script.load("renew")
        self._unlist = Script.load("unlist")

    async def renew(self, replica: str, ttl: float) -> None:
        await self._renew.run(self._connection, self._replica_keys(replica), (replica, round(ttl * 1000), ROSTER_TTL))

    async def drop(self, replica: str) -> None:
        release = ("DEL", self._keys.lease(replica))
        await self._unlist.run(self._connection, self._replica_keys(replica), (replica,), after=(release,))

    async def live(self) -> frozenset[str]:
        return frozenset(replica for replica, lives in await self._listed() if lives)

    async def orphaned(self) -> tuple[str, ...]:
        with_sessions = []
        for replica, lives in await self._listed():
            if lives:
                continue
            if await self._connection.call("EXISTS", self._keys.sessions_of(replica)):
                with_sessions.append(replica)
            else:
                await self._unlist.run(self._connection, self._replica_keys(replica), (replica,))
        return tuple(with_sessions)

    async def sessions_of(self, replica: str) -> tuple[str, ...]:
        sids = await self._connection.call("SMEMBERS", self._keys.sessions_of(replica))
        return tuple(sid.decode() for sid in sids)

    async def forget(self, replica: str, sid: str) -> None:
        await self._roster.leave(replica, sid)

    async def _listed(self) -> list[tuple[str, bool]]:
        """Every replica on the list, and whether it has a lease."""
        replicas = [name.decode() for name in await self._connection.call("SMEMBERS", self._keys.replicas)]
        if not replicas:
            return []
        leases = await self._connection.calls(*(("EXISTS", self._keys.lease(replica)) for replica in replicas))
        return [(replica, bool(lease)) for replica, lease in zip(replicas, leases, strict=True)]

    def _replica_keys(self, replica: str) -> tuple[str, str, str]:
        return self._keys.lease(replica), self._keys.replicas, self._keys.sessions_of(replica)
