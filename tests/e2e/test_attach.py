"""Any team's worker, with Rollcall's lines in it: verified by its own word, known by its key, and silent when it is stuck."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from livekit import api
from livekit.protocol.models import ParticipantInfo

from tests.e2e.harness.clients import client
from tests.e2e.harness.configs import config
from tests.e2e.harness.livekit import LiveKitServer, livekit_server
from tests.e2e.harness.orchestrator import WORKER_TOKEN, orchestrator
from tests.e2e.harness.ports import LOOPBACK
from tests.e2e.harness.pulse import perform_rpc
from tests.e2e.harness.stage import Stage
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import RollcallWorker, rollcall_worker
from tests.fakes.orchestrator import FakeOrchestrator, Sent, fake_orchestrator

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

OWN = ("-m", "livekit.agents", "start", "tests/e2e/workers/own.py")
KEY = {"rollcall.session", "rollcall.placement", "rollcall.attempt", "rollcall.attempt_id"}


@asynccontextmanager
async def own_worker(directory: Path, server: LiveKitServer, port: int) -> AsyncIterator[RollcallWorker]:
    """A team's own worker, which looks for an orchestrator on this port."""
    environment = {
        "ROLLCALL_URL": f"http://{LOOPBACK}:{port}",
        "ROLLCALL_API_TOKEN": WORKER_TOKEN,
        "ROLLCALL_WORKER_REGION": "eu",
        "ROLLCALL_WORKER_CAPABILITIES": "german,billing",
        "ROLLCALL_WORKER_VERSION": "7",
    }
    async with rollcall_worker(directory, server, "own", arguments=OWN, environment=environment) as worker:
        yield worker


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own(stage_in_memory: Stage, shared_directory: Path) -> AsyncIterator[RollcallWorker]:
    """A worker for all tests that leave it running; in a test without an orchestrator it works all the same."""
    async with own_worker(shared_directory, stage_in_memory.server, stage_in_memory.webhook_port) as worker:
        yield worker


def agents_of(participants: list[ParticipantInfo]) -> list[ParticipantInfo]:
    return [one for one in participants if one.kind == ParticipantInfo.Kind.AGENT]


async def the_agent(server: LiveKitServer, room: str) -> ParticipantInfo:
    """The agent that LiveKit lists in this room."""

    async def found() -> ParticipantInfo | None:
        async with server.api() as livekit:
            listed = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
        return next(iter(agents_of(list(listed.participants))), None)

    return await wait_until(found, timeout=20.0, description=f"an agent in {room}")


async def dispatched(server: LiveKitServer, room: str, metadata: dict[str, object], attributes: dict[str, str]) -> str:
    """The id of a dispatch by hand."""
    request = api.CreateAgentDispatchRequest(agent_name="own", room=room, metadata=json.dumps(metadata), attributes=attributes)
    async with server.api() as livekit:
        return (await livekit.agent_dispatch.create_dispatch(request)).id


async def test_three_lines_are_enough_to_be_verified_by_its_own_word(stage: Stage, own: RollcallWorker, tmp_path: Path) -> None:
    assert own.process.running
    routes = config("own", policy={"verify_at": "ready"})
    async with (
        orchestrator(tmp_path, stage.server, routes, port=stage.webhook_port) as replica,
        client(stage.server, "attached"),
    ):
        session = await replica.wait_for_state("attached", "verified")
        (placement,) = session["placements"]
        assert (placement["proof"], placement["attempts_total"]) == ("ready", 1)
        agent = await the_agent(stage.server, "attached")

        async def known() -> dict[str, Any] | None:
            _, name = await replica.operate("GET", "/agents/own")
            # The stuck agents of other tests may still be at it.
            return next((one for one in name["workers_detail"] if one["active_jobs"] >= 1), None)

        announced = await wait_until(known, timeout=15.0, description="the orchestrator knows the worker and its job")
        told = ("load", "capacity", "region", "version", "capabilities", "draining")
        assert [announced[name] for name in told] == [0.25, 50, "eu", "7", ["german", "billing"], False]
        assert announced["room_left"] + announced["active_jobs"] == 50
    attempt = placement["attempts"][0]
    carried = {name: value for name, value in agent.attributes.items() if name.startswith("rollcall.")}
    assert (agent.identity, carried["rollcall.session"]) == (attempt["identity"], session["sid"])
    assert (carried["rollcall.placement"], carried["rollcall.attempt"], carried["rollcall.ready"]) == ("own", "1", "true")


async def test_an_agent_whose_event_loop_is_stuck_is_replaced_and_its_attempt_has_no_second_chance(
    stage: Stage, own: RollcallWorker, tmp_path: Path
) -> None:
    assert own.process.running
    async with (
        orchestrator(tmp_path, stage.server, config("own"), port=stage.webhook_port) as replica,
        client(stage.server, "stuck"),
    ):

        async def answering(*, other_than: str = "") -> dict[str, Any] | None:
            session = await replica.session("stuck")
            placement = session["placements"][0] if session and session["placements"] else {}
            is_other = placement.get("identity") not in {None, other_than}
            return placement if is_other and placement["pulse"] and placement["state"] == "verified" else None

        first = await wait_until(answering, timeout=20.0, description="the agent answers its first pulse")
        agent = await the_agent(stage.server, "stuck")
        await perform_rpc(stage.server, "stuck", agent.identity, "stick", timeout=0.2)
        last = await wait_until(
            lambda: answering(other_than=first["identity"]), timeout=30.0, description="the stuck agent is replaced"
        )
        assert [attempt["cause"] for attempt in last["attempts"]] == ["silent", None]

        key = {name: value for name, value in agent.attributes.items() if name in KEY}
        assert (len(key), key["rollcall.attempt"]) == (len(KEY), "1")
        stale = await dispatched(stage.server, "stuck", {}, key)
        rejected = await wait_until(
            lambda: next((one for one in own.logged() if one.get("dispatch_id") == stale and "rejected" in str(one)), None),
            timeout=10.0,
            description="the worker rejects a job of the first attempt",
        )
        assert rejected["message"] == "job of a replaced attempt rejected"
        assert (await the_agent(stage.server, "stuck")).identity == last["identity"]


@pytest.mark.parametrize(
    ("stock", "status", "code"),
    [pytest.param(False, 408, "150", id="with the line"), pytest.param(True, 400, "1400", id="without")],
)
async def test_a_stuck_agent_is_silent_with_the_line_and_seems_to_live_without(
    stage: Stage, own: RollcallWorker, stock: bool, status: int, code: str
) -> None:
    """1400, "method not supported", comes from LiveKit's native client, whatever becomes of the agent's own loop."""
    assert own.process.running
    room = f"stuck-{status}"
    await dispatched(stage.server, room, {"stock": stock}, {})
    agent = await the_agent(stage.server, room)

    async def asked(method: str) -> tuple[int, str]:
        return await perform_rpc(stage.server, room, agent.identity, method, timeout=0.5)

    async def sticks() -> bool:
        # Before the agent knows the method it answers that it does not.
        return (await asked("stick"))[0] == 408

    await wait_until(sticks, timeout=10.0, description="the agent is stuck")
    answered, body = await asked("rollcall.pulse")
    assert (answered, code in body) == (status, True)


async def test_a_worker_is_announced_while_livekit_can_give_it_jobs_and_withdraws_when_it_cannot(tmp_path: Path) -> None:
    async with (
        livekit_server(tmp_path) as server,
        fake_orchestrator() as rollcall,
        own_worker(tmp_path, server, rollcall.port) as own,
    ):
        first = await announced(rollcall, 0)
        assert first.headers["Authorization"] == f"Bearer {WORKER_TOKEN}"
        assert first.body == {
            "agent_name": "own",
            "load": 0.25,
            "active_jobs": 0,
            "capacity": 50,
            "version": "7",
            "region": "eu",
            "capabilities": ["german", "billing"],
            "draining": False,
        }
        await server.process.kill()
        await withdrawn(rollcall, first.path)
        said = len(rollcall.sent("PUT"))
        await server.start()
        again = await announced(rollcall, said)
        assert (first.path[:12], again.path[:12]) == ("/workers/AW_", "/workers/AW_")
        assert again.path != first.path

        await dispatched(server, "last", {}, {})
        await the_agent(server, "last")
        own.process.signal(signal.SIGTERM)
        leaving = await announced(rollcall, said, draining=True)
        assert (leaving.path, leaving.body["active_jobs"]) == (again.path, 1)
        async with server.api() as livekit:
            await livekit.room.delete_room(api.DeleteRoomRequest(room="last"))
        await withdrawn(rollcall, again.path)
        await own.process.ended(timeout=20.0)
        assert rollcall.requests[-1].method == "DELETE"


async def announced(rollcall: FakeOrchestrator, after: int, *, draining: bool = False) -> Sent:
    """The first announcement after so many, of a worker that drains or does not."""
    return await wait_until(
        lambda: next((one for one in rollcall.sent("PUT")[after:] if one.body["draining"] is draining), None),
        timeout=30.0,
        description="the worker announces itself",
    )


async def withdrawn(rollcall: FakeOrchestrator, path: str) -> None:
    await wait_until(
        lambda: path in [one.path for one in rollcall.sent("DELETE")],
        timeout=20.0,
        description=f"{path} is withdrawn",
    )
