"""The main job: a room starts, the agent of its route is dispatched, proven, and the whole story can be asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from livekit import api

from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import config
from tests.e2e.harness.listing import Sampler
from tests.e2e.harness.orchestrator import orchestrator
from tests.e2e.harness.stage import Stage, on_both_backends
from tests.e2e.harness.wait import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


@on_both_backends
async def test_a_client_joins_the_agent_is_verified_and_the_session_tells_the_whole_story(
    stage: Stage, watched: Sampler, tmp_path: Path
) -> None:
    routes = config("light", metadata={"team": "{team}"}, rooms="support-{team}-*")
    async with orchestrator(tmp_path, stage.server, routes, port=stage.webhook_port) as rollcall:
        async with client(stage.server, "support-blue-1") as person:
            sighting = await person.wait_for_agent()
            session = await rollcall.wait_for_state("support-blue-1", "verified")
            job = await stage.workers.wait_for("connected", room="support-blue-1")
            assert session["sid"] == await person.sid
        (placement,) = session["placements"]
        (attempt,) = placement["attempts"]
        assert placement["identity"] == sighting.identity == attempt["identity"]
        assert (attempt["number"], attempt["adopted"], attempt["dispatch_id"]) == (1, False, job.dispatch_id)
        assert placement["time_to_agent_ms"] < 10_000
        assert session["verdict"].startswith("light joined")
        events = [entry["event"] for entry in session["timeline"]]
        story = ["room_started", "dispatch_requested", "agent_joined", "verified"]
        assert [event for event in events if event in story] == story
        assert json.loads(job.metadata) == {
            "team": "blue",
            "rollcall": {
                "session": session["sid"],
                "placement": "light",
                "attempt": 1,
                "attempt_id": json.loads(job.metadata)["rollcall"]["attempt_id"],
            },
        }
        assert (job.attributes or {})["rollcall.session"] == session["sid"]
        assert watched.presence("support-blue-1", "light").greatest == 1
        by_sid = await rollcall.session(session["sid"])
        assert by_sid is not None
        assert by_sid["room"] == "support-blue-1"


async def test_an_agent_that_answers_is_shown_as_answering(stage: Stage, tmp_path: Path) -> None:
    async with (
        orchestrator(tmp_path, stage.server, config("light"), port=stage.webhook_port) as rollcall,
        client(stage.server, "answering"),
    ):
        await rollcall.wait_for_state("answering", "verified")

        async def answered() -> bool:
            session = await rollcall.session("answering") or {}
            return bool(session["placements"][0]["proof"] == "answering")

        await wait_until(answered, description="the agent has answered one question")


async def test_two_agents_of_one_route_are_both_placed(stage: Stage, watched: Sampler, tmp_path: Path) -> None:
    async with (
        orchestrator(tmp_path, stage.server, config("light", "publishing"), port=stage.webhook_port) as rollcall,
        client(stage.server, "both"),
    ):
        session = await rollcall.wait_for_state("both", "verified")
        assert [p["agent_name"] for p in session["placements"]] == ["light", "publishing"]
        await wait_until(
            lambda: watched.presence("both", "light").greatest == watched.presence("both", "publishing").greatest == 1,
            description="both are listed",
        )


async def test_a_fallback_serves_where_the_wanted_agent_has_no_worker(stage: Stage, tmp_path: Path) -> None:
    routes = config("nobody", policy={"attempts": 1}, fallback=["light"])
    async with (
        orchestrator(tmp_path, stage.server, routes, port=stage.webhook_port) as rollcall,
        client(stage.server, "fallback"),
    ):
        session = await rollcall.wait_for_state("fallback", "verified", timeout=30)
        assert session["placements"][0]["served_by"] == "light"
        assert session["placements"][0]["agent_name"] == "nobody"
        assert session["warnings"]


async def test_a_room_that_no_route_wants_is_unrouted_and_left_alone(stage: Stage, watched: Sampler, tmp_path: Path) -> None:
    routes = config("light", rooms="support-*")
    async with (
        orchestrator(tmp_path, stage.server, routes, port=stage.webhook_port) as rollcall,
        client(stage.server, "elsewhere"),
    ):
        session = await rollcall.wait_for_state("elsewhere", "unrouted")
        assert session["placements"] == []
        assert watched.presence("elsewhere", "light").greatest == 0


async def test_the_room_closes_while_an_attempt_waits_and_no_ghost_room_appears(
    stage: Stage, watched: Sampler, tmp_path: Path
) -> None:
    """Looked at for 15 s, through which further attempts would have come."""
    async with (
        orchestrator(tmp_path, stage.server, config("nobody"), port=stage.webhook_port) as rollcall,
        stage.server.api() as livekit,
    ):
        await livekit.room.create_room(api.CreateRoomRequest(name="closing"))
        await rollcall.wait_for_state("closing", "dispatching")
        await livekit.room.delete_room(api.DeleteRoomRequest(room="closing"))
        session = await rollcall.wait_for_state("closing", "ended")
        watched.rooms.clear()
        looks = watched.looks
        await wait_until(lambda: watched.looks > looks + 75, timeout=60, description="15 s of looks at all rooms")
        assert "closing" not in watched.rooms
        assert session["outcome"] == "abandoned"
