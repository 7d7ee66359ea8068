"""Fact in, stored, owner woken. The one door for webhooks, listings and operators alike."""

from collections.abc import Callable, Sequence

from orchestrator.core.facts import Fact, RoomOpened
from orchestrator.runtime.ports import Appended, Loaded, SessionStore


class Intake:
    """Stores facts before anybody is answered; the owner, here or elsewhere, does the rest."""

    def __init__(
        self,
        store: SessionStore,
        replica: str,
        wake: Callable[[str, Loaded | None], None],
        on_heard: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_heard` is called for every webhook that was stored: they are what has an event id."""
        self._store = store
        self._replica = replica
        self._wake = wake
        self._on_heard = on_heard

    async def receive(self, opening: RoomOpened, facts: Sequence[Fact], *, event_id: str | None) -> Appended:
        """Store the facts of one event. Raises StoreUnavailable: then nothing was promised, and the sender repeats."""
        appended = await self._append(opening, facts, event_id)
        if event_id is not None:
            self._on_heard()
        return appended

    async def wish(self, opening: RoomOpened, facts: Sequence[Fact], *, key: str | None) -> Appended:
        """Store what an operator asks for; once, however often it comes with the same key. Raises StoreUnavailable."""
        return await self._append(opening, facts, None if key is None else f"wish:{key}")

    async def _append(self, opening: RoomOpened, facts: Sequence[Fact], event_id: str | None) -> Appended:
        reply = await self._store.append(opening, facts, event_id=event_id, replica=self._replica)
        # A duplicate wakes, too: it may be the repetition of an append whose reply was lost.
        if reply.outcome is not Appended.IGNORED and reply.owner == self._replica:
            self._wake(opening.sid, reply.claimed)
        return reply.outcome
