"""An agent that talks: what is said, by whom, and what its model is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import AgentSession, CloseEvent, CloseReason, function_tool, llm
from livekit.agents.testing import fake_job_context
from livekit.agents.voice.room_io import TextInputEvent

from tests.worker.models import Say, ScriptedLLM, hears
from worker.context import Context, read_context
from worker.models import Models
from worker.persona import GREETING, TAKEOVER, Briefing
from worker.personas import Persona
from worker.talking_voice import TalkingVoice, open_conversation

MARY = Persona(name="mary", instructions="You are Mary.", greeting="Hello, this is Mary.")
TOM = Persona(name="tom", instructions="You are Tom.")
NOBODY_ELSE = read_context()


async def knock() -> str:
    """Knock."""
    return "knocked"


class Unconnected(rtc.Room):
    """A room of which livekit-agents may ask who it is in it."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[dict[str, str]] = []

    @property
    def local_participant(self) -> Any:
        async def set_attributes(attributes: dict[str, str]) -> None:
            self.told.append(attributes)

        return SimpleNamespace(
            identity="agent-mary", sid="PA_1", name="", metadata="", attributes={}, kind=4, set_attributes=set_attributes
        )


class Talk:
    """A voice whose models are scripts, one for each persona, in a room that is not connected."""

    def __init__(self, **scripts: ScriptedLLM) -> None:
        self.scripts = scripts
        self.failures: list[None] = []
        self.recorded: list[AgentSession[Any]] = []
        self.room = Unconnected()
        self.voice = TalkingVoice(
            self.room,
            models_of=lambda persona: Models(stt=None, llm=scripts[persona.name], tts=None),
            tools_of=self.tools_of,
            failed=lambda: self.failures.append(None),
            record=self.recorded.append,
        )

    def tools_of(self, persona: Persona) -> list[llm.Tool | llm.Toolset]:
        return [function_tool(knock, name=f"knock_{persona.name}", description="Knock.")]

    @property
    def session(self) -> AgentSession[None]:
        return self.voice._session

    @property
    def said(self) -> list[str]:
        return [item.text_content or "" for item in self.session.history.messages() if item.role == "assistant"]


@asynccontextmanager
async def talking(persona: Persona, context: Context = NOBODY_ELSE, **scripts: ScriptedLLM) -> AsyncIterator[Talk]:
    """Started, in text: what it says is said when it is written."""
    with fake_job_context() as ctx:
        talk = Talk(**scripts)
        await talk.voice.start(Briefing(persona, context))
        talk.session.output.set_audio_enabled(False)
        talk.session.output.set_transcription_enabled(False)
        yield talk
        await talk.voice.close()
        # It makes a directory, and nobody else removes it.
        ctx._tempdir.cleanup()


async def test_it_answers_as_its_persona() -> None:
    async with talking(MARY, read_context(participant='{"name": "Zoë"}'), mary=ScriptedLLM(Say("Mary."))) as talk:
        result = await hears(talk.session, "What is your name?")
    result.expect.next_event().is_message(role="assistant")
    asked = talk.scripts["mary"].asked[0]
    assert asked.instructions.startswith("You are Mary.")
    assert '"name": "Zoë"' in asked.instructions
    assert asked.tool_names == {"knock_mary"}


async def test_it_is_deaf_until_it_has_greeted_somebody() -> None:
    """Whoever takes over must not answer while the other agent still talks."""
    async with talking(MARY, mary=ScriptedLLM(Say("I should not."))) as talk:
        assert not talk.session.input.audio_enabled
        await talk.voice._take_text(talk.session, TextInputEvent("Hello?"))
        assert talk.scripts["mary"].asked == []
        await open_conversation(talk.session, Briefing(MARY, NOBODY_ELSE))
    assert talk.said == ["Hello, this is Mary."]


async def test_it_shows_itself_before_anything_that_takes_time() -> None:
    """A participant that has told nothing yet is shown to people up to three seconds late."""
    async with talking(MARY, mary=ScriptedLLM()) as talk:
        assert talk.room.told == [{"lk.agent.state": "initializing"}]


async def test_a_greeting_is_said_word_for_word_and_no_model_is_asked() -> None:
    async with talking(MARY, mary=ScriptedLLM()) as talk:
        await open_conversation(talk.session, Briefing(MARY, read_context(room='{"greeting": "Good day."}')))
        assert talk.scripts["mary"].asked == []
    assert talk.said == ["Good day."]


@pytest.mark.parametrize(("taking_over", "told"), [(False, GREETING), (True, TAKEOVER)])
async def test_without_words_of_its_own_the_model_finds_them_and_speaks_first(taking_over: bool, told: str) -> None:
    async with talking(TOM, tom=ScriptedLLM(Say("Tom here."))) as talk:
        await open_conversation(talk.session, Briefing(TOM, NOBODY_ELSE, taking_over=taking_over))
    assert talk.said == ["Tom here."]
    assert told in talk.scripts["tom"].asked[0].instructions


async def test_who_takes_over_does_not_greet_as_if_nobody_had() -> None:
    async with talking(MARY, mary=ScriptedLLM(Say("Mary again."))) as talk:
        await open_conversation(talk.session, Briefing(MARY, NOBODY_ELSE, taking_over=True))
    assert talk.said == ["Mary again."]


async def test_what_it_learns_later_is_in_the_next_answer() -> None:
    async with talking(MARY, mary=ScriptedLLM(Say("One."), Say("Two."))) as talk:
        await hears(talk.session, "First.")
        await talk.voice.update(Briefing(MARY, read_context(room='{"order": 17}')))
        await hears(talk.session, "Second.")
    first, second = talk.scripts["mary"].asked
    assert "17" not in first.instructions
    assert '"order": 17' in second.instructions


async def test_another_persona_has_its_own_model_and_tools_and_remembers_what_was_said() -> None:
    async with talking(MARY, mary=ScriptedLLM(Say("Mary.")), tom=ScriptedLLM(Say("Tom."))) as talk:
        await hears(talk.session, "My bicycle is red.")
        await talk.voice.update(Briefing(TOM, NOBODY_ELSE))
        await hears(talk.session, "And who are you?")
    asked = talk.scripts["tom"].asked[-1]
    assert asked.instructions.startswith("You are Tom.")
    assert "You are Mary." not in asked.instructions
    assert asked.tool_names == {"knock_tom"}
    assert [item.text_content for item in asked.chat_ctx.messages() if item.role == "user"] == [
        "My bicycle is red.",
        "And who are you?",
    ]
    assert len(talk.scripts["mary"].asked) == 1


@pytest.mark.parametrize("transcripts", [True, False])
async def test_only_a_persona_with_transcripts_is_written_down(transcripts: bool) -> None:
    persona = Persona(name="mary", instructions="i", transcripts=transcripts)
    async with talking(persona, mary=ScriptedLLM()) as talk:
        assert talk.recorded == ([talk.session] if transcripts else [])


@pytest.mark.parametrize(("reason", "failures"), [(CloseReason.ERROR, 1), (CloseReason.USER_INITIATED, 0)])
async def test_a_session_that_gave_up_is_no_agent_any_more(reason: CloseReason, failures: int) -> None:
    async with talking(MARY, mary=ScriptedLLM()) as talk:
        talk.session.emit("close", CloseEvent(reason=reason))
        assert len(talk.failures) == failures
