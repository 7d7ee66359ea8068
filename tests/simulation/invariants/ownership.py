"""Who may write: I7, I8, I9."""

from typing import TYPE_CHECKING

from orchestrator.core.session import Session
from orchestrator.runtime.ownership import LeaseTimes
from tests.fakes.store.server import Stored
from tests.simulation.judging import Invariant, Write

if TYPE_CHECKING:
    from tests.simulation.world import World


class OneOwner(Invariant):
    number = "I7"
    sentence = (
        "Only the owner commits a record, at most one owner per epoch; no accepted commit carries an epoch below the highest "
        "accepted one"
    )

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._owners: dict[tuple[str, int], str] = {}
        self._highest: dict[str, int] = {}

    def data_lost(self) -> None:
        """What was accepted since is forgotten: of that only the growth of new epochs can be asked (I8)."""
        self._highest.clear()

    def committed(self, replica: str, before: Stored, session: Session, epoch: int) -> None:
        if before.owner != replica:
            self.broken(session.room, f"{replica} committed, and {before.owner or 'nobody'} is the owner")
        owner = self._owners.setdefault((session.sid, epoch), replica)
        if owner != replica:
            self.broken(session.room, f"epoch {epoch} was {owner}'s, and {replica} commits under it")
        if epoch < self._highest.get(session.sid, 0):
            self.broken(session.room, f"epoch {epoch} was accepted after {self._highest[session.sid]}")
        self._highest[session.sid] = epoch


class EpochsGrow(Invariant):
    number = "I8"
    sentence = "Epochs only grow: over owner changes, restarts of the store, data that went back in time, failovers"

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._granted: dict[str, int] = {}

    def granted(self, replica: str, room: str, sid: str, epoch: int) -> None:
        before = self._granted.get(sid, 0)
        if epoch <= before:
            self.broken(room, f"{replica} was given epoch {epoch}, and {before} had been given before")
        self._granted[sid] = epoch


class NothingBehindTheFence(Invariant):
    number = "I9"
    sentence = "A replica makes no LiveKit write after its self-fence"

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._renewed_at: dict[str, float] = {}

    def renewed(self, replica: str, sent_at: float) -> None:
        self._renewed_at[replica] = sent_at

    def writes(self, replica: str, write: Write) -> None:
        since = self.world.loop.time() - self._renewed_at.get(replica, float("-inf"))
        if since > LeaseTimes().fence:
            self.broken(write.room, f"{replica} sends {write} {since:.3f} s after the last renewal of its lease was sent")


class LooksFirst(Invariant):
    number = "I9"
    sentence = "Every attempt looks first: whoever took a session over looks before it acts"

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._doubted: dict[tuple[str, str], set[tuple[str, str | None]]] = {}
        """By replica and room: the sessions and placements of which it has not looked since it called; of sessions that it
        took over since, all placements (None): nobody but the session knows which they are."""
        self._owners: dict[str, str] = {}

    def granted(self, replica: str, room: str, sid: str, epoch: int) -> None:
        if self._owners.get(sid) == replica:
            return  # it loads its own session anew
        self._owners[sid] = replica
        self._doubted.setdefault((replica, room), set()).add((sid, None))

    def looked(self, replica: str, room: str) -> None:
        self._doubted.pop((replica, room), None)

    def writes(self, replica: str, write: Write) -> None:
        if write.key is None:
            return
        doubted = self._doubted.setdefault((replica, write.room), set())
        wanted = (write.key.session, write.key.placement)
        if wanted in doubted or (write.key.session, None) in doubted:
            self.broken(write.room, f"{replica} sends {write}, and has not looked since it drives the session, or called last")
        doubted.add(wanted)
