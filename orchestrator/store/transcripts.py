"""Transcripts on Redis: what was said in a session, each item once, bounded, and gone after a while."""

from collections.abc import Sequence
from typing import Final

from orchestrator.core.transcript import Said
from orchestrator.store.codec import decode_said, encode_said
from orchestrator.store.connection import Argument, Connection
from orchestrator.store.keys import Keys
from orchestrator.store.scripts import Outcome, Script

KEPT: Final = 5_000
"""Items of one session: a call of many hours."""


class Transcripts:
    """Over all replicas. Raises StoreUnavailable."""

    def __init__(self, connection: Connection, keys: Keys, memory: float) -> None:
        """`memory`: seconds for which a transcript is kept after the last that was added to it."""
        self._connection = connection
        self._keys = keys
        self._memory = max(round(memory), 1)
        self._add = Script.load("transcript_add")

    async def add(self, sid: str, items: Sequence[Said]) -> bool:
        """Keep these items, those that are known already left out. False: there is no such session."""
        args: list[Argument] = [self._memory, KEPT]
        for item in items:
            args += (item.item_id, encode_said(item))
        keys = (self._keys.session(sid), self._keys.transcript(sid))
        answered: bytes = await self._add.run(self._connection, keys, args)
        return Outcome(answered.decode()) is not Outcome.UNKNOWN

    async def read(self, sid: str) -> tuple[Said, ...]:
        """All that is kept, in the order in which it was said; agents' clocks decide, then which came first."""
        stored: list[bytes] = await self._connection.call("HVALS", self._keys.transcript(sid))
        numbered = [entry.split(b" ", 1) for entry in stored]
        items = [(decode_said(body), int(number)) for number, body in numbered]
        return tuple(item for item, _ in sorted(items, key=lambda pair: (pair[0].at, pair[1])))
