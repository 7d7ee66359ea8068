"""An agent that talks, with the models of its persona."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, ChatContext, CloseEvent, CloseReason, llm
from livekit.agents.types import ATTRIBUTE_AGENT_STATE
from livekit.agents.voice.room_io import RoomOptions, TextInputEvent, TextInputOptions

from worker.models import Models
from worker.persona import Briefing
from worker.personas import Persona

HANDOVER_SECONDS = 10.0
"""For which the change to another persona is waited for; it then goes on by itself."""


class PersonaAgent(Agent):
    """A persona, as livekit-agents runs it."""

    def __init__(
        self,
        briefing: Briefing,
        models: Models,
        tools: list[llm.Tool | llm.Toolset],
        history: ChatContext | None = None,
    ) -> None:
        """`history` is what was said before, by whoever served before."""
        super().__init__(instructions=briefing.instructions, tools=tools, chat_ctx=history, **models)
        self.persona = briefing.persona
        self.entered = asyncio.Event()

    async def on_enter(self) -> None:
        """It is this agent's turn."""
        self.entered.set()


class TalkingVoice:
    """Talks with one person at a time."""

    def __init__(
        self,
        room: rtc.Room,
        *,
        models_of: Callable[[Persona], Models],
        tools_of: Callable[[Persona], list[llm.Tool | llm.Toolset]],
        failed: Callable[[], None],
        record: Callable[[AgentSession[Any]], None],
    ) -> None:
        """`failed` is told when the session has given up; `record` is given the session of a persona with transcripts."""
        self._room = room
        self._models_of = models_of
        self._tools_of = tools_of
        self._failed = failed
        self._record = record
        self._session: AgentSession[None] = AgentSession()
        self._session.on("close", self._on_close)
        self._agent: PersonaAgent | None = None
        self._listening = False

    async def start(self, briefing: Briefing) -> None:
        """Start the session, deaf until it has somebody to talk with."""
        # The server shows people an agent that has published nothing only after seconds; a word from it shows it at once. Who
        # takes over should be seen before the other one goes.
        await self._room.local_participant.set_attributes({ATTRIBUTE_AGENT_STATE: "initializing"})
        if briefing.persona.transcripts:
            self._record(self._session)
        self._session.input.set_audio_enabled(False)
        self._agent = self._agent_of(briefing)
        options = RoomOptions(
            # A person who reloads the page leaves and comes back: the agent goes on when they do, and ends with the room.
            close_on_disconnect=False,
            text_input=TextInputOptions(text_input_cb=self._take_text),
        )
        await self._session.start(agent=self._agent, room=self._room, room_options=options)

    async def greet(self, person: rtc.RemoteParticipant, briefing: Briefing) -> None:
        """Speak first."""
        self._session.room_io.set_participant(person.identity)
        self._listening = True
        self._session.input.set_audio_enabled(True)
        await open_conversation(self._session, briefing)

    async def update(self, briefing: Briefing) -> None:
        """Another persona is another agent, which remembers the conversation; else only the instructions change."""
        if self._agent is not None and self._agent.persona == briefing.persona:
            if self._agent.instructions != briefing.instructions:
                await self._agent.update_instructions(briefing.instructions)
            return
        said = self._session.history.copy(exclude_instructions=True, exclude_config_update=True, exclude_handoff=True)
        self._agent = self._agent_of(briefing, said)
        self._session.update_agent(self._agent)
        # Until then nobody takes what the person says. The agent before finishes its sentence first, however long that is.
        with suppress(TimeoutError):
            async with asyncio.timeout(HANDOVER_SECONDS):
                await self._agent.entered.wait()

    async def close(self) -> None:
        """End the session."""
        await self._session.aclose()

    def _agent_of(self, briefing: Briefing, history: ChatContext | None = None) -> PersonaAgent:
        return PersonaAgent(briefing, self._models_of(briefing.persona), self._tools_of(briefing.persona), history)

    async def _take_text(self, session: AgentSession[Any], event: TextInputEvent) -> None:
        if self._listening and (answered := TextInputOptions().text_input_cb(session, event)) is not None:
            await answered

    def _on_close(self, event: CloseEvent) -> None:
        if self._agent is not None:
            self._agent.entered.set()
        # The session gives up after repeated errors of the service. To stay would be to look present and be mute.
        if event.reason is CloseReason.ERROR:
            self._failed()


async def open_conversation(session: AgentSession[Any], briefing: Briefing) -> None:
    """Say the greeting word for word where there is one and a voice that reads aloud; else let the model find the words."""
    agent = session.current_agent
    realtime = isinstance(agent.llm, llm.RealtimeModel)
    if briefing.greeting and not realtime:
        await session.say(briefing.greeting)
    else:
        # No tools: a model that may act before it has said a word does so at times.
        await session.generate_reply(instructions=briefing.opening, tool_choice="none")
