"""The project's own worker, as a real process in rooms of a real server."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from livekit import api
from livekit.protocol.models import ParticipantInfo

from tests.e2e.harness.clients import client
from tests.e2e.harness.models import model_service
from tests.e2e.harness.pulse import perform_rpc
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import RollcallWorker, rollcall_worker

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

KEY = {"rollcall.session": "RM_1", "rollcall.placement": "mary", "rollcall.attempt": "2", "rollcall.attempt_id": "x7"}
OURS = {"session": "RM_1", "placement": "mary", "attempt": 2, "attempt_id": "x7"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def mary(stage_in_memory: Stage, shared_directory: Path) -> AsyncIterator[RollcallWorker]:
    """The worker without a model."""
    async with rollcall_worker(shared_directory, stage_in_memory.server, "mary") as worker:
        yield worker


async def dispatch(
    stage: Stage,
    room: str,
    metadata: dict[str, object],
    *,
    agent_name: str = "mary",
    attributes: dict[str, str] | None = None,
) -> None:
    async with stage.server.api() as livekit:
        await livekit.agent_dispatch.create_dispatch(
            api.CreateAgentDispatchRequest(
                agent_name=agent_name, room=room, metadata=json.dumps(metadata), attributes=attributes
            )
        )


async def the_agent(stage: Stage, room: str, *, attribute: str = "lk.agent.name") -> ParticipantInfo:
    """The agent of the room, once it shows this attribute."""

    async def found() -> ParticipantInfo | None:
        async with stage.server.api() as livekit:
            listed = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
        agents = [one for one in listed.participants if one.kind == ParticipantInfo.Kind.AGENT]
        return next((one for one in agents if one.attributes.get(attribute)), None)

    return await wait_until(found, timeout=20.0, description=f"an agent in {room} with {attribute}")


async def told(worker: RollcallWorker, room: str) -> dict[str, object]:
    """What the worker logged about the context that it read in this room."""

    def line() -> dict[str, object] | None:
        return next((one for one in worker.logged() if "told" in one and one.get("room") == room), None)

    return await wait_until(line, timeout=20.0, description=f"the worker logs what it was told in {room}")


async def test_without_a_model_it_chimes_and_says_so_in_the_chat(stage: Stage, mary: RollcallWorker) -> None:
    assert mary.process.running
    async with client(stage.server, "chime", agents=["mary"]) as person:
        message = await person.wait_for_message()
        sighting = await person.wait_for_agent()
        assert message.identity == sighting.identity
        assert "no model is configured" in message.text
        assert 0.2 < await person.wait_for_sound(above=0.2) <= 0.35


async def test_everybody_who_comes_is_welcomed(stage: Stage, mary: RollcallWorker) -> None:
    """A person who reloads the page is somebody who comes."""
    assert mary.process.running
    async with client(stage.server, "welcome", "ann", agents=["mary"]) as ann:
        await ann.wait_for_message()
        async with client(stage.server, "welcome", "bob") as bob:
            await bob.wait_for_message()
        assert len(ann.messages) == 1


@pytest.mark.parametrize("by", ["attributes", "metadata"])
async def test_it_carries_our_key_and_says_when_it_can_serve(by: str, stage: Stage, mary: RollcallWorker) -> None:
    assert mary.process.running
    if by == "attributes":
        await dispatch(stage, "key", {}, attributes=KEY)
    else:
        await dispatch(stage, "key", {"rollcall": OURS})
    agent = await the_agent(stage, "key", attribute="rollcall.ready")
    assert {name: value for name, value in agent.attributes.items() if name in KEY} == KEY


async def test_it_answers_the_pulse_until_it_is_frozen(stage: Stage, mary: RollcallWorker) -> None:
    async with client(stage.server, "pulse"):
        await dispatch(stage, "pulse", {})
        agent = await the_agent(stage, "pulse", attribute="rollcall.ready")
        job_process = int(str((await told(mary, "pulse"))["pid"]))
        status, body = await perform_rpc(stage.server, "pulse", agent.identity, "rollcall.pulse")
        assert (status, json.loads(body)) == (200, {"payload": "here"})
        os.kill(job_process, signal.SIGSTOP)
        try:
            status, body = await perform_rpc(stage.server, "pulse", agent.identity, "rollcall.pulse", timeout=0.5)
            assert (status, "150" in body) == (408, True)
        finally:
            os.kill(job_process, signal.SIGCONT)
        status, _ = await perform_rpc(stage.server, "pulse", agent.identity, "rollcall.pulse")
        assert status == 200


async def test_it_logs_what_it_was_told_and_by_whom_and_none_of_the_values(stage: Stage, mary: RollcallWorker) -> None:
    async with stage.server.api() as livekit:
        await livekit.room.create_room(
            api.CreateRoomRequest(name="told", metadata='{"persona": "value-of-room", "team": "value-of-room"}')
        )
    await dispatch(stage, "told", {"persona": "value-of-job", "rollcall": OURS})
    async with client(stage.server, "told", metadata='{"language": "value-of-person"}'):
        line = await told(mary, "told")
    assert line["told"] == {"job": ["persona"], "room": ["team"], "participant": ["language"]}
    assert line["attempt"] == "2"
    assert "value-of" not in mary.process.logged()


async def test_room_metadata_that_comes_late_is_waited_for(stage: Stage, mary: RollcallWorker) -> None:
    """CreateDispatch makes a missing room without metadata; whoever made it otherwise would have told us more."""
    async with client(stage.server, "late"):
        await dispatch(stage, "late", {"persona": "mary"})
        await the_agent(stage, "late", attribute="rollcall.ready")
        async with stage.server.api() as livekit:
            await livekit.room.update_room_metadata(api.UpdateRoomMetadataRequest(room="late", metadata='{"team": "blue"}'))
        line = await told(mary, "late")
    assert line["told"] == {"job": ["persona"], "room": ["team"]}


async def test_metadata_that_is_no_json_is_reported_and_the_rest_is_used(stage: Stage, mary: RollcallWorker) -> None:
    async with stage.server.api() as livekit:
        await livekit.room.create_room(api.CreateRoomRequest(name="broken", metadata="call me at 555-0100"))
    await dispatch(stage, "broken", {"persona": "mary"})
    async with client(stage.server, "broken"):
        line = await told(mary, "broken")
        reported = await wait_until(
            lambda: next((one for one in mary.logged() if one.get("reason") and one.get("room") == "broken"), None),
            description="the worker reports the room's metadata",
        )
    assert line["told"] == {"job": ["persona"]}
    assert (reported["level"], reported["source"]) == ("WARNING", "room")
    assert "555-0100" not in mary.process.logged()


async def test_with_a_model_it_is_who_it_was_told_to_be_and_greets_aloud(stage: Stage, tmp_path: Path) -> None:
    """Any service that speaks OpenAI's API will do; this one plays a tone for a voice."""
    personas = tmp_path / "personas.yaml"
    personas.write_text("default: ann\npersonas:\n  ann: {instructions: You are Ann.}\n  tom: {instructions: You are Tom.}\n")
    async with model_service() as service:
        environment = {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": service.url, "ROLLCALL_WORKER_TTS": "tts-1"}
        environment["ROLLCALL_WORKER_PERSONAS"] = str(personas)
        arguments = ("-m", "worker")
        async with (
            rollcall_worker(tmp_path, stage.server, "voices", arguments=arguments, environment=environment),
            client(stage.server, "talk", metadata='{"name": "Zoë"}') as person,
            client(stage.server, "words") as another,
        ):
            await dispatch(stage, "talk", {"agentId": "tom"}, agent_name="voices")
            assert await person.wait_for_sound(above=0.1) > 0.1
            await dispatch(stage, "words", {"greeting": "Good day to you."}, agent_name="voices")
            assert await another.wait_for_sound(above=0.1) > 0.1
        prompts, spoken = service.prompts, service.spoken
    assert prompts[0].startswith("You are Tom.")
    assert "Zoë" in prompts[0]
    assert spoken == ["Good day.", "Good day to you."], "the model's words, and then words that no model may change"
    assert len(prompts) == 1


async def test_a_persona_that_nobody_knows_is_said_to_on_call_and_replaced(stage: Stage, mary: RollcallWorker) -> None:
    assert mary.process.running
    async with client(stage.server, "unknown"):
        await dispatch(stage, "unknown", {"agentId": "marry"})
        agent = await the_agent(stage, "unknown", attribute="rollcall.warning")
    assert agent.attributes["rollcall.warning"] == (
        "`agentId`, from the job's metadata, names no persona of this worker (mary, tom). Did it mean mary? "
        "The default, mary, serves."
    )
