"""What LiveKit has told so far, to anybody: the only ground on which something may be believed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orchestrator.core.listing import ListedParticipant
from orchestrator.runtime.ports import Pulse
from orchestrator.sandbox.model import Webhook

if TYPE_CHECKING:
    from tests.simulation.world import World


class Evidence:
    def __init__(self, world: "World") -> None:
        self._world = world
        self._room_of: dict[str, str] = {}
        self._joined: set[str] = set()
        self._left: set[str] = set()
        self._listed: set[str] = set()
        self._finished: set[str] = set()
        self._answered: set[tuple[str, str]] = set()
        self._unsupported = False

    # --- what was told ------------------------------------------------------------------------------------------------

    def told(self, webhook: Webhook) -> None:
        """A webhook reaches somebody."""
        if webhook.event == "room_finished":
            self._finished.add(webhook.room.sid)
        if webhook.participant is None:
            return
        self._room_of[webhook.participant.sid] = webhook.room.sid
        if webhook.event == "participant_joined":
            self._joined.add(webhook.participant.sid)
        elif webhook.event == "participant_left":
            self._left.add(webhook.participant.sid)

    def listed(self, room: str, participants: Sequence[ListedParticipant]) -> None:
        """A listing, as it leaves LiveKit; a participant's sid is never another's."""
        for participant in participants:
            if room in self._world.sandbox.rooms:
                self._room_of.setdefault(participant.sid, self._world.sandbox.rooms[room].sid)
            self._listed.add(participant.sid)

    def asked(self, room: str, identity: str, pulse: Pulse) -> None:
        """What came of a question."""
        if pulse is Pulse.ALIVE:
            self._answered.add((room, identity))
        self._unsupported = self._unsupported or pulse is Pulse.UNSUPPORTED

    # --- what follows -------------------------------------------------------------------------------------------------

    def finished(self, sid: str) -> bool:
        return sid in self._finished

    def has_left(self, participant_sid: str) -> bool:
        return participant_sid in self._left

    def room_of(self, participant_sid: str) -> str | None:
        """The sid of the room that this participant was in."""
        return self._room_of.get(participant_sid)

    def seen(self, room: str, participant_sid: str, identity: str) -> bool:
        """By a webhook, or by a listing together with an answer."""
        if participant_sid in self._joined:
            return True
        return participant_sid in self._listed and (self._unsupported or (room, identity) in self._answered)
