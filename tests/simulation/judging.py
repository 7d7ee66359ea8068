"""Who judges: every invariant sees everything that goes through the ports, and the first that is broken ends the run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.core.facts import Fact, RoomOpened
from orchestrator.core.proof import Key
from orchestrator.core.session import Session
from orchestrator.runtime.ports import Alert, AppendReply
from orchestrator.sandbox.model import Webhook
from tests.fakes.store.server import Stored

if TYPE_CHECKING:
    from tests.simulation.world import World


class Broken(Exception):
    """An invariant does not hold."""

    def __init__(self, number: str, sentence: str, room: str, why: str) -> None:
        super().__init__(f"{number} is broken: {sentence}\n  {room or 'all'}: {why}")
        self.number = number
        self.room = room


@dataclass(frozen=True, slots=True)
class Write:
    """A call that changes something in LiveKit."""

    method: str
    room: str
    agent_name: str = ""
    key: Key | None = None
    dispatch_id: str = ""
    identity: str = ""

    def __str__(self) -> str:
        what = f"{self.agent_name} #{self.key.attempt}" if self.key else self.dispatch_id or self.identity
        return f"{self.method} {what}".strip()


class Invariant:
    """One sentence that must hold. It is told of everything, and looks at what concerns it."""

    number: str
    sentence: str

    def __init__(self, world: "World") -> None:
        self.world = world

    def broken(self, room: str, why: str) -> None:
        self.world.loop.fail(Broken(self.number, self.sentence, room, why))

    def data_lost(self) -> None:
        """The store went back in time, or has nothing any more."""

    def granted(self, replica: str, room: str, sid: str, epoch: int) -> None:
        """A replica became, or remains, the owner of a session, under this epoch."""

    def appended(
        self, replica: str, opening: RoomOpened, facts: Sequence[Fact], event_id: str | None, reply: AppendReply
    ) -> None:
        """Facts reached the store."""

    def committed(self, replica: str, before: Stored, session: Session, epoch: int) -> None:
        """A record was accepted; `before` is what was stored until then."""

    def renewed(self, replica: str, sent_at: float) -> None:
        """A replica knows that the lease which it asked for at `sent_at` was renewed."""

    def looked(self, replica: str, room: str) -> None:
        """A replica's listing of a room's dispatches was answered."""

    def writes(self, replica: str, write: Write) -> None:
        """A replica is about to send a call that changes something."""

    def acknowledged(self, webhook: Webhook, status: int) -> None:
        """A webhook was answered."""

    def alerted(self, alert: Alert) -> None:
        """An alert is about to be queued for the first time."""

    def at_the_end(self) -> None:
        """After the quiet minute."""


class Judge(Invariant):
    """All of them as one."""

    def __init__(self, world: "World", kinds: Sequence[type[Invariant]]) -> None:
        super().__init__(world)
        self._all = [kind(world) for kind in kinds]

    def data_lost(self) -> None:
        for one in self._all:
            one.data_lost()

    def granted(self, replica: str, room: str, sid: str, epoch: int) -> None:
        for one in self._all:
            one.granted(replica, room, sid, epoch)

    def appended(
        self, replica: str, opening: RoomOpened, facts: Sequence[Fact], event_id: str | None, reply: AppendReply
    ) -> None:
        for one in self._all:
            one.appended(replica, opening, facts, event_id, reply)

    def committed(self, replica: str, before: Stored, session: Session, epoch: int) -> None:
        self._note(replica, before.record, session)
        for one in self._all:
            one.committed(replica, before, session, epoch)

    def renewed(self, replica: str, sent_at: float) -> None:
        for one in self._all:
            one.renewed(replica, sent_at)

    def looked(self, replica: str, room: str) -> None:
        for one in self._all:
            one.looked(replica, room)

    def writes(self, replica: str, write: Write) -> None:
        for one in self._all:
            one.writes(replica, write)

    def acknowledged(self, webhook: Webhook, status: int) -> None:
        for one in self._all:
            one.acknowledged(webhook, status)

    def alerted(self, alert: Alert) -> None:
        self.world.trace.note("alerts", alert.room or "", f"{alert.status} {alert.incident} {alert.cause or ''}")
        for one in self._all:
            one.alerted(alert)

    def at_the_end(self) -> None:
        for one in self._all:
            one.at_the_end()

    def _note(self, replica: str, before: Session | None, after: Session) -> None:
        """The lines that this commit added to the session's own story."""
        new = after.timeline_total - (before.timeline_total if before else 0)
        for entry in after.timeline[-new:] if new > 0 else ():
            number = f" #{entry.attempt}" if entry.attempt else ""
            what = f"{entry.event}{number} {entry.agent_name or ''} {entry.identity or ''} {entry.cause or entry.detail or ''}"
            self.world.trace.note(f"{replica}*", after.room, " ".join(what.split()))
