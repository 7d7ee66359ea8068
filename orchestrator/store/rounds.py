"""The reconciler's rounds: the runtime's Rounds."""

from typing import Final

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys

_COMPLETED_TTL: Final = 8 * 86_400
"""Seconds; a day longer than the longest-lived session: a store that forgot it holds nothing else either."""


class ReconcileRounds:
    """A round is a key that lapses when the next one is due: it needs no end, and no clock but Redis's own."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    async def begin(self, replica: str, seconds: float) -> bool:
        begun = await self._connection.call("SET", self._keys.round, replica, "NX", "PX", max(round(seconds * 1000), 1))
        return begun is not None

    async def completed(self) -> bool:
        return bool(await self._connection.call("EXISTS", self._keys.round_completed))

    async def complete(self) -> None:
        await self._connection.call("SET", self._keys.round_completed, "1", "EX", _COMPLETED_TTL)
