"""The harness keeps its promises: these tests know nothing of Rollcall, only of LiveKit as it really behaves."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from livekit import api
from livekit.protocol.agent import JobState, JobStatus
from livekit.protocol.models import ParticipantInfo
from redis.asyncio import Redis
from standardwebhooks import Webhook

from tests.e2e.harness.alerts import AlertSink
from tests.e2e.harness.clients import client
from tests.e2e.harness.listing import Sampler
from tests.e2e.harness.livekit import livekit_server
from tests.e2e.harness.redis import Flavour, redis_server
from tests.e2e.harness.stage import Stage, on_both_backends
from tests.e2e.harness.wait import NotInTime, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


async def dispatch(stage: Stage, agent_name: str, room: str, *, metadata: str = "") -> api.AgentDispatch:
    async with stage.server.api() as livekit:
        request = api.CreateAgentDispatchRequest(
            agent_name=agent_name, room=room, metadata=metadata, attributes={"colour": "red"}
        )
        return await livekit.agent_dispatch.create_dispatch(request)


async def jobs(stage: Stage, room: str) -> list[JobState]:
    async with stage.server.api() as livekit:
        return [job.state for one in await livekit.agent_dispatch.list_dispatch(room) for job in one.state.jobs]


async def active_agents(stage: Stage, room: str) -> list[str]:
    async with stage.server.api() as livekit:
        listed = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
        return [one.identity for one in listed.participants if one.state == ParticipantInfo.State.ACTIVE]


async def the_only_job(stage: Stage, room: str) -> JobState:
    return (await wait_until(lambda: jobs(stage, room), description=f"a job of {room} is listed"))[0]


async def looks(watched: Sampler, number: int) -> None:
    """Let that many more looks at the listings pass: how a test says that nothing happens."""
    enough = watched.looks + number
    await wait_until(lambda: watched.looks >= enough, timeout=60.0, description=f"{number} looks at the listings")


@on_both_backends
async def test_a_dispatched_agent_is_seen_by_the_client_the_listing_and_its_worker(stage: Stage, watched: Sampler) -> None:
    async with client(stage.server, "light") as person:
        made = await dispatch(stage, "light", "light", metadata='{"persona": "mary"}')
        sighting = await person.wait_for_agent()
        job = await stage.workers.wait_for("connected", room="light")
        assert (job.dispatch_id, job.metadata, job.attributes) == (made.id, '{"persona": "mary"}', {"colour": "red"})
        assert (job.agent_name, job.sid, job.pid) == ("light", await person.sid, stage.workers.process.pid)
        assert sighting.identity == f"agent-{job.job_id}"
        await wait_until(lambda: watched.presence("light", "light").greatest == 1, description="the sampler counts the agent")
        assert watched.presence("light", "light").identities == {sighting.identity}
        assert not watched.with_two()


async def test_two_agents_of_one_name_in_one_room_are_counted_and_timed(stage: Stage, watched: Sampler) -> None:
    async with client(stage.server, "two"):
        await dispatch(stage, "light", "two")
        await stage.workers.wait_for("connected", room="two")
        await dispatch(stage, "light", "two")
        await wait_until(lambda: watched.presence("two", "light").seconds_with_two > 0.3, description="two at once for a while")
        assert list(watched.with_two()) == [("two", "light")]
        assert watched.presence("two", "light").greatest == 2


async def test_a_tone_is_heard(stage: Stage) -> None:
    async with client(stage.server, "tone", agents=["publishing"]) as person:
        assert 0.2 < await person.wait_for_sound(above=0.2) < 0.5


async def test_a_rejected_job_reads_success_and_has_nobody(stage: Stage) -> None:
    await dispatch(stage, "rejecting", "rejected")
    state = await the_only_job(stage, "rejected")
    assert (state.status, state.participant_identity) == (JobStatus.JS_SUCCESS, "")


@pytest.mark.parametrize("agent_name", ["never_connects", "raising", "dying"])
async def test_a_job_that_was_taken_and_went_wrong_names_an_identity_that_never_joins(
    agent_name: str, stage: Stage, watched: Sampler
) -> None:
    await dispatch(stage, agent_name, agent_name)
    entered = await stage.workers.wait_for("entered", room=agent_name)
    state = await the_only_job(stage, agent_name)
    assert state.participant_identity == f"agent-{entered.job_id}"
    await looks(watched, 5)
    assert watched.presence(agent_name, agent_name).greatest == 0
    assert stage.workers.process.running


async def test_nobody_a_worker_that_passes_on_and_one_that_is_late_look_the_same(stage: Stage, watched: Sampler) -> None:
    names = ["nobody", "passing_on", "slow_request"]
    await asyncio.gather(*(dispatch(stage, name, name) for name in names))
    await asyncio.gather(*(stage.workers.wait_for("requested", room=name) for name in names[1:]))
    await looks(watched, 30)
    for name in names:
        assert await jobs(stage, name) == []
        assert watched.presence(name, name).greatest == 0


async def test_an_agent_that_leaves_at_once_was_there(stage: Stage) -> None:
    async with client(stage.server, "brief") as person:
        made = await dispatch(stage, "leaves_at_once", "brief")
        await stage.workers.wait_for("ended", room="brief")
        await wait_until(lambda: not person.agents(), description="the client sees no agent")
        job = await stage.workers.wait_for("connected", room="brief")
        assert job.dispatch_id == made.id


async def test_a_job_that_waits_for_its_process_joins_although_its_dispatch_was_deleted(stage: Stage) -> None:
    async with client(stage.server, "orphan") as person, stage.server.api() as livekit:
        made = await dispatch(stage, "slow_process", "orphan")
        await the_only_job(stage, "orphan")
        await livekit.agent_dispatch.delete_dispatch(made.id, "orphan")
        assert [one.id for one in await livekit.agent_dispatch.list_dispatch("orphan") if one.agent_name] == []
        assert not person.sightings
        await person.wait_for_agent(timeout=20.0)


async def test_a_job_whose_process_was_killed_is_still_listed(stage: Stage, watched: Sampler) -> None:
    await dispatch(stage, "in_processes", "killed")
    job = await stage.workers.wait_for("connected", room="killed")
    await wait_until(lambda: watched.presence("killed", "in_processes").greatest, description="the agent is listed")
    stage.workers.kill_job("killed")
    await looks(watched, 5)
    assert await active_agents(stage, "killed") == [f"agent-{job.job_id}"]


async def test_a_killed_server_starts_again_where_it_was(tmp_path: Path) -> None:
    async with redis_server(tmp_path) as store, livekit_server(tmp_path, redis=store.address) as server:
        async with server.api() as livekit:
            made = await livekit.room.create_room(api.CreateRoomRequest(name="remembered"))
        await server.process.kill()
        await server.start()
        async with server.api() as livekit:
            listed = await livekit.room.list_rooms(api.ListRoomsRequest())
        assert [room.sid for room in listed.rooms] == [made.sid]


@pytest.mark.parametrize("flavour", list(Flavour))
async def test_a_store_can_be_frozen_killed_and_started_again_with_its_data(flavour: Flavour, tmp_path: Path) -> None:
    async with redis_server(tmp_path, flavour) as store:
        async with Redis.from_url(store.url) as redis:
            await redis.set("kept", "yes")
            store.process.pause()
            asked = asyncio.ensure_future(redis.get("kept"))
            with pytest.raises(NotInTime):
                await wait_until(asked.done, timeout=0.3, description="a frozen store answers")
            store.process.resume()
            assert await asked == b"yes"
            await store.process.kill()
        await store.start()
        async with Redis.from_url(store.url) as redis:
            assert await redis.get("kept") == b"yes"


async def test_an_alert_counts_only_when_it_is_signed(alerts: AlertSink) -> None:
    body, at = json.dumps({"room": "r", "status": "firing"}), datetime.now(UTC)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(int(at.timestamp()))}
    signature = Webhook(alerts.secret).sign("msg_1", at, body)
    async with aiohttp.ClientSession() as http:
        async with http.post(alerts.url, data=body, headers={**headers, "webhook-signature": signature}) as answer:
            assert answer.status == 204
        async with http.post(alerts.url, data=body + " ", headers={**headers, "webhook-signature": signature}) as answer:
            assert answer.status == 401
    assert alerts.refused == 1
    assert [one.webhook_id for one in alerts.about("r", status="firing")] == ["msg_1"]
