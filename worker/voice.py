"""How an agent makes itself heard: one protocol, so that a job runs the same with a model and without."""

from __future__ import annotations

from typing import Protocol

from livekit import rtc

from worker.context import Context


class Voice(Protocol):
    """What a job needs of whatever speaks for it."""

    async def start(self) -> None:
        """Get ready to serve in the room, whether or not somebody is there yet."""

    async def greet(self, person: rtc.RemoteParticipant, context: Context, /) -> None:
        """Welcome a person who has come."""
