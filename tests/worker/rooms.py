"""A room that is none, for jobs that are none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

from livekit import rtc


class FakeMe:
    """The agent itself, as a participant."""

    identity = "agent-AJ_me"

    def __init__(self, attributes: dict[str, str]) -> None:
        self.attributes = attributes
        """Those that it came with; what it sets itself is in `told`."""
        self.told: list[dict[str, str]] = []
        self.methods: dict[str, Callable[[Any], Awaitable[str]]] = {}

    async def set_attributes(self, attributes: dict[str, str]) -> None:
        self.told.append(attributes)

    def register_rpc_method(self, name: str, handler: Callable[[Any], Awaitable[str]]) -> None:
        self.methods[name] = handler


class FakeRoom(rtc.EventEmitter[str]):
    """As much of a room as the roll needs, with whoever is in it by identity."""

    name = "support-17"

    def __init__(self, attributes: dict[str, str] | None = None, people: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.local_participant = FakeMe(attributes or {})
        self.remote_participants = {identity: SimpleNamespace(identity=identity) for identity in people}

    def leave(self, identity: str) -> None:
        """This participant goes."""
        self.emit("participant_disconnected", self.remote_participants.pop(identity))

    @property
    def real(self) -> rtc.Room:
        """As the type that livekit-agents wants."""
        return cast("rtc.Room", self)
