"""A model of the Redis behind all replicas: its data, its time, its ways to fail; and the line of one replica to it."""

import asyncio
from collections.abc import Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Fact
from orchestrator.core.fleet import Tally, Worker
from orchestrator.core.session import Session
from orchestrator.runtime.ports import Alert, Delivered, StoreUnavailable
from tests.fakes.store.tables import Journal, Table

T = TypeVar("T")

TIMEOUT: Final = 2.0
"""Seconds after which a replica gives up on a call, as the real connection does."""


class Time(Protocol):
    def now(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Stored:
    """One session, as its keys hold it."""

    room: str
    started_at: float
    opened_at: float
    touched_at: float
    owner: str = ""
    epoch: int = 0
    record: Session | None = None
    inbox: tuple[Delivered, ...] = ()
    people: frozenset[str] = frozenset()
    early: frozenset[str] = frozenset()
    """Participants whose `left` came before their `joined`."""
    heard_at: float | None = None


@dataclass(frozen=True, slots=True)
class Lane:
    """The slots of one agent name. Times are in ms."""

    held: Mapping[str, float] = field(default_factory=dict)
    queue: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    asked: Mapping[str, float] = field(default_factory=dict)
    limit: int = 0
    joined_at: float = 0.0
    halved_at: float = 0.0
    losses: int = 0
    breaker: Cause | str | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """An alert that a sink has not accepted, or has accepted and is to be sent again."""

    at: float
    tries: int = 0
    accepted: bool = False


@dataclass(frozen=True, slots=True)
class Asker:
    """A replica that asked for its share of the API budget."""

    demand: float
    part: float
    at: float


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A replica that listens for what others publish. Who is cut off hears nothing, and asks for everything afterwards."""

    on_session: Callable[[str], None]
    on_slots: Callable[[str], None]
    on_reconnect: Callable[[], None]
    on_worker: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Follower:
    """Somebody who listens for the sessions that change."""

    on_change: Callable[[str], None]
    on_begin: Callable[[], None]


class Server:
    """What all replicas share. Every verb is executed at once, as a script is."""

    def __init__(self, clock: Time) -> None:
        self._clock = clock
        self.ahead = 0.0
        """Seconds by which its clock is wrong."""
        self.down = False
        self.lose_replies = False
        """Everything is executed, and nobody hears of it."""
        self.slow = 0.0
        """Seconds that every call takes longer."""
        self._lives = 1
        journal = Journal(clock.now)
        self._journal = journal
        self.sessions: Table[str, Stored] = Table(journal)
        self.buried: Table[str, bool] = Table(journal)
        self.seen: Table[tuple[str, str], bool] = Table(journal)
        self.expected: Table[str, tuple[float, tuple[Fact, ...]]] = Table(journal)
        """By room name: until when facts wait for its next session, and which."""
        self.leases: Table[str, float] = Table(journal)
        self.lanes: Table[str, Lane] = Table(journal)
        self.alerts: Table[str, Alert] = Table(journal)
        self.due: Table[tuple[str, str], Due] = Table(journal)
        self.askers: Table[str, Asker] = Table(journal)
        self.incidents: Table[str, str] = Table(journal)
        self.workers: Table[str, Worker] = Table(journal)
        """By worker id; those that fell silent are left where they are."""
        self.named_since: Table[str, float] = Table(journal)
        self.named: Table[str, float] = Table(journal)
        """By agent name: when it was announced last."""
        self.joined: Table[str, float] = Table(journal)
        """By agent name: when an agent of it was verified last."""
        self.tallies: Table[str, tuple[float, Mapping[str, Tally]]] = Table(journal)
        """By replica: when it counted its sessions, and what."""
        self.notes: Table[str, float] = Table(journal)
        """Single values: when the last round began, whether one was completed, when webhooks were heard last."""
        self.subscribers: dict[str, Subscriber] = {}
        self.followers: list[Follower] = []

    def now(self) -> float:
        return self._clock.now() + self.ahead

    @property
    def incarnation(self) -> str:
        return f"life-{self._lives}"

    def restart(self, *, lost: float = 0.0) -> None:
        """Begin another life, without what was written in the last `lost` seconds."""
        self._lives += 1
        self._journal.take_back(lost)
        for subscriber in self.subscribers.values():
            subscriber.on_reconnect()
        for follower in self.followers:
            follower.on_begin()

    def wipe(self) -> None:
        """Begin another life with nothing."""
        for table in vars(self).values():
            if isinstance(table, Table):
                table.clear()
        self.restart()

    def wake(self, owner: str, sid: str) -> None:
        if subscriber := self.subscribers.get(owner):
            subscriber.on_session(sid)

    def changed(self, sid: str) -> None:
        for follower in tuple(self.followers):
            follower.on_change(sid)

    def arrived(self, agent_name: str) -> None:
        for subscriber in tuple(self.subscribers.values()):
            subscriber.on_worker(agent_name)

    def freed(self, agent_name: str) -> None:
        for subscriber in tuple(self.subscribers.values()):
            subscriber.on_slots(agent_name)


class Line:
    """One replica's way to the store. Without latency a call is answered in the same turn of the loop.

    With it, a call travels by itself: it is executed and answered whatever becomes of its caller.
    """

    def __init__(self, server: Server, *, latency: Callable[[], float] | None = None, context: Context | None = None) -> None:
        self.server = server
        self.cut = False
        """Nothing arrives."""
        self.deaf = False
        """What is sent arrives and is executed; the replies are lost."""
        self._latency = latency
        self._context = context

    async def run(self, verb: Callable[[], T]) -> T:
        """Raises StoreUnavailable; then nothing is known of what was executed."""
        if self._latency is None:
            if self.cut:
                raise StoreUnavailable("cut off")
            answer = self._execute(verb)
            if self._unheard:
                raise StoreUnavailable("the reply was lost")
            return answer
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[T] = loop.create_future()
        there = self._latency() + self.server.slow
        loop.call_later(there, self._arrive, verb, reply, loop.time() + TIMEOUT, context=self._context)
        if there > TIMEOUT:
            loop.call_later(TIMEOUT, _fail, reply, "too slow", context=self._context)
        return await reply

    @property
    def _unheard(self) -> bool:
        return self.deaf or self.server.lose_replies

    def _execute(self, verb: Callable[[], T]) -> T:
        if self.server.down:
            raise StoreUnavailable("down")
        return verb()

    def _arrive(self, verb: Callable[[], T], reply: asyncio.Future[T], patience_ends: float) -> None:
        loop, back = asyncio.get_running_loop(), self._latency() if self._latency else 0.0
        if self.cut:
            loop.call_at(patience_ends, _fail, reply, "cut off", context=self._context)
            return
        try:
            answer = self._execute(verb)
        except StoreUnavailable as error:
            loop.call_later(back, _fail, reply, str(error), context=self._context)
            return
        if self._unheard:
            loop.call_at(patience_ends, _fail, reply, "the reply was lost", context=self._context)
        else:
            loop.call_later(back, _answer, reply, answer, context=self._context)


def _answer(reply: asyncio.Future[T], answer: T) -> None:
    if not reply.done():
        reply.set_result(answer)


def _fail(reply: asyncio.Future[Any], why: str) -> None:
    if not reply.done():
        reply.set_exception(StoreUnavailable(why))
