"""How hard it is tried: I12."""

from typing import TYPE_CHECKING

from orchestrator.core.placement import Attempt, Placement, PlacementState
from orchestrator.core.session import Session
from tests.fakes.store.server import Stored
from tests.simulation.judging import Invariant, Write

if TYPE_CHECKING:
    from tests.simulation.world import World

_ROUNDING = 0.5
"""Seconds: the clocks of two replicas, each of which has learned the store's."""

_KNOWN_EVERYWHERE = 4.0
"""Seconds after a pause: each replica looks every two, and a call that was recorded before may wait for the API."""


class NoMoreThanThePolicy(Invariant):
    number = "I12"
    sentence = (
        "Attempts never exceed the policy, then at most one per keep_trying; none after verified, ended or cancelled; each is "
        "recorded before it is called, and called once; none while its agent is paused"
    )

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._called: set[str] = set()
        self._lost_at = float("-inf")

    def data_lost(self) -> None:
        self._lost_at = self.world.loop.time()

    def writes(self, replica: str, write: Write) -> None:
        key = write.key
        if key is None:
            return
        self._not_paused(replica, write)
        if key.attempt_id in self._called:
            self.broken(write.room, f"{replica} calls attempt {key.attempt} of {key.placement} again")
        self._called.add(key.attempt_id)
        stored = self.world.server.sessions.get(key.session)
        placement = stored.record.find_placement(key.placement) if stored and stored.record else None
        recorded = placement.attempt(key.attempt) if placement else None
        if self._lost_at < self.world.loop.time() - 15.0 and (not recorded or recorded.attempt_id != key.attempt_id):
            self.broken(write.room, f"{replica} calls attempt {key.attempt} of {key.placement}, which is not recorded")

    def committed(self, replica: str, before: Stored, session: Session, epoch: int) -> None:
        known = {p.agent_name: p for p in before.record.placements} if before.record else {}
        for placement in session.placements:
            was = known.get(placement.agent_name)
            last = max((a.number for a in was.attempts), default=0) if was else 0
            for attempt in placement.attempts:
                if attempt.number > last and attempt.ours and attempt.open and attempt.dispatch_id is None:
                    self._check(session, placement, was, attempt)

    def _check(self, session: Session, placement: Placement, was: Placement | None, attempt: Attempt) -> None:
        name = placement.agent_name
        if session.ended or placement.state in (PlacementState.VERIFIED, PlacementState.ENDED, PlacementState.CANCELLED):
            self.broken(session.room, f"attempt {attempt.number} of {name} begins although it is {placement.state}")
        if was is not None and was.state is PlacementState.UNVERIFIED and placement.state is PlacementState.UNVERIFIED:
            last = max((a.requested_at for a in was.attempts if a.ours), default=0.0)
            early = attempt.requested_at - last < placement.policy.keep_trying - _ROUNDING
            if early and not self._forgotten(placement):
                since = f"{attempt.requested_at - last:.2f} s after the one before"
                self.broken(session.room, f"attempt {attempt.number} of {name} begins {since}")
        elif placement.tries > placement.policy.attempts and not self._forgotten(placement):
            self.broken(session.room, f"attempt {attempt.number} of {name} is the {placement.tries}th of this round")

    def _not_paused(self, replica: str, write: Write) -> None:
        pause, now = self.world.paused.get(write.agent_name), self.world.clock.now()
        if pause is None or not pause.holds(now) or now - pause.since < _KNOWN_EVERYWHERE:
            return
        # Where something is broken, others than the one that was asked for it may not have heard of it yet.
        if pause.by == replica or self.world.calm_since(self.world.loop.time() - (now - pause.since)):
            self.broken(write.room, f"{write.agent_name} is dispatched {now - pause.since:.1f} s after it was paused")

    def _forgotten(self, placement: Placement) -> bool:
        """Whether the store has just lost what was known of the attempts before."""
        return self._lost_at > self.world.loop.time() - placement.policy.keep_trying
