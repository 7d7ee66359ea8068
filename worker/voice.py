"""How an agent makes itself heard: one protocol, so that a job runs the same with a model and without."""

from __future__ import annotations

from typing import Protocol

from livekit import rtc

from worker.persona import Briefing


class Voice(Protocol):
    """What a job needs of whatever speaks for it."""

    async def start(self, briefing: Briefing, /) -> None:
        """Get ready to serve in the room, whether or not somebody is there yet. It keeps silent, and does not listen."""

    async def greet(self, person: rtc.RemoteParticipant, briefing: Briefing, /) -> None:
        """Speak first to a person who has come, and listen from then on."""

    async def update(self, briefing: Briefing, /) -> None:
        """Be who this says, and know what it says, from now on."""

    async def close(self) -> None:
        """Fall silent for good; the agent stays in the room."""
