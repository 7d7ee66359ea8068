"""The token door on a real server: whoever connects with its token finds a room whose agent knows what it is there for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from livekit import api

from tests.e2e.harness.clients import Client
from tests.e2e.harness.configs import config
from tests.e2e.harness.livekit import API_KEY, API_SECRET, livekit_server
from tests.e2e.harness.orchestrator import MINT_TOKEN, Orchestrator, orchestrator, webhook_url
from tests.e2e.harness.ports import free_port
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.workers import Seen, workers

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

TIMES = 20

MANY = {"token": {"rate": "100/s"}}
"""All who ask at once here do so with the one mint token of a back end."""

UNROUTED = {"agents": {"light": {}}, "routes": [{"agents": []}], **MANY}
"""No room has an agent unless somebody asks for it."""


async def ask(rollcall: Orchestrator, query: str = "", **body: Any) -> dict[str, Any]:
    """What the token door answers, which is good."""
    headers = {"Authorization": f"Bearer {MINT_TOKEN}"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{rollcall.url}/token{query}", json=body, headers=headers) as response,
    ):
        assert response.status == 201, await response.text()
        answer: dict[str, Any] = await response.json()
        return answer


@asynccontextmanager
async def caller(stage: Stage, answer: dict[str, Any]) -> AsyncIterator[Client]:
    """Whoever connects with this token at once, and leaves at the exit."""
    assert answer["server_url"] == stage.server.url
    claims = api.TokenVerifier(API_KEY, API_SECRET).verify(answer["participant_token"])
    assert claims.video is not None
    person = Client(stage.server, claims.video.room, claims.identity)
    try:
        await person.join(answer["participant_token"])
        yield person
    finally:
        await person.leave()


async def connects_at_once(stage: Stage, rollcall: Orchestrator, room: str) -> Seen:
    """The agent's job in the room of somebody who asked for it and connected the moment that they could."""
    answer = await ask(
        rollcall,
        room_name=room,
        room_config={
            "metadata": json.dumps({"agentId": room}),
            "agents": [{"agent_name": "light", "metadata": json.dumps({"agentId": room})}],
        },
    )
    async with caller(stage, answer) as person:
        await person.wait_for_agent(timeout=40.0)
        await rollcall.wait_for_state(room, "verified", timeout=40.0)
        return await stage.workers.wait_for("connected", room=room)


def knows(job: Seen) -> tuple[str | None, str | None]:
    """The agentId that the agent has from its job, and from its room."""
    return json.loads(job.metadata or "{}").get("agentId"), json.loads(job.room_metadata or "{}").get("agentId")


async def test_who_connects_at_once_finds_an_agent_that_knows_its_agent_id_every_time(stage: Stage, tmp_path: Path) -> None:
    """The widget whose "Mary" became the default agent: LiveKit had made the room, without metadata, when it connected.

    The route wants the same agent, and is asked as soon as LiveKit tells of the room, which may be before it answers us.
    """
    rooms = [f"widget-{number}" for number in range(TIMES)]
    async with orchestrator(tmp_path, stage.server, config("light") | MANY, port=stage.webhook_port) as rollcall:
        jobs = await asyncio.gather(*(connects_at_once(stage, rollcall, room) for room in rooms))
    assert [knows(job) for job in jobs] == [(room, room) for room in rooms]
    assert len(stage.workers.seen("entered")) >= TIMES
    for room in rooms:
        assert len(stage.workers.seen("entered", room=room)) == 1, "and nobody came twice"


async def test_so_does_who_enters_a_room_that_existed_without_metadata(stage: Stage, tmp_path: Path) -> None:
    rooms = [f"existed-{number}" for number in range(TIMES)]
    async with orchestrator(tmp_path, stage.server, UNROUTED, port=stage.webhook_port) as rollcall:
        async with stage.server.api() as livekit:
            for room in rooms:
                await livekit.room.create_room(api.CreateRoomRequest(name=room))
        jobs = await asyncio.gather(*(connects_at_once(stage, rollcall, room) for room in rooms))
    assert [knows(job) for job in jobs] == [(room, room) for room in rooms]


async def test_agents_in_a_token_come_to_a_room_in_which_somebody_is_already(stage: Stage, tmp_path: Path) -> None:
    """livekit/livekit#4390: LiveKit ignores the agents of a token for a room that exists, in silence."""
    async with orchestrator(tmp_path, stage.server, UNROUTED, port=stage.webhook_port) as rollcall:
        first = await ask(rollcall, room_name="shared", participant_identity="ann")
        async with caller(stage, first) as ann:
            await rollcall.wait_for_state("shared", "unrouted")
            agents = [{"agent_name": "light", "metadata": '{"agentId": 7}'}]
            second = await ask(rollcall, room_name="shared", participant_identity="ben", room_config={"agents": agents})
            async with caller(stage, second) as ben:
                seen = {(await person.wait_for_agent()).identity for person in (ann, ben)}
                session = await rollcall.wait_for_state("shared", "verified")
                assert seen == {session["placements"][0]["identity"]}
        job = await stage.workers.wait_for("connected", room="shared")
        assert json.loads(job.metadata)["agentId"] == 7


async def test_who_waits_has_the_token_when_the_agent_is_there(stage: Stage, tmp_path: Path) -> None:
    async with orchestrator(tmp_path, stage.server, config("light"), port=stage.webhook_port) as rollcall:
        answer = await ask(rollcall, "?hold=verified", room_name="held")
        session = await rollcall.session("held")
        assert session is not None
        assert (answer["agent"], session["state"]) == ("verified", "verified")
        async with caller(stage, answer) as person:
            assert (await person.wait_for_agent()).after < 3.5, "as soon as a client is told of it"


async def test_who_waits_for_an_agent_that_does_not_come_has_the_token_in_time(stage: Stage, tmp_path: Path) -> None:
    absent = config("nobody") | {"token": {"hold": "1s"}}
    async with orchestrator(tmp_path, stage.server, absent, port=stage.webhook_port) as rollcall:
        answer = await ask(rollcall, "?hold=verified", room_name="held-in-vain")
        assert answer["agent"] == "preparing"


async def test_a_dispatch_that_the_token_carries_is_livekit_s_own_and_verified_all_the_same(
    stage: Stage, tmp_path: Path
) -> None:
    carried = UNROUTED | {"token": {"dispatch_in_token": True}}
    async with orchestrator(tmp_path, stage.server, carried, port=stage.webhook_port) as rollcall:
        agents = [{"agent_name": "light", "metadata": '{"session_id": "abc"}'}]
        answer = await ask(rollcall, room_name="carried", room_config={"agents": agents})
        async with caller(stage, answer) as person:
            sighting = await person.wait_for_agent()
            session = await rollcall.wait_for_state("carried", "verified")
            (placement,) = session["placements"]
            assert placement["identity"] == sighting.identity
            assert [attempt["adopted"] for attempt in placement["attempts"]] == [True]
            job = await stage.workers.wait_for("connected", room="carried")
            assert json.loads(job.metadata) == {"session_id": "abc"}


async def test_a_worker_without_a_name_is_dispatched_by_the_token_and_verified_all_the_same(tmp_path: Path) -> None:
    """The interview whose agent has no name: automatic dispatch, carried by the token, with metadata."""
    port = free_port()
    nameless = {"agents": {"": {}}, "routes": [{"agents": [""]}], "token": {"dispatch_in_token": True}}
    async with (
        livekit_server(tmp_path, webhook_urls=[webhook_url(port)]) as server,
        workers(tmp_path, server, {"": "light"}) as crowd,
        orchestrator(tmp_path, server, nameless, port=port) as rollcall,
    ):
        stage = Stage(server, crowd, port)
        answer = await ask(rollcall, room_name="interview-abc", room_config={"agents": [{"metadata": '{"session_id": "abc"}'}]})
        async with caller(stage, answer) as person:
            sighting = await person.wait_for_agent()
            session = await rollcall.wait_for_state("interview-abc", "verified")
            (placement,) = session["placements"]
            assert (placement["agent_name"], placement["identity"]) == ("", sighting.identity)
            job = await crowd.wait_for("connected", room="interview-abc")
            assert json.loads(job.metadata)["session_id"] == "abc"
            assert len(crowd.seen("entered", room="interview-abc")) == 1
