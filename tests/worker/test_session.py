"""One agent in one room: who it is there, what it is told, and what changes while it is there."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc
from livekit.agents import JobContext
from livekit.agents.testing import fake_job_context

import worker
from tests.worker.rooms import FakeRoom
from worker.persona import Briefing
from worker.personas import Persona
from worker.session import Visit
from worker.settings import Settings
from worker.tools import Desk

PERSONAS = """
default: mary
personas:
  mary: {instructions: You are Mary., models: {provider: openai}}
  tom: {instructions: You are Tom., models: {provider: openai}}
  ann: {instructions: You are Ann., models: {provider: none}}
  eve: {instructions: You are Eve., models: {provider: openai}, transcripts: true}
"""
TOM_INSTEAD_OF_MARY = {"rollcall": {"instead_of": {"agent_name": "mary", "identity": "agent-mary"}}}


class Hall(FakeRoom):
    """A room with metadata, and with people who say something about themselves."""

    name = "support-blue-1"

    def __init__(self, metadata: str = "{}") -> None:
        super().__init__()
        self.metadata = metadata

    def enter(self, identity: str, metadata: str = "", attributes: dict[str, str] | None = None) -> Any:
        """Somebody comes."""
        kind = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
        person = SimpleNamespace(identity=identity, metadata=metadata, attributes=attributes or {}, kind=kind)
        self.remote_participants[identity] = person
        return person

    def describe(self, metadata: str) -> None:
        """The room's metadata changes."""
        old, self.metadata = self.metadata, metadata
        self.emit("room_metadata_changed", old, metadata)

    @property
    def warning(self) -> str | None:
        """What on-call sees."""
        told = [one["rollcall.warning"] for one in self.local_participant.told if "rollcall.warning" in one]
        return told[-1] if told else None


class Voices:
    """Stands for all voices, and keeps what they were told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []
        """Whose voice, what, and as whom."""
        self.briefings: list[Briefing] = []
        self._news = asyncio.Event()

    def make(self, persona: Persona, _roll: worker.Roll, _desk: Desk) -> Voices.One:
        return Voices.One(self, persona.name)

    def note(self, voice: str, what: str, briefing: Briefing | None = None) -> None:
        if briefing is not None:
            self.briefings.append(briefing)
        self.heard.append((voice, what, briefing.persona.name if briefing else ""))
        self._news.set()

    async def until(self, *expected: tuple[str, str, str]) -> None:
        """Until exactly this has been heard."""
        async with asyncio.timeout(5):
            while self.heard != [*expected]:
                self._news.clear()
                await self._news.wait()

    class One:
        def __init__(self, voices: Voices, name: str) -> None:
            self._voices = voices
            self._name = name

        async def start(self, briefing: Briefing) -> None:
            self._voices.note(self._name, "start", briefing)

        async def greet(self, person: rtc.RemoteParticipant, briefing: Briefing) -> None:
            self._voices.note(self._name, f"greet {person.identity}", briefing)

        async def update(self, briefing: Briefing) -> None:
            self._voices.note(self._name, "update", briefing)

        async def close(self) -> None:
            self._voices.note(self._name, "close")


class Stage:
    """A visit, with its room and its voices."""

    def __init__(self, ctx: JobContext, hall: Hall, settings: Settings) -> None:
        self.ctx = ctx
        self.hall = hall
        self.voices = Voices()
        self.visit = Visit(ctx, settings, self.voices.make)
        self.left: list[str] = []
        """Why it left."""

    async def begin(self) -> None:
        await self.visit.begin(await worker.attach(self.ctx))

    async def welcome(self, person: Any) -> None:
        await self.visit.welcome(self.ctx, person)


async def whatever_can_happen_now() -> None:
    """Let all go on that waits for nothing: a turn of the loop takes no time."""
    for _ in range(100):
        await asyncio.sleep(0)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("ROLLCALL_URL", raising=False)
    file = tmp_path / "personas.yaml"
    file.write_text(PERSONAS)
    environment = {
        "OPENAI_API_KEY": "key",
        "ROLLCALL_WORKER_PERSONAS": str(file),
        "ROLLCALL_WORKER_ROOM_PATTERN": "support-{team}-*",
    }
    return Settings.from_environment(environment)


@asynccontextmanager
async def job(settings: Settings, hall: Hall, metadata: object = None, *, agent_name: str = "voices") -> AsyncIterator[Stage]:
    with fake_job_context(room=hall.real, job_metadata=json.dumps(metadata or {})) as ctx:
        ctx.job.agent_name = agent_name
        stage = Stage(ctx, hall, settings)
        ctx._on_shutdown = stage.left.append
        yield stage
        # It makes a directory, and nobody else removes it.
        ctx._tempdir.cleanup()


async def test_it_is_ready_before_anybody_comes_and_greets_who_comes(settings: Settings) -> None:
    async with job(settings, Hall()) as stage:
        await stage.begin()
        assert {"rollcall.ready": "true"} in stage.hall.local_participant.told
        await stage.welcome(stage.hall.enter("zoe", '{"name": "Zoë"}'))
        await stage.voices.until(("mary", "start", "mary"), ("mary", "update", "mary"), ("mary", "greet zoe", "mary"))
    assert '"name": "Zoë", "team": "blue"' not in stage.voices.briefings[0].instructions
    assert '"team": "blue", "name": "Zoë"' in stage.voices.briefings[-1].instructions


@pytest.mark.parametrize(
    ("job_metadata", "room", "participant", "attributes"),
    [
        ({"agentId": "tom"}, "{}", "", {}),
        (None, '{"agentId": "tom"}', "", {}),
        (None, "{}", '{"persona": "tom"}', {}),
        (None, "{}", "", {"persona": "tom"}),
    ],
)
async def test_whoever_names_the_persona_it_is_that_one_that_greets(
    settings: Settings, job_metadata: object, room: str, participant: str, attributes: dict[str, str]
) -> None:
    async with job(settings, Hall(room), job_metadata) as stage:
        await stage.begin()
        await stage.welcome(stage.hall.enter("zoe", participant, attributes))
    assert stage.voices.heard[-1][1:] == ("greet zoe", "tom")
    assert stage.hall.warning is None


async def test_a_room_that_is_described_while_it_talks_makes_it_somebody_else(settings: Settings) -> None:
    async with job(settings, Hall()) as stage:
        await stage.begin()
        await stage.welcome(stage.hall.enter("zoe"))
        before = list(stage.voices.heard)
        stage.hall.describe('{"agentId": "tom"}')
        await stage.voices.until(*before, ("mary", "update", "tom"))


async def test_a_room_whose_metadata_comes_late_is_waited_for_before_the_greeting(settings: Settings) -> None:
    """The room was made by the first who came, without metadata; it is described a moment later."""
    async with job(replace(settings, room_metadata_wait=30.0), Hall("")) as stage:
        beginning = asyncio.ensure_future(stage.begin())
        person = stage.hall.enter("zoe")
        welcoming = asyncio.ensure_future(stage.welcome(person))
        await stage.voices.until(("mary", "start", "mary"))
        await whatever_can_happen_now()
        assert not welcoming.done()
        stage.hall.describe('{"agentId": "tom"}')
        await asyncio.gather(beginning, welcoming)
    assert [heard for heard in stage.voices.heard if heard[1] == "greet zoe"] == [("mary", "greet zoe", "tom")]


async def test_a_person_who_describes_itself_anew_is_heard(settings: Settings) -> None:
    async with job(settings, Hall()) as stage:
        await stage.begin()
        person = stage.hall.enter("zoe")
        await stage.welcome(person)
        before = list(stage.voices.heard)
        old, person.metadata = person.metadata, '{"order": 17}'
        stage.hall.emit("participant_metadata_changed", person, old, person.metadata)
        await stage.voices.until(*before, ("mary", "update", "mary"))
        person.attributes = {"persona": "tom"}
        stage.hall.emit("participant_attributes_changed", person.attributes, person)
        await stage.voices.until(*before, ("mary", "update", "mary"), ("mary", "update", "tom"))
    assert '"order": 17' in stage.voices.briefings[-1].instructions


async def test_what_others_say_of_themselves_is_not_about_the_person_it_talks_with(settings: Settings) -> None:
    async with job(settings, Hall()) as stage:
        await stage.begin()
        await stage.welcome(stage.hall.enter("zoe"))
        other = stage.hall.enter("bob", '{"persona": "tom"}')
        await stage.welcome(other)
        stage.hall.emit("participant_metadata_changed", other, "", other.metadata)
        stage.hall.describe('{"team": "red"}')
        await stage.voices.until(*stage.voices.heard[:3], ("mary", "update", "mary"))


async def test_when_the_person_leaves_whoever_waited_is_next(settings: Settings) -> None:
    async with job(settings, Hall()) as stage:
        await stage.begin()
        await stage.welcome(stage.hall.enter("zoe"))
        await stage.welcome(stage.hall.enter("bob", '{"persona": "tom"}'))
        before = list(stage.voices.heard)
        stage.hall.leave("zoe")
        await stage.voices.until(*before, ("mary", "update", "tom"), ("mary", "greet bob", "tom"))


async def test_an_unknown_persona_is_told_to_on_call_even_if_nobody_comes(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "rollcall.worker"):
        async with job(settings, Hall('{"agentId": "marry"}')) as stage:
            await stage.begin()
    assert stage.hall.warning is not None
    assert stage.hall.warning.startswith("`agentId`, from the room's metadata, names no persona of this worker")
    assert [record.message for record in caplog.records] == ["persona not known"]
    assert "marry" not in caplog.text


async def test_metadata_that_is_no_json_is_told_to_on_call_also_when_it_comes_later(settings: Settings) -> None:
    async with job(settings, Hall()) as stage:
        await stage.begin()
        await stage.welcome(stage.hall.enter("zoe", "call me at 555-0100"))
        assert stage.hall.warning == ("The participant's metadata was not used: not JSON: Expecting value at line 1, column 1.")
        before = list(stage.voices.heard)
        stage.hall.describe('{"agentId": "tom"')
        await stage.voices.until(*before, ("mary", "update", "mary"))
        assert "The room's metadata was not used: not JSON" in stage.hall.warning


async def test_a_persona_without_models_gives_way_to_one_that_talks_and_that_one_greets(settings: Settings) -> None:
    async with job(settings, Hall('{"agentId": "ann"}')) as stage:
        await stage.begin()
        await stage.welcome(stage.hall.enter("zoe"))
        before = list(stage.voices.heard)
        stage.hall.describe('{"agentId": "tom"}')
        await stage.voices.until(*before, ("ann", "close", ""), ("tom", "start", "tom"), ("tom", "greet zoe", "tom"))


async def test_what_is_said_to_a_persona_without_transcripts_never_reaches_one_with_them(settings: Settings) -> None:
    """A session that is written down stays so; so another persona gets a session of its own."""
    async with job(settings, Hall('{"agentId": "eve"}')) as stage:
        await stage.begin()
        await stage.welcome(stage.hall.enter("zoe"))
        before = list(stage.voices.heard)
        stage.hall.describe('{"agentId": "mary"}')
        await stage.voices.until(*before, ("eve", "close", ""), ("mary", "start", "mary"), ("mary", "greet zoe", "mary"))


async def test_who_takes_over_is_ready_at_once_and_silent_until_the_other_has_left(settings: Settings) -> None:
    async with job(settings, Hall('{"agentId": "mary"}'), TOM_INSTEAD_OF_MARY, agent_name="tom") as stage:
        stage.hall.enter("agent-mary")
        person = stage.hall.enter("zoe")
        beginning = asyncio.ensure_future(stage.begin())
        welcoming = asyncio.ensure_future(stage.welcome(person))
        await stage.voices.until(("tom", "start", "tom"))
        await whatever_can_happen_now()
        assert {"rollcall.ready": "true"} in stage.hall.local_participant.told
        assert not welcoming.done()
        stage.hall.leave("agent-mary")
        await asyncio.gather(beginning, welcoming)
    assert stage.voices.heard[-1] == ("tom", "greet zoe", "tom")
    assert stage.voices.briefings[-1].taking_over


async def test_its_work_is_declared_done_before_it_leaves(settings: Settings) -> None:
    async with job(settings, Hall()) as stage:
        await stage.begin()
        await stage.visit._leave("the call was ended")
    assert stage.hall.local_participant.told[-1] == {"rollcall.done": "true"}
    assert stage.left == ["the call was ended"]
