"""One line makes an agent answer the roll: its key, the pulse, its turn, and what it has to say."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from livekit.agents import AgentHandoff, AgentSession, ChatMessage, ConversationItemAddedEvent, JobContext
from livekit.agents.testing import fake_job_context

import worker
from tests.fakes.orchestrator import fake_orchestrator
from tests.worker.rooms import FakeRoom
from worker.attachment import WARNING_LENGTH
from worker.roll import InsteadOf, Resumed
from worker.settings import SettingsError

KEY = {"rollcall.session": "RM_1", "rollcall.placement": "mary", "rollcall.attempt": "2", "rollcall.attempt_id": "x7"}
OURS: dict[str, Any] = {"session": "RM_1", "placement": "mary", "attempt": 2, "attempt_id": "x7"}
MARY = {"agent_name": "mary", "identity": "agent-AJ_mary"}


@contextmanager
def job(room: FakeRoom, **reserved: Any) -> Iterator[JobContext]:
    """A job of ours in this room; it is connected from the start, as livekit-agents makes such jobs."""
    with fake_job_context(room=room.real, job_metadata=json.dumps({"rollcall": OURS | reserved})) as ctx:
        yield ctx
        # It makes a directory, and nobody else removes it.
        ctx._tempdir.cleanup()


@pytest.fixture(autouse=True)
def _no_orchestrator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROLLCALL_URL", raising=False)


async def test_an_attached_agent_answers_the_pulse_and_shows_its_key() -> None:
    room = FakeRoom()
    with job(room) as ctx:
        roll = await worker.attach(ctx)
    assert await room.local_participant.methods["rollcall.pulse"](None) == "here"
    assert room.local_participant.told == [KEY]
    assert (roll.session, roll.key) == ("RM_1", KEY)


async def test_a_key_that_came_with_the_agent_is_not_set_again() -> None:
    room = FakeRoom(KEY)
    with job(room) as ctx:
        await worker.attach(ctx)
    assert room.local_participant.told == []


async def test_an_agent_that_somebody_else_dispatched_has_no_key_and_answers_all_the_same() -> None:
    room = FakeRoom()
    with job(room) as ctx:
        ctx.job.metadata = "call me at 555-0100"
        roll = await worker.attach(ctx)
        assert roll.session == ctx.job.room.sid
    assert (roll.key, roll.resumes, roll.instead_of) == ({}, None, None)
    assert room.local_participant.told == []
    assert room.local_participant.methods


async def test_an_agent_says_when_it_can_serve_and_when_its_work_is_done() -> None:
    room = FakeRoom(KEY)
    with job(room) as ctx:
        roll = await worker.attach(ctx)
        await roll.ready()
        await roll.done()
    assert room.local_participant.told == [{"rollcall.ready": "true"}, {"rollcall.done": "true"}]


async def test_warnings_are_joined_and_none_is_said_twice() -> None:
    room = FakeRoom(KEY)
    with job(room) as ctx:
        roll = await worker.attach(ctx)
        for text in ("No persona tim.", "", "No  persona\ntim.", "The room's metadata is no JSON."):
            await roll.warn(text)
    said = [told["rollcall.warning"] for told in room.local_participant.told]
    assert said == ["No persona tim.", "No persona tim. The room's metadata is no JSON."]


async def test_warnings_have_bounds() -> None:
    room = FakeRoom(KEY)
    with job(room) as ctx:
        roll = await worker.attach(ctx)
        await roll.warn("ü" * 10 * WARNING_LENGTH)
    (told,) = room.local_participant.told
    assert len(told["rollcall.warning"]) == WARNING_LENGTH


async def test_an_agent_knows_what_it_resumes() -> None:
    room = FakeRoom(KEY)
    with job(room, resumes={"attempt": 1, "cause": "silent", "identity": "agent-AJ_1"}) as ctx:
        assert (await worker.attach(ctx)).resumes == Resumed(1, "silent", "agent-AJ_1")


@pytest.mark.parametrize("told", [None, "mary", [], {}, {"attempt": "one", "identity": 7}, {"agent_name": "mary"}])
async def test_what_is_told_wrongly_is_as_if_nothing_were_told(told: Any) -> None:
    room = FakeRoom(KEY)
    with job(room, resumes=told, instead_of=told) as ctx:
        roll = await worker.attach(ctx)
    assert (roll.resumes, roll.instead_of) == (None, None)
    assert await roll.wait_for_turn()


async def test_who_takes_over_waits_until_the_one_before_has_left() -> None:
    room = FakeRoom(KEY, people=("agent-AJ_mary", "ann"))
    with job(room, instead_of=MARY) as ctx:
        roll = await worker.attach(ctx)
        assert roll.instead_of == InsteadOf("mary", "agent-AJ_mary")
        turn = asyncio.ensure_future(roll.wait_for_turn())
        await asyncio.sleep(0)
        room.leave("ann")
        await asyncio.sleep(0)
        assert not turn.done()
        room.leave("agent-AJ_mary")
        assert await turn


async def test_who_takes_over_from_one_that_is_gone_already_does_not_wait() -> None:
    room = FakeRoom(KEY)
    with job(room, instead_of=MARY) as ctx:
        assert await (await worker.attach(ctx)).wait_for_turn()


async def test_patience_with_the_one_before_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.attachment.TAKEOVER_PATIENCE", 0.01)
    room = FakeRoom(KEY, people=("agent-AJ_mary",))
    with job(room, instead_of=MARY) as ctx:
        assert not await (await worker.attach(ctx)).wait_for_turn()


async def test_settings_that_cannot_be_used_are_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_URL", "rollcall:8080")
    with job(FakeRoom()) as ctx, pytest.raises(SettingsError, match="ROLLCALL_URL"):
        await worker.attach(ctx)


async def test_what_is_said_in_a_session_goes_to_the_orchestrator(monkeypatch: pytest.MonkeyPatch) -> None:
    async with fake_orchestrator() as rollcall:
        monkeypatch.setenv("ROLLCALL_URL", rollcall.url)
        with job(FakeRoom(KEY)) as ctx:
            ctx.job.agent_name = "mary"
            roll = await worker.attach(ctx)
            session: AgentSession[None] = AgentSession()
            roll.record(session)
            for item in (
                ChatMessage(role="user", content=["What is your name?"]),
                ChatMessage(role="assistant", content=["Mary"], interrupted=True),
                ChatMessage(role="developer", content=["Be kind."]),
                ChatMessage(role="user", content=[]),
                AgentHandoff(new_agent_id="tom"),
            ):
                session.emit("conversation_item_added", ConversationItemAddedEvent(item=item))
            for callback in ctx._shutdown_callbacks:
                await callback("the end")
        (sent,) = rollcall.sent("POST")
    assert (sent.path, sent.body["agent_name"]) == ("/sessions/RM_1/transcript", "mary")
    said = [(one["role"], one["text"], one["interrupted"]) for one in sent.body["items"]]
    assert said == [("user", "What is your name?", False), ("assistant", "Mary", True), ("system", "Be kind.", False)]


async def test_without_an_orchestrator_nothing_is_recorded() -> None:
    with job(FakeRoom(KEY)) as ctx:
        roll = await worker.attach(ctx)
        session: AgentSession[None] = AgentSession()
        roll.record(session)
        message = ChatMessage(role="user", content=["Hello."])
        session.emit("conversation_item_added", ConversationItemAddedEvent(item=message))
        assert ctx._shutdown_callbacks == []
