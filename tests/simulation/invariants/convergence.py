"""What must be so when the faults are over: I1, I6, I10, I11, I21, I22."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from orchestrator import contract
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Session, SessionState
from orchestrator.sandbox.model import PEOPLE
from orchestrator.sandbox.rooms import OpenRoom
from tests.simulation.judging import Invariant, Write

if TYPE_CHECKING:
    from tests.simulation.world import World

_HEALTHY = 15.0
"""Seconds."""


class NeverSilent(Invariant):
    number = "I1"
    sentence = "A session that wants an agent reaches verified, ended or alerted within its deadline + 15 s of healthy time"

    def at_the_end(self) -> None:
        now = self.world.clock.now()
        for session in self.world.sessions():
            for placement in session.placements:
                settled = placement.state is PlacementState.UNVERIFIED or now < placement.deadline_at + _HEALTHY
                if self.world.asks_for_an_agent(session, placement) and not settled:
                    self.broken(session.room, f"{placement.agent_name} is still {placement.state} ({placement.awaited})")


class TheTruth(Invariant):
    number = "I6"
    sentence = "Whatever webhooks were lost: in the end the state is the truth, not what a listing says of a dead node"

    def at_the_end(self) -> None:
        sessions = {session.sid: session for session in self.world.sessions()}
        for room in self.world.served_rooms():
            session = sessions.get(room.snapshot.sid)
            if session is None:
                self.broken(room.name, f"nobody knows of room {room.snapshot.sid}")
            elif session.ended:
                self.broken(room.name, f"the session of {session.sid} has ended, and the room lives")
            elif not room.people <= session.people <= room.people + _remnants(room):
                self.broken(room.name, f"{session.people} people are counted, and {room.people} are there")
            else:
                self._verified_are_there(session)
        listed = {room.sid for room in self.world.sandbox.rooms.values()}
        for session in sessions.values():
            if not session.ended and session.sid not in listed:
                self.broken(session.room, f"the room {session.sid} is gone, and its session is {session.state}")

    def _verified_are_there(self, session: Session) -> None:
        living = {agent.identity for agent in self.world.sandbox.living_agents(session.room) if agent.answers}
        for placement in session.placements:
            agent = session.present_agent(placement.identity or "")
            # When everybody has left nobody asks the agent any more; one that never answered is believed by its webhook.
            asked = not session.empty and agent is not None and agent.answered_at is not None
            if placement.state is PlacementState.VERIFIED and asked and placement.identity not in living:
                self.broken(session.room, f"{placement.agent_name} is verified by {placement.identity}, and {living} live")


def _remnants(room: OpenRoom) -> int:
    """People whom only the listing knows: they were there when a node died, and did not come back. LiveKit keeps them."""
    return sum(p.kind in PEOPLE and p.identity not in room.participants for p in room.ghosts.values())


class OwnedAgain(Invariant):
    number = "I10"
    sentence = "A dead replica's sessions have an owner within TTL + 2 s"

    def at_the_end(self) -> None:
        alive = {replica.name for replica in self.world.replicas}
        for stored in self.world.server.sessions.values():
            if stored.record is not None and not stored.record.ended and stored.owner not in alive:
                self.broken(stored.room, f"its owner is {stored.owner or 'nobody'}; alive are {sorted(alive)}")


class NeverTwo(Invariant):
    number = "I11"
    sentence = "After convergence at most one live dispatch and one agent of ours per placement"

    def at_the_end(self) -> None:
        for room in self.world.served_rooms():
            # An agent that bears no name, of a job that was never listed: there is nothing by which it could be known.
            living = [a for a in self.world.sandbox.living_agents(room.name) if self.world.bears_its_name(a)]
            agents = self._ours(room, (agent.job.attributes for agent in living))
            dispatches = self._ours(room, (d.dispatch.attributes for d in room.dispatches.values()))
            for what, counted in (("agents", agents), ("dispatches", dispatches)):
                for placement, number in counted.items():
                    if number > 1 and not self._forgotten(room, placement):
                        self.broken(room.name, f"{number} {what} of ours for {placement}")

    def _forgotten(self, room: OpenRoom, agent_name: str) -> bool:
        """Whether the store has lost what was tried before: then nobody can know what of it still comes."""
        session = self.world.session_of(room.name)
        placement = session.find_placement(agent_name) if session else None
        attempts = placement.attempts if placement else ()
        return not attempts or attempts[0].number > 1

    def _ours(self, room: OpenRoom, marks: Iterable[Mapping[str, str]]) -> Counter[str]:
        """By placement. Those of an earlier life of the room's name are strangers to this one."""
        sid = room.snapshot.sid
        return Counter(m[contract.PLACEMENT_ATTRIBUTE] for m in marks if m.get(contract.SESSION_ATTRIBUTE) == sid)


class Conserved(Invariant):
    number = "I21"
    sentence = "Conservation: sessions opened = ended by outcome + open by state"

    def at_the_end(self) -> None:
        states = Counter(session.state for session in self.world.sessions())
        outcomes = Counter(session.outcome for session in self.world.sessions() if session.ended)
        total = len(self.world.server.sessions)
        if sum(states.values()) != total or sum(outcomes.values()) != states[SessionState.ENDED] or None in outcomes:
            self.broken("", f"{total} sessions are stored, {dict(states)}, {dict(outcomes)}")


class Quiet(Invariant):
    number = "I22"
    sentence = "Once the faults stop, the system is quiet and right within 60 s"

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._tried: set[Write] = set()

    def writes(self, replica: str, write: Write) -> None:
        if not self.world.must_be_quiet:
            return
        stored = self.world.session_of(write.room)
        if write.method == "create_dispatch" and stored and self._may_try(stored, write):
            return
        if self._is_of_a_remnant(write) and write not in self._tried:
            self._tried.add(write)
            return  # LiveKit lists it for ever, and removes it never: once in a while is tried all the same
        if stored and not self._is_steady(stored):
            return
        if write.method in ("delete_dispatch", "remove_participant") and stored and self._tries(stored):
            return  # what the attempts before have left
        self.broken(write.room, f"{replica} still sends {write}")

    def _is_of_a_remnant(self, write: Write) -> bool:
        room = self.world.sandbox._rooms.listed(write.room)
        return room is not None and write.identity in room.ghosts and write.identity not in room.participants

    def _may_try(self, session: Session, write: Write) -> bool:
        placement = session.find_placement(write.key.placement) if write.key else None
        return placement is not None and placement.state is PlacementState.UNVERIFIED

    def _is_steady(self, session: Session) -> bool:
        """Whether nobody who works for it leaves, crashes or refuses of its own."""
        return all(self.world.workforce.steady(name) for placement in session.placements for name in placement.names)

    def _tries(self, session: Session) -> bool:
        return any(placement.state is PlacementState.UNVERIFIED for placement in session.placements)

    def at_the_end(self) -> None:
        for session in self.world.sessions():
            for placement in session.placements:
                if self.world.asks_for_an_agent(session, placement) and self._could_have_one(session, placement):
                    self.broken(session.room, f"{placement.agent_name} is {placement.state}, and a worker is there")

    def _could_have_one(self, session: Session, placement: Placement) -> bool:
        return self.world.workforce.serves(placement.agent_name) and self._served(session)

    def _served(self, session: Session) -> bool:
        room: OpenRoom | None = self.world.sandbox._rooms.served(session.room)
        return room is not None and room.snapshot.sid == session.sid
