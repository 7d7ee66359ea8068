"""What becomes of what LiveKit tells: I3, I4."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestrator.core.facts import Fact, RoomOpened
from orchestrator.runtime.ports import Appended, AppendReply
from orchestrator.sandbox.model import Webhook
from tests.simulation.judging import Invariant

if TYPE_CHECKING:
    from tests.simulation.world import World

_WITHOUT_FACTS = frozenset({"participant_connection_aborted"})
"""Of people nothing is stored then."""


class StoredFirst(Invariant):
    number = "I3"
    sentence = "What was answered 2xx is stored before the first byte of the answer"

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._lost_at = float("-inf")

    def data_lost(self) -> None:
        self._lost_at = self.world.loop.time()

    def acknowledged(self, webhook: Webhook, status: int) -> None:
        server, sid = self.world.server, webhook.room.sid
        if status != 200 or webhook.event in _WITHOUT_FACTS or self._lost_at > self.world.loop.time() - 1.0:
            return
        if (sid, webhook.id) not in server.seen and sid not in server.buried:
            self.broken(webhook.room.name, f"{webhook.event} {webhook.id} was acknowledged, and is not stored")


class OnceOnly(Invariant):
    number = "I4"
    sentence = "Delivered once or fifty times, at any times: stored once"

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._stored: set[tuple[str, str]] = set()

    def data_lost(self) -> None:
        self._stored.clear()

    def appended(
        self, replica: str, opening: RoomOpened, facts: Sequence[Fact], event_id: str | None, reply: AppendReply
    ) -> None:
        if event_id is None or reply.outcome is not Appended.STORED:
            return
        if (opening.sid, event_id) in self._stored:
            self.broken(opening.room, f"event {event_id} was stored twice")
        self._stored.add((opening.sid, event_id))
