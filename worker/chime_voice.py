"""An agent without a model: it is there, it can be heard, and it says why it cannot talk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from livekit import rtc
from livekit.agents.types import TOPIC_CHAT

from worker.chime import SAMPLE_RATE, chime, frames
from worker.persona import Briefing

NO_MODEL = "I am here, but no model is configured: set OPENAI_API_KEY for this worker and I can talk with you."


class ChimeVoice:
    """Chimes, and explains itself in the chat, to each person who comes."""

    def __init__(self, room: rtc.Room, heard: Callable[[], None]) -> None:
        """`heard` is told when it is to be heard."""
        self._room = room
        self._heard = heard
        self._source = rtc.AudioSource(SAMPLE_RATE, num_channels=1)
        self._chiming = asyncio.Lock()

    async def start(self, _briefing: Briefing) -> None:
        """Publish the track that the chime will be played on."""
        track = rtc.LocalAudioTrack.create_audio_track("chime", self._source)
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
        self._track = await self._room.local_participant.publish_track(track, options)

    async def greet(self, person: rtc.RemoteParticipant, _briefing: Briefing) -> None:
        """Write to this person alone, and chime once somebody listens."""
        # lk.chat is the topic that LiveKit's clients show as messages; lk.transcription is for what was spoken.
        await self._room.local_participant.send_text(NO_MODEL, topic=TOPIC_CHAT, destination_identities=[person.identity])
        await self._track.wait_for_subscription()
        async with self._chiming:
            self._heard()
            for samples in frames(chime()):
                await self._source.capture_frame(rtc.AudioFrame(samples.tobytes(), SAMPLE_RATE, 1, len(samples)))
            await self._source.wait_for_playout()

    async def update(self, _briefing: Briefing) -> None:
        """It sounds the same for everybody."""

    async def close(self) -> None:
        """Take the track away."""
        await self._room.local_participant.unpublish_track(self._track.sid)
        await self._source.aclose()
