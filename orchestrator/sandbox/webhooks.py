"""The webhook queues: one per room, served in order, in the memory of the server."""

import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

from orchestrator.runtime.ports import Clock
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.model import Webhook
from orchestrator.sandbox.tally import Tally
from orchestrator.sandbox.timing import Timing

Deliver = Callable[[Webhook], Awaitable[int]]
Spawn = Callable[[str, Coroutine[Any, Any, None]], object]

_ACCEPTED: Final = range(200, 300)
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERRORS: Final = 500


class WebhookQueues:
    """What is put in is delivered as long as the server lives, the receiver listens, and the queue is young and short."""

    def __init__(
        self,
        clock: Clock,
        chance: random.Random,
        spawn: Spawn,
        timing: Timing,
        faults: Callable[[], Faults],
        deliver: Deliver,
        tally: Tally,
    ) -> None:
        self._clock = clock
        self._chance = chance
        self._spawn = spawn
        self._timing = timing
        self._faults = faults
        self._deliver = deliver
        self._tally = tally
        self._queues: dict[str, deque[Webhook]] = {}

    def put(self, webhook: Webhook) -> None:
        """Queue an event, unless a fault has other plans for it."""
        faults = self._faults()
        if faults.webhooks_blocked or self._chance.random() < faults.lose_webhooks:
            self._tally.webhooks_lost += 1
            return
        for _ in range(1 + faults.duplicate_webhooks):
            if faults.shuffle_webhooks:
                delay = self._chance.uniform(0, faults.shuffle_webhooks)
                self._spawn(f"late webhook {webhook.id}", self._deliver_late(webhook, delay))
            else:
                self._queue(webhook)

    def forget(self) -> None:
        """The server was killed, and its queues with it."""
        self._queues.clear()

    def _queue(self, webhook: Webhook) -> None:
        room = webhook.room.name
        queue = self._queues.get(room)
        if queue is None:
            queue = self._queues[room] = deque([webhook])
            self._spawn(f"webhooks of {room}", self._serve(room, queue))
        elif len(queue) <= self._timing.queue_length:  # the one that is being delivered stands in front, and does not count
            queue.append(webhook)
        else:
            self._tally.webhooks_lost += 1

    async def _serve(self, room: str, queue: deque[Webhook]) -> None:
        while self._queues.get(room) is queue:
            if self._clock.monotonic() - queue[0].queued_at < self._timing.queue_age:
                await self._try(queue[0], lambda: self._queues.get(room) is queue)
            else:
                self._tally.webhooks_lost += 1
            queue.popleft()
            if not queue and self._queues.get(room) is queue:
                del self._queues[room]

    async def _deliver_late(self, webhook: Webhook, delay: float) -> None:
        await self._clock.sleep(delay)
        await self._try(webhook, lambda: True)

    async def _try(self, webhook: Webhook, alive: Callable[[], bool]) -> None:
        """One try and the retries: on network errors, 5xx and 429, never on another 4xx."""
        for pause in (*self._timing.retries, None):
            status = await self._deliver(webhook)
            if status in _ACCEPTED:
                self._tally.webhooks += 1
                return
            if pause is None or not (status in {0, _TOO_MANY_REQUESTS} or status >= _SERVER_ERRORS):
                break
            await self._clock.sleep(pause)
            if not alive():
                break
        self._tally.webhooks_lost += 1
