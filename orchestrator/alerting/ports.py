"""What delivering alerts needs: an outbox that keeps them, and sinks that take them."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from orchestrator.core.silences import Silence
from orchestrator.runtime.ports import Alert, RollcallError


class NotAccepted(RollcallError):
    """A sink did not take an alert: it is to be sent again. The message names no address, which may hold a secret."""


class Outcome(StrEnum):
    """What came of one try: the label of its metric, and a closed list."""

    ACCEPTED = "accepted"
    REFUSED = "refused"


class Sink(Protocol):
    @property
    def name(self) -> str:
        """The same in every replica and after every restart: the outbox keeps alerts under it."""
        ...

    @property
    def again(self) -> float | None:
        """Seconds after which what still fires is to be sent again; None: it is told once."""
        ...

    async def send(self, alert: Alert) -> None:
        """Returns when the alert was accepted; raises NotAccepted. Sending the same alert twice must do no harm."""
        ...


class Delivery(Protocol):
    """One alert that one sink should get now."""

    @property
    def alert(self) -> Alert: ...

    @property
    def sink(self) -> str: ...

    @property
    def tries(self) -> int:
        """Which try this is, from 1."""
        ...

    @property
    def accepted(self) -> bool:
        """Whether the sink has accepted it before, and is sent it again."""
        ...


class Outbox(Protocol):
    """Keeps each alert for each sink until that sink has accepted it. Raises StoreUnavailable."""

    async def claim(self, now: float, lease: float) -> Sequence[Delivery]:
        """What is due, no more than can be tried within the lease; due again after it unless something else is said."""
        ...

    async def waits(self, alert_id: str, sink: str) -> bool:
        """Whether the sink is still to accept this alert for the first time."""
        ...

    async def done(self, alert_id: str, sink: str) -> None:
        """The sink is not to be sent it any more."""
        ...

    async def again(self, alert_id: str, sink: str, at: float) -> None:
        """The sink has accepted it, and is to be sent it again then, unless somebody says `done` meanwhile."""
        ...

    async def retry(self, alert_id: str, sink: str, at: float) -> None: ...

    async def hold(self, alert_id: str, sink: str, until: float) -> None:
        """A silence keeps it from the sink: it is due again at this time, or sooner when a silence is ended."""
        ...

    async def forgo(self, alert_id: str, end_id: str, sink: str) -> bool:
        """Whether a silence keeps this beginning from the sink; then it is sent neither that nor this end."""
        ...


class Silences(Protocol):
    async def look(self, now: float) -> Sequence[Silence]:
        """What operators want to hear nothing of. Raises StoreUnavailable."""
        ...
