"""When LiveKit's webhooks were last heard: the runtime's Hearing."""

from typing import Final

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys

_TTL: Final = 8 * 86_400
"""Seconds. Who has heard nothing for that long need not know how much longer it was."""

_WEBHOOK: Final = "webhook"


class WebhookHearing:
    """The newest time as the score of a sorted set's one member: Redis itself keeps the greater one."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    async def heard(self, at: float) -> None:
        key = self._keys.hearing
        await self._connection.calls(("ZADD", key, "GT", repr(at), _WEBHOOK), ("EXPIRE", key, _TTL))

    async def last(self) -> float | None:
        score = await self._connection.call("ZSCORE", self._keys.hearing, _WEBHOOK)
        return None if score is None else float(score)
