"""The rooms: who and what is in them, when they open and end, and which webhooks that brings.

A room whose server died with its state in Redis is a *ghost*: listed for good with all that was in it, and served by
nobody until a call brings it back to life under the same sid.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.runtime.ports import Clock
from orchestrator.sandbox.ids import Ids
from orchestrator.sandbox.model import NOTHING, PEOPLE, AgentRequest, Dispatch, Job, Participant, Room, Webhook
from orchestrator.sandbox.webhooks import Spawn


@dataclass(slots=True)
class OpenDispatch:
    """A dispatch of a room, as it is now."""

    dispatch: Dispatch
    launching: bool = True
    """Whether workers are still being asked: until then there is nothing to terminate."""
    deleted: bool = False

    def list_job(self, job: Job) -> None:
        self.dispatch = replace(self.dispatch, jobs=(*self.dispatch.jobs, job))


@dataclass(slots=True)
class OpenRoom:
    """A room from its first event to its end: `snapshot` as it is listed, and what the server holds of it."""

    snapshot: Room
    agents: Sequence[AgentRequest]
    opened_at: float
    """By the monotonic clock, as all times here; a room that was a ghost keeps it."""
    participants: dict[str, Participant] = field(default_factory=dict)
    ghosts: dict[str, Participant] = field(default_factory=dict)
    """Participants that only the listing knows."""
    dispatches: dict[str, OpenDispatch] = field(default_factory=dict)
    served: bool = True
    """Whether a server has it; otherwise it is a ghost, or has ended."""
    entered: bool = False
    """Whether somebody who keeps a room open was ever in, in this life of its server."""
    left_at: float | None = None
    """When anybody left last, an agent included."""
    watched: bool = False
    """Whether a task waits to end the room, should it stay empty."""
    last_dispatch_at: float = float("-inf")

    @property
    def name(self) -> str:
        return self.snapshot.name

    @property
    def people(self) -> int:
        return sum(participant.kind in PEOPLE for participant in self.participants.values())

    @property
    def idle(self) -> bool:
        """Whether it is served, and nobody in it keeps it open."""
        return self.served and not self.people

    @property
    def ends_at(self) -> float:
        """When it ends if nobody comes."""
        if self.entered and self.left_at is not None:
            return self.left_at + self.snapshot.departure_timeout
        return self.opened_at + self.snapshot.empty_timeout

    def listed(self) -> list[Participant]:
        """Whoever came later under a ghost's identity stands in its place."""
        return list((self.ghosts | self.participants).values())


class Rooms(Mapping[str, Room]):
    """All rooms, by name, as ListRooms shows them.

    Every `idle_check` seconds the server looks for rooms to end.
    `dispatched` is called for each dispatch that comes into being, `removed` for each participant that is gone.
    """

    def __init__(
        self,
        clock: Clock,
        ids: Ids,
        spawn: Spawn,
        tell: Callable[[Webhook], None],
        *,
        idle_check: float,
        dispatched: Callable[[OpenRoom, OpenDispatch], None],
        removed: Callable[[Participant], None],
    ) -> None:
        self._clock = clock
        self._ids = ids
        self._spawn = spawn
        self._tell = tell
        self._idle_check = idle_check
        self._dispatched = dispatched
        self._removed = removed
        self._rooms: dict[str, OpenRoom] = {}

    def __getitem__(self, name: str) -> Room:
        return self._rooms[name].snapshot

    def __iter__(self) -> Iterator[str]:
        return iter(self._rooms)

    def __len__(self) -> int:
        return len(self._rooms)

    def listed(self, name: str) -> OpenRoom | None:
        return self._rooms.get(name)

    def served(self, name: str) -> OpenRoom | None:
        """The room, if a server has it: ghosts answer no question."""
        room = self._rooms.get(name)
        return room if room and room.served else None

    # --- opening and ending -------------------------------------------------------------------------------------------

    def open(
        self,
        name: str,
        *,
        metadata: str = "",
        agents: Sequence[AgentRequest] = (),
        empty_timeout: float = 300.0,
        departure_timeout: float = 20.0,
    ) -> OpenRoom:
        """The room of this name. What is asked for counts only when this call makes it; a ghost comes back as it was."""
        room = self._rooms.get(name)
        if room and room.served:
            return room
        if room is None:
            snapshot = Room(
                sid=self._ids.new("RM_"),
                name=name,
                created_at=self._clock.now(),
                metadata=metadata,
                empty_timeout=empty_timeout,
                departure_timeout=departure_timeout,
                turn_password=self._ids.turn_password(),
            )
            # Without `agents` every unnamed worker is asked: LiveKit's own backward compatibility.
            room = OpenRoom(snapshot, tuple(agents) or (AgentRequest(""),), self._clock.monotonic())
            self._rooms[name] = room
        room.served = True
        self._emit("room_started", room)
        for request in room.agents:
            self.dispatch(room, request.agent_name, request.metadata, request.attributes)
        self._watch(room)
        return room

    def close(self, name: str, reason: str) -> None:
        """End the room: everybody is out, with this disconnect reason. A ghost is brought back first, to be ended."""
        room = self.open(name)
        room.served = False
        for participant in list(room.participants.values()):
            self.remove(room, participant.sid, reason)
        del self._rooms[name]
        self._emit("room_finished", room)

    def crash(self, *, keeps_state: bool) -> None:
        """The server is gone at once, and tells nobody. Its store keeps what was listed, or there was no store."""
        for room in self._rooms.values():
            room.served = False
            room.entered = False
            room.left_at = None
            room.watched = False
            room.ghosts.update(room.participants)
            room.participants.clear()
            room.dispatches.clear()
        if not keeps_state:
            self._rooms.clear()

    def describe(self, room: OpenRoom, metadata: str) -> None:
        room.snapshot = replace(room.snapshot, metadata=metadata)

    # --- dispatches ---------------------------------------------------------------------------------------------------

    def dispatch(self, room: OpenRoom, agent_name: str, metadata: str, attributes: Mapping[str, str]) -> OpenDispatch:
        dispatch = OpenDispatch(
            Dispatch(self._ids.new("AD_"), agent_name, room.name, metadata, dict(attributes), self._clock.now())
        )
        room.dispatches[dispatch.dispatch.id] = dispatch
        self._dispatched(room, dispatch)
        return dispatch

    # --- participants -------------------------------------------------------------------------------------------------

    def enter(
        self,
        room: OpenRoom,
        identity: str,
        *,
        kind: str,
        name: str = "",
        metadata: str = "",
        attributes: Mapping[str, str] = NOTHING,
    ) -> Participant:
        """Let somebody in, who is JOINING until `activate`. Whoever was there under this identity is thrown out."""
        if known := room.participants.get(identity):
            self.remove(room, known.sid, "DUPLICATE_IDENTITY")
        participant = Participant(
            sid=self._ids.new("PA_"),
            identity=identity,
            kind=kind,
            state="JOINING",
            joined_at=self._clock.now(),
            name=name,
            metadata=metadata,
            attributes=dict(attributes),
        )
        room.participants[identity] = participant
        room.ghosts.pop(identity, None)
        room.entered = room.entered or kind in PEOPLE
        return participant

    def activate(self, room: OpenRoom, participant: Participant) -> Participant:
        """Media is connected. The webhook counts the people who were there before."""
        active = replace(participant, state="ACTIVE", version=2)
        room.participants[participant.identity] = active
        self._emit("participant_joined", room, active)
        self._count(room)
        return active

    def amend(self, room: OpenRoom, sid: str, attribute: str, value: str) -> None:
        """A participant sets an attribute of its own; LiveKit sends no webhook for that."""
        if participant := self.present(room, sid):
            attributes = {**participant.attributes, attribute: value}
            room.participants[participant.identity] = replace(
                participant, attributes=attributes, version=participant.version + 1
            )

    def remove(self, room: OpenRoom, sid: str, reason: str) -> None:
        """Somebody is gone, unless that was known already."""
        participant = self.present(room, sid)
        if participant is None:
            return
        del room.participants[participant.identity]
        room.left_at = self._clock.monotonic()
        self._count(room)
        gone = replace(participant, state="DISCONNECTED", version=participant.version + 1, disconnect_reason=reason)
        joined = participant.state == "ACTIVE"
        self._emit("participant_left" if joined else "participant_connection_aborted", room, gone)
        self._removed(gone)
        self._watch(room)

    def present(self, room: OpenRoom, sid: str) -> Participant | None:
        """By its sid: an identity may by now be somebody else's."""
        return next((p for p in room.participants.values() if p.sid == sid), None)

    # --- within -------------------------------------------------------------------------------------------------------

    def _count(self, room: OpenRoom) -> None:
        room.snapshot = replace(room.snapshot, num_participants=room.people)

    def _emit(self, event: str, room: OpenRoom, participant: Participant | None = None) -> None:
        now = self._clock
        self._tell(Webhook(self._ids.new("EV_"), event, int(now.now()), room.snapshot, participant, now.monotonic()))

    def _watch(self, room: OpenRoom) -> None:
        """End the room in time, should it stay empty: one sleeper per room, and none while people are in."""
        if room.idle and not room.watched:
            room.watched = True
            self._spawn(f"idle room {room.name}", self._end_when_idle(room))

    async def _end_when_idle(self, room: OpenRoom) -> None:
        await self._clock.sleep(self._idle_check)  # so that a ghost brought back is not gone before anybody comes
        while room.idle:
            left = room.ends_at - self._clock.monotonic()
            if left <= 0:
                self.close(room.name, "ROOM_CLOSED")
                break
            await self._clock.sleep(left)
        room.watched = False
