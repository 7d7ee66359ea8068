"""An agent that talks, through OpenAI or a server that speaks its API."""

from __future__ import annotations

from livekit import rtc
from livekit.agents import NOT_GIVEN, Agent, AgentSession, CloseEvent, CloseReason, JobContext
from livekit.agents.voice.room_io import RoomOptions
from livekit.plugins import openai

from worker import persona
from worker.context import Context
from worker.settings import OpenAI


class OpenAIVoice:
    """Talks with the first person who comes, and with the next one when that person has left."""

    def __init__(self, ctx: JobContext, service: OpenAI) -> None:
        self._ctx = ctx
        self._agent = Agent(instructions=persona.INSTRUCTIONS)
        key, url = service.api_key, service.base_url or NOT_GIVEN
        self._session: AgentSession[None] = AgentSession(
            stt=openai.STT(model=service.stt, api_key=key, base_url=url),
            llm=openai.LLM(model=service.llm, api_key=key, base_url=url),
            # Uncompressed: no decoder between the service's first byte and the first sound.
            tts=openai.TTS(model=service.tts, voice=service.voice, response_format="pcm", api_key=key, base_url=url),
        )
        self._session.on("close", self._leave_if_broken)
        self._talks_with: str | None = None

    async def start(self) -> None:
        """Start the session; it links itself to a person when one comes."""
        # A person who reloads the page leaves and comes back: the agent goes on when they do, and ends with the room.
        await self._session.start(agent=self._agent, room=self._ctx.room, room_options=RoomOptions(close_on_disconnect=False))

    async def greet(self, person: rtc.RemoteParticipant, context: Context) -> None:
        """Take the context in and speak first."""
        # The session listens to one person; a second one who comes must not break into their talk.
        if self._talks_with in self._ctx.room.remote_participants:
            return
        self._talks_with = person.identity
        await self._agent.update_instructions(persona.instructions(context))
        await self._session.generate_reply(instructions=persona.greeting(context))

    def _leave_if_broken(self, event: CloseEvent) -> None:
        # The session gives up after repeated errors of the service. To stay would be to look present and be mute.
        if event.reason is CloseReason.ERROR:
            self._ctx.shutdown(reason="the model service failed")
