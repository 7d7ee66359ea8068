"""What people, tokens and agents asked for: I24, I25."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator import contract
from orchestrator.core.facts import AgentDismissed, AgentWanted, Fact, RoomOpened
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.core.session import Session
from orchestrator.runtime.ports import Appended, AppendReply
from orchestrator.sandbox.rooms import OpenRoom
from tests.fakes.store.server import Stored
from tests.simulation.judging import Invariant

if TYPE_CHECKING:
    from tests.simulation.world import World

_SOON = 5.0
"""Seconds that LiveKit and we may take to get an agent out of a room."""

_IN_THE_INBOX = 10.0
"""Seconds before an agent was seen to be sent away in which somebody may have asked for it again."""


@dataclass(frozen=True, slots=True)
class Asked:
    at: float
    fact: AgentWanted | AgentDismissed

    @property
    def agent_name(self) -> str:
        return self.fact.spec.agent_name if isinstance(self.fact, AgentWanted) else self.fact.placement

    @property
    def relieves(self) -> str | None:
        return self.fact.instead_of if isinstance(self.fact, AgentWanted) else None


class KnowsWishes(Invariant):
    """What was asked of which session, in the order in which it was stored. A store that forgets absolves from it."""

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self.asked: dict[str, list[Asked]] = {}
        self.forgetful = False

    def data_lost(self) -> None:
        self.asked.clear()
        self.forgetful = True

    def appended(
        self, replica: str, opening: RoomOpened, facts: Sequence[Fact], event_id: str | None, reply: AppendReply
    ) -> None:
        if reply.outcome is Appended.STORED:
            wishes = [Asked(self.world.loop.time(), f) for f in facts if isinstance(f, AgentWanted | AgentDismissed)]
            self.asked.setdefault(opening.sid, []).extend(wishes)

    def of(self, sid: str, kind: type[AgentWanted | AgentDismissed], agent_name: str) -> list[Asked]:
        return [a for a in self.asked.get(sid, ()) if isinstance(a.fact, kind) and a.agent_name == agent_name]

    def relievers(self, sid: str, agent_name: str) -> set[str]:
        """Who was to take this agent's place, or the place of one that was to take it."""
        found: set[str] = set()
        names = {agent_name}
        while names:
            names = {a.agent_name for a in self.asked.get(sid, ()) if a.relieves in names} - found
            found |= names
        return found


class NoWishLost(KnowsWishes):
    number = "I24"
    sentence = (
        "What was asked for and stored has its effect: an agent that is wanted gets a placement as any other, one that was "
        "dismissed or relieved is out of the room in the end, with its dispatches; no name is asked for twice"
    )

    def at_the_end(self) -> None:
        sessions = {session.sid: session for session in self.world.sessions() if not session.ended}
        for room in self.world.served_rooms():
            session = sessions.get(room.snapshot.sid)
            if session is None:
                continue
            self._each_name_once(session)
            for name in {asked.agent_name: None for asked in self.asked.get(session.sid, ())}:
                self._has_its_effect(session, name)
            if not self.forgetful:
                for placement in session.placements:
                    relieved = placement.over and self.relievers(session.sid, placement.agent_name)
                    if placement.state is PlacementState.CANCELLED or relieved:
                        self._is_out(room, placement)

    def _has_its_effect(self, session: Session, name: str) -> None:
        last = next(a for a in reversed(self.asked[session.sid]) if a.agent_name == name)
        placement = session.find_placement(name)
        if isinstance(last.fact, AgentDismissed):
            if placement is not None and not placement.over:
                self.broken(session.room, f"{name} was dismissed, and is {placement.state}")
        elif placement is None:
            self.broken(session.room, f"{name} was asked for, and nobody knows of it")
        elif placement.state is PlacementState.CANCELLED and not self.relievers(session.sid, name):
            self.broken(session.room, f"{name} was asked for, and is not wanted any more, although nobody said so")
        elif placement.state is PlacementState.ENDED and not placement.released:
            self.broken(session.room, f"{name} was asked for, and has ended before its room")

    def _each_name_once(self, session: Session) -> None:
        wanted = [p for p in session.placements if not p.over]
        for placement in wanted:
            for other in wanted:
                if any(c.agent_name == placement.agent_name for c in other.candidates[other.candidate + 1 :]):
                    self.broken(
                        session.room, f"{placement.agent_name} is wanted by itself, and as {other.agent_name}'s fallback"
                    )

    def _is_out(self, room: OpenRoom, placement: Placement) -> None:
        name = placement.agent_name
        for agent in self.world.sandbox.living_agents(room.name):
            if _is_for(agent.job.attributes, room.snapshot.sid, name) and self.world.bears_its_name(agent):
                self.broken(room.name, f"{name} is {placement.state}, and {agent.identity} is in the room")
        if placement.state is PlacementState.CANCELLED:
            for dispatch in room.dispatches.values():
                if _is_for(dispatch.dispatch.attributes, room.snapshot.sid, name):
                    self.broken(room.name, f"{name} is {placement.state}, and its dispatch {dispatch.dispatch.id} is listed")


def _is_for(marks: Mapping[str, str], sid: str, placement: str) -> bool:
    return marks.get(contract.SESSION_ATTRIBUTE) == sid and marks.get(contract.PLACEMENT_ATTRIBUTE) == placement


@dataclass(frozen=True, slots=True)
class Leaving:
    room: str
    identity: str
    since: float
    due: float
    why: str


class RelievedInTime(KnowsWishes):
    number = "I25"
    sentence = (
        "Nobody goes unasked: a placement ends by a dismissal, or when the agent that takes its place is verified; then its "
        "agent is out within the grace and some seconds, and is not replaced, unless it is asked for again"
    )

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._to_go: dict[tuple[str, str], float] = {}
        self._leaving: list[Leaving] = []

    def data_lost(self) -> None:
        super().data_lost()
        self._to_go.clear()
        self._leaving.clear()

    def committed(self, replica: str, before: Stored, session: Session, epoch: int) -> None:
        if before.record is None or before.record.ended or session.ended or self.forgetful:
            return
        for was, placement in _pairs(before.record, session):
            if _leaves(was) and not _leaves(placement) and self._serves_on(session, placement):
                self._to_go.pop((session.sid, placement.agent_name), None)  # it serves on
                self._leaving = [leaving for leaving in self._leaving if leaving.identity != was.identity]
            self._stays_away(session, was, placement)
            ends = not was.over and placement.over and (placement.state is PlacementState.CANCELLED or _leaves(was))
            if ends or (_leaves(placement) and not _leaves(was)):
                self._ends(session, was, placement)
            if placement.state is PlacementState.VERIFIED and was.state is not PlacementState.VERIFIED:
                self._takes_over(before.record, session, placement)

    def _ends(self, session: Session, was: Placement, placement: Placement) -> None:
        name, now = was.agent_name, self.world.loop.time()
        self._to_go[session.sid, name] = now
        dismissed = bool(self.of(session.sid, AgentDismissed, name))
        if not dismissed and not self._is_relieved(session, was, placement):
            self.broken(session.room, f"{name} goes, although nobody dismissed it, and nobody serves in its place")
        if dismissed and placement.over and was.identity:
            self._leaving.append(Leaving(session.room, was.identity, now, now + _SOON, f"{name} was dismissed"))

    def _serves_on(self, session: Session, placement: Placement) -> bool:
        """Whether it need not go any more: it was asked for again, or who came in its place is gone."""
        relievers = (session.find_placement(name) for name in self.relievers(session.sid, placement.agent_name))
        return placement.state is PlacementState.VERIFIED or any(p is not None and p.wanting for p in relievers)

    def _stays_away(self, session: Session, was: Placement, placement: Placement) -> None:
        name = placement.agent_name
        since = self._to_go.get((session.sid, name))
        if since is None:
            return
        if any(asked.at > since - _IN_THE_INBOX for asked in self.of(session.sid, AgentWanted, name)):
            del self._to_go[session.sid, name]
            return
        if was.over and not placement.over:
            self.broken(session.room, f"{name} is wanted again, and nobody asked for it")
        known = {attempt.number for attempt in was.attempts}
        for attempt in placement.attempts:
            if attempt.number not in known and attempt.ours and attempt.open:
                self.broken(session.room, f"attempt {attempt.number} of {name} begins, and that one was to go")

    def _is_relieved(self, session: Session, was: Placement, placement: Placement) -> bool:
        """Whether another one serves, or did and ended; or came, where nobody served when it did, or who did left by itself."""
        relievers = self.relievers(session.sid, was.agent_name)
        came = any(entry.event == "verified" and entry.agent_name in relievers for entry in session.timeline)
        placements = [session.find_placement(name) for name in relievers]
        alone = was.identity is None or placement.state is PlacementState.ENDED
        return came and (alone or any(p is not None and not p.wanting for p in placements))

    def _takes_over(self, before: Session, session: Session, placement: Placement) -> None:
        now = self.world.loop.time()
        for asked in self.of(session.sid, AgentWanted, placement.agent_name):
            assert isinstance(asked.fact, AgentWanted)
            relieved = before.find_placement(asked.relieves) if asked.relieves is not None else None
            superseded = relieved and self._asked_since(session.sid, asked, relieved.agent_name)
            if relieved is not None and relieved.identity and relieved.leaves_at is None and not superseded:
                why = f"{placement.agent_name} serves in place of {relieved.agent_name}"
                due = now + asked.fact.grace + _SOON
                self._leaving.append(Leaving(session.room, relieved.identity, now, due, why))

    def _asked_since(self, sid: str, asked: Asked, name: str) -> bool:
        """Whether the switch was taken back: the one to come was dismissed, or the one to go was asked for again."""
        later = self.asked[sid][self.asked[sid].index(asked) + 1 :]
        return any(
            (isinstance(a.fact, AgentDismissed) and a.agent_name == asked.agent_name)
            or (isinstance(a.fact, AgentWanted) and a.agent_name in (name, asked.agent_name))
            for a in later
        )

    def renewed(self, replica: str, sent_at: float) -> None:
        """Leases are renewed all the time: a good occasion to see who is late."""
        now = self.world.loop.time()
        late = [leaving for leaving in self._leaving if leaving.due < now]
        if late:
            self._leaving = [leaving for leaving in self._leaving if leaving.due >= now]
        for leaving in late:
            there = {agent.identity for agent in self.world.sandbox.living_agents(leaving.room)}
            if self.world.calm_since(leaving.since) and leaving.identity in there:
                self.broken(
                    leaving.room, f"{leaving.why}, and {leaving.identity} is still there after {now - leaving.since:.1f} s"
                )


def _pairs(before: Session, after: Session) -> Iterator[tuple[Placement, Placement]]:
    """Each placement as it was, and as it is; one that came since wanted nothing before."""
    for placement in after.placements:
        was = before.find_placement(placement.agent_name)
        if was is not None:
            yield was, placement
        elif placement.attempts:
            continue
        else:
            yield _new(placement), placement


def _new(placement: Placement) -> Placement:
    return Placement(
        placement.agent_name, placement.candidates, placement.policy, placement.wanted_at, placement.first_wanted_at
    )


def _leaves(placement: Placement) -> bool:
    return placement.leaves_at is not None
