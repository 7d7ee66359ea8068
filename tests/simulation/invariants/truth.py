"""What may be believed, and whom it may cost: I2, I13, I14, I23."""

from orchestrator.core.causes import Cause
from orchestrator.core.placement import PlacementState
from orchestrator.core.session import Session
from tests.fakes.store.server import Stored
from tests.simulation.clocks import EPOCH
from tests.simulation.judging import Invariant, Write

_CLOCK_ERROR = 1.5
"""Seconds by which a replica's idea of the store's time may be wrong, and then some."""


class VerifiedMeansSeen(Invariant):
    number = "I2"
    sentence = (
        "Verified means seen: an ACTIVE participant of kind AGENT in this room sid, in a webhook, or in a listing together "
        "with an answered pulse; and not one that is known to have left"
    )

    def committed(self, replica: str, before: Stored, session: Session, epoch: int) -> None:
        known = {p.agent_name: p for p in before.record.placements} if before.record else {}
        for placement in session.placements:
            sid, identity = placement.participant_sid, placement.identity
            if placement.state is not PlacementState.VERIFIED:
                continue
            was = known.get(placement.agent_name)
            if was and (was.state, was.participant_sid) == (placement.state, sid):
                continue
            if sid is None or identity is None or not self.world.evidence.seen(session.room, sid, identity):
                self.broken(session.room, f"{placement.agent_name} is verified by {identity} ({sid}), who was not seen")
            elif self.world.evidence.room_of(sid) != session.sid:
                self.broken(session.room, f"{identity} ({sid}) is in another room than {session.sid}")
            elif self._left_before(before, sid):
                self.broken(session.room, f"{identity} ({sid}) verifies {placement.agent_name}, and is known to have left")

    def _left_before(self, before: Stored, participant_sid: str) -> bool:
        agents = before.record.agents if before.record else ()
        return any(a.participant_sid == participant_sid and not a.present for a in agents)


class NoOtherRoom(Invariant):
    number = "I13"
    sentence = "A fact about an old room sid never touches a session of the same name with a new sid"

    def committed(self, replica: str, before: Stored, session: Session, epoch: int) -> None:
        known = {a.participant_sid for a in before.record.agents} if before.record else set()
        for agent in session.agents:
            if agent.participant_sid in known:
                continue
            room = self.world.evidence.room_of(agent.participant_sid)
            if room != session.sid:
                self.broken(session.room, f"{agent.identity} ({agent.participant_sid}) is of {room}, not of {session.sid}")


class NoFalseEnd(Invariant):
    number = "I14"
    sentence = "A failed, partial or timed-out listing never ends a session"

    def committed(self, replica: str, before: Stored, session: Session, epoch: int) -> None:
        if not session.ended or (before.record is not None and before.record.ended):
            return
        room = self.world.sandbox.rooms.get(session.room)
        if room is not None and room.sid == session.sid and not self.world.evidence.finished(session.sid):
            self.broken(session.room, f"{replica} ended the session of {session.sid}, and the room lives")


class AgentsAreSafe(Invariant):
    number = "I23"
    sentence = (
        "An agent that answers is never removed, except as a duplicate or by a policy's word; silence of LiveKit itself is "
        "never taken for silence of an agent"
    )

    def committed(self, replica: str, before: Stored, session: Session, epoch: int) -> None:
        silent = {a.participant_sid for a in before.record.agents if a.silent_at} if before.record else set()
        for agent in session.agents:
            if agent.silent_at is None or agent.participant_sid in silent:
                continue
            truth = self.world.agent(session.room, agent.identity)
            if truth is None or not truth.alive or not truth.answers:
                continue
            if truth._silent_until < agent.silent_at - EPOCH - _CLOCK_ERROR:
                cause = Cause.NODE_LOST if session.restarted_at > agent.seen_at else Cause.SILENT
                self.broken(session.room, f"{agent.identity} counts as silent ({cause}), and answers all the time")

    def writes(self, replica: str, write: Write) -> None:
        if write.method != "remove_participant":
            return
        agent = self.world.agent(write.room, write.identity)
        if agent is None or not agent.alive or not agent.answers:
            return
        room = self.world.sandbox.rooms[write.room]
        stored = self.world.server.sessions.get(room.sid)
        if stored is None or stored.record is None:
            return
        for placement in stored.record.placements:
            if placement.identity == write.identity and placement.state is PlacementState.VERIFIED:
                self.broken(write.room, f"{replica} removes {write.identity}, who serves {placement.agent_name} and answers")
