"""What was said, handed to the orchestrator in the background. Nothing of it is ever logged."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from typing import TYPE_CHECKING, Protocol

from worker.orchestrator import Item, OrchestratorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from livekit.agents import ConversationItemAddedEvent

log = logging.getLogger("rollcall.worker")

GATHER_SECONDS = 1.0
"""Between an item and its sending: what is said together travels together."""

BATCH = 100
"""Items of one call; the orchestrator takes no more."""

BATCH_BYTES = 128 * 1024
"""Of one call, about: half of what the orchestrator reads."""

KEPT = 500
"""Items that wait while the orchestrator is away; then the oldest are dropped."""

TEXT_BYTES = 16 * 1024
"""Of one item; the orchestrator takes no more."""

FINISH_SECONDS = 3.0
"""For what is still to be sent when the job ends: livekit-agents kills a job that does not end."""

_ITEM_BYTES = 256
"""Of an item besides its text, at the most."""

_ROLES = {"user": "user", "assistant": "assistant", "system": "system", "developer": "system"}


class Line(Protocol):
    """Where a transcript goes: OrchestratorClient, as far as it is needed here."""

    async def send_transcript(self, session: str, agent_name: str, items: Sequence[Item], /) -> None:
        """Hand over 1 to BATCH items; OrchestratorError when they were not taken."""


class Transcript:
    """The items of one job, sent in order and dropped when they cannot be."""

    def __init__(self, line: Line, *, session: str, agent_name: str) -> None:
        self._line = line
        self._session = session
        self._agent_name = agent_name
        self._waiting: deque[Item] = deque()
        self._dropped = 0
        self._failing = False
        self._sending: asyncio.Task[None] | None = None

    def add_event(self, event: ConversationItemAddedEvent) -> None:
        """Take what a session's conversation_item_added tells; what is no message with a text is passed over."""
        message = event.item
        if message.type != "message":
            return
        text = message.text_content
        if text:
            self.add(Item(message.id, _ROLES[message.role], cut(text), message.created_at, interrupted=message.interrupted))

    def add(self, item: Item) -> None:
        """Send this item soon."""
        self._waiting.append(item)
        while len(self._waiting) > KEPT:
            self._waiting.popleft()
            self._dropped += 1
        if self._sending is None or self._sending.done():
            self._sending = asyncio.get_running_loop().create_task(self._send_soon(), name="rollcall transcript")

    async def finish(self) -> None:
        """Send what is left, for FINISH_SECONDS at the most; what then still waits is dropped."""
        if self._sending is not None:
            self._sending.cancel()
            # It may have been in the middle of a call; the orchestrator knows an item that it is sent twice.
            await asyncio.wait([self._sending])
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                while self._waiting and await self._send_batch():
                    pass
        except TimeoutError:
            pass
        self._dropped += len(self._waiting)
        self._waiting.clear()
        if self._dropped:
            log.warning("part of the transcript was dropped", extra={"items": self._dropped})

    async def _send_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER_SECONDS)
            while await self._send_batch():
                pass

    async def _send_batch(self) -> bool:
        """Whether a batch was dealt with, and the next one may follow at once."""
        batch = self._next_batch()
        if not batch:
            return False
        try:
            await self._line.send_transcript(self._session, self._agent_name, batch)
        except OrchestratorError as error:
            if not self._failing:
                log.warning("transcript not taken", extra={"reason": str(error)})
            self._failing = True
            if error.temporary:
                return False
            self._dropped += len(batch)
        else:
            self._failing = False
        sent = {item.id for item in batch}
        self._waiting = deque(item for item in self._waiting if item.id not in sent)
        return True

    def _next_batch(self) -> list[Item]:
        batch: list[Item] = []
        room = BATCH_BYTES
        for item in self._waiting:
            # As it will be written: what is not ASCII takes several bytes for each character.
            room -= len(json.dumps(item.text)) + _ITEM_BYTES
            if batch and (room < 0 or len(batch) == BATCH):
                break
            batch.append(item)
        return batch


def cut(text: str) -> str:
    """At most TEXT_BYTES of UTF-8, and no half characters."""
    raw = text.encode("utf-8", errors="replace")
    return raw[:TEXT_BYTES].decode("utf-8", errors="ignore") if len(raw) > TEXT_BYTES else text
