"""People, time, chance, and who watches."""

from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.causes import Cause
from orchestrator.core.session import Session
from orchestrator.runtime.ports.sessions import Delivered


@dataclass(frozen=True, slots=True)
class Alert:
    """What a person is told. `id` is the same for every delivery of it."""

    id: str
    type: str
    status: str
    incident: str
    at: float
    room: str | None = None
    sid: str | None = None
    agent_name: str | None = None
    cause: Cause | None = None
    summary: str = ""
    fix: str | None = None
    link: str | None = None
    since: float | None = None
    """Of a resolution: when the incident fired, as the outbox remembers it."""
    sink: str | None = None
    """Of an alert about a sink: its name. It is not told of itself."""
    route: str | None = None
    """Which route wanted the agent, as `routes[0] room "support-*"`: for the filters of sinks."""
    rooms: int | None = None
    """Of an alert that tells of many rooms at once: how many lack the agent; of its end, how many it told of in all."""
    incidents: tuple[str, ...] = ()
    """Of such an alert: the incidents that it is about, the oldest first."""


class Alerts(Protocol):
    async def queue(self, alert: Alert) -> None:
        """Keep it until each sink has accepted it; once per alert id. Raises StoreUnavailable."""
        ...


class Clock(Protocol):
    """Time and waiting, to be replaced by a virtual one."""

    def now(self) -> float:
        """The store's time as last learned, moved on by the monotonic clock. Unix seconds."""
        ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class Randomness(Protocol):
    def fraction(self) -> float:
        """Uniform in [0, 1)."""
        ...

    def attempt_id(self) -> str:
        """A new id for an attempt, unique for ever."""
        ...


class Observer(Protocol):
    """What happened, for logs and metrics. Called for every fact that a committed record came from."""

    def folded(self, before: Session | None, after: Session, delivered: Delivered) -> None: ...


@dataclass(frozen=True, slots=True)
class Observers:
    """Several, each told of everything."""

    observers: tuple[Observer, ...]

    def folded(self, before: Session | None, after: Session, delivered: Delivered) -> None:
        for observer in self.observers:
            observer.folded(before, after, delivered)
