"""Which sessions a replica may own: the set through which the others find them when it dies.

A session and the set of its owner lie in different slots, so no script changes both. The order of the steps makes up for
it: a sid is entered before its session is claimed, and taken out only after the session was released. The set may hold
more than the replica owns, never less.
"""

from typing import Final

from orchestrator.store.connection import Command, Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Outcome, Script

ROSTER_TTL: Final = 8 * 86_400
"""Seconds; a day longer than the longest-lived session."""


class Roster:
    """The sets of sessions of all replicas."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys
        self._release = Script.load("release")

    def entry(self, replica: str, sid: str) -> tuple[Command, ...]:
        """The commands that enter a session, to be executed before the script that claims it."""
        sessions, replicas = self._keys.sessions_of(replica), self._keys.replicas
        return (
            ("SADD", sessions, sid),
            ("SADD", replicas, replica),
            ("EXPIRE", sessions, ROSTER_TTL),
            ("EXPIRE", replicas, ROSTER_TTL),
        )

    async def leave(self, replica: str, sid: str) -> None:
        """Take a session out, unless the replica owns it and it has not ended, or facts still wait."""
        session = self._keys.session(sid)
        outcome = await self._release.run(self._connection, (session, self._keys.inbox(sid)), (replica,))
        if Outcome(outcome.decode()) is Outcome.KEPT:
            return
        _, owner = await self._connection.calls(("SREM", self._keys.sessions_of(replica), sid), ("HGET", session, "owner"))
        if owner is not None and owner.decode() == replica:
            # A late fact made the replica claim it again between the two steps.
            await self._connection.calls(*self.entry(replica, sid))
