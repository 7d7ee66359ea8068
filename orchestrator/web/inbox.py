"""The webhooks that came last, for people to see: noted at the door in a moment, read and written down beside it."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import structlog

from orchestrator.core.received import Received
from orchestrator.runtime.ports import Clock, StoreUnavailable
from orchestrator.web.webhooks import Seen

log = structlog.get_logger()

_PERIOD: Final = 1.0
"""Seconds between two batches."""

MOST: Final = 500
"""Of each kind that wait for the next batch: of a burst the newest are kept."""

LARGEST: Final = 32 * 1024
"""Bytes of a body that is kept. LiveKit's have a few KiB."""

_PORTION: Final = 25
"""Bodies that are read before others get their turn."""


class ReceivedStore(Protocol):
    async def add(self, accepted: Sequence[Received], refused: Sequence[Received]) -> None:
        """Raises StoreUnavailable."""
        ...


class Inbox:
    """What waits to be written down. What comes while the store is away waits, too, as far as there is room."""

    def __init__(self, store: ReceivedStore, clock: Clock, redact: Callable[[bytes], dict[str, Any] | None]) -> None:
        self._store = store
        self._clock = clock
        self._redact = redact
        self._signed: deque[Seen] = deque(maxlen=MOST)
        self._unsigned: deque[Seen] = deque(maxlen=MOST)

    def note(self, seen: Seen) -> None:
        """Of every request to the door, and on its way: nothing is done here that can be done later."""
        if seen.key is None:
            self._unsigned.append(seen)
        else:
            self._signed.append(seen if seen.size <= LARGEST else seen._replace(body=None))

    async def run(self) -> None:
        """Write down for ever what comes."""
        while True:
            await self._clock.sleep(_PERIOD)
            try:
                await self.write()
            except StoreUnavailable:
                continue  # others say so, and often

    async def write(self) -> None:
        """Write down what waits. Raises StoreUnavailable, and then it waits on."""
        signed, unsigned = list(self._signed), list(self._unsigned)
        if not signed and not unsigned:
            return
        self._signed.clear()
        self._unsigned.clear()
        accepted: list[Received] = []
        for number, one in enumerate(signed, 1):
            accepted.append(self._received(one))
            if number % _PORTION == 0:
                await asyncio.sleep(0)
        try:
            await self._store.add(accepted, [self._received(one) for one in unsigned])
        except StoreUnavailable:
            for queue, waiting in ((self._signed, signed), (self._unsigned, unsigned)):
                newer = list(queue)
                queue.clear()
                queue.extend((*waiting, *newer))  # of too many, the oldest go
            raise

    def _received(self, seen: Seen) -> Received:
        webhook, body = seen.webhook, self._redact(seen.body) if seen.body else None
        opening = None if webhook is None else webhook.opening
        return Received(
            at=seen.at,
            outcome=seen.outcome.value,
            bytes=seen.size,
            event=None if webhook is None else webhook.kind,
            room=None if opening is None else opening.room or None,
            sid=None if opening is None else opening.sid or None,
            event_id=None if webhook is None else webhook.event_id,
            reason=seen.reason,
            key=seen.key,
            body=body,
        )
