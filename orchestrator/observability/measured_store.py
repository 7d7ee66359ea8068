"""The store of sessions with a stopwatch: every call by method, outcome and duration."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Fact, RoomOpened
from orchestrator.core.session import Session, SessionState
from orchestrator.observability.metrics import Metrics
from orchestrator.runtime.ports import (
    AppendReply,
    Clock,
    Committed,
    Delivered,
    Held,
    Loaded,
    Page,
    SessionStore,
    StoreUnavailable,
)


class MeasuredStore:
    """Passes every call on to another SessionStore, and measures it."""

    def __init__(self, store: SessionStore, metrics: Metrics, clock: Clock) -> None:
        self._store = store
        self._metrics = metrics
        self._clock = clock

    async def append(self, opening: RoomOpened, facts: Sequence[Fact], *, event_id: str | None, replica: str) -> AppendReply:
        with self._measured("append"):
            return await self._store.append(opening, facts, event_id=event_id, replica=replica)

    async def expect(self, room: str, facts: Sequence[Fact]) -> None:
        with self._measured("expect"):
            await self._store.expect(room, facts)

    async def take(self, sid: str, replica: str, *, from_owner: str | None) -> Loaded | None:
        with self._measured("take"):
            return await self._store.take(sid, replica, from_owner=from_owner)

    async def inbox(self, sid: str) -> tuple[Delivered, ...]:
        with self._measured("inbox"):
            return await self._store.inbox(sid)

    async def commit(self, session: Session, *, epoch: int, trim: int) -> Committed:
        with self._measured("commit"):
            return await self._store.commit(session, epoch=epoch, trim=trim)

    async def read(self, sid: str) -> Session | None:
        with self._measured("read"):
            return await self._store.read(sid)

    async def find(self, room_or_sid: str) -> str | None:
        with self._measured("find"):
            return await self._store.find(room_or_sid)

    async def recent(self, ended_within: float) -> tuple[str, ...]:
        with self._measured("recent"):
            return await self._store.recent(ended_within)

    async def near_names(self, room: str) -> tuple[str, ...]:
        with self._measured("near_names"):
            return await self._store.near_names(room)

    async def page(
        self,
        *,
        state: SessionState | None,
        agent_name: str | None,
        cause: Cause | None,
        older_than: float | None,
        cursor: str | None,
        limit: int,
    ) -> Page:
        with self._measured("page"):
            return await self._store.page(
                state=state, agent_name=agent_name, cause=cause, older_than=older_than, cursor=cursor, limit=limit
            )

    async def held(self) -> AsyncIterator[tuple[Held, ...]]:
        """Measured by the portion: in between the caller works."""
        portions = self._store.held()
        while True:
            with self._measured("held"):
                portion = await anext(portions, None)
            if portion is None:
                return
            yield portion

    async def people(self, sid: str) -> frozenset[str]:
        with self._measured("people"):
            return await self._store.people(sid)

    async def bury(self, sid: str) -> None:
        with self._measured("bury"):
            await self._store.bury(sid)

    async def now(self) -> float:
        with self._measured("now"):
            return await self._store.now()

    async def incarnation(self) -> str:
        with self._measured("incarnation"):
            return await self._store.incarnation()

    async def ping(self) -> None:
        with self._measured("ping"):
            await self._store.ping()

    @contextmanager
    def _measured(self, method: str) -> Iterator[None]:
        begun = self._clock.monotonic()
        try:
            yield
        except StoreUnavailable:
            self._observe(method, "unavailable", begun)
            raise
        self._observe(method, "ok", begun)

    def _observe(self, method: str, outcome: str, begun: float) -> None:
        self._metrics.store_calls.labels(method, outcome).observe(self._clock.monotonic() - begun)
