"""Measures; asserts only what no LiveKit may do. What the numbers say is for people to judge, from the table at the end."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections import Counter
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import web
from livekit import api

from orchestrator.core.facts import CandidateSpec
from orchestrator.core.proof import Key
from orchestrator.livekit.api import LiveKitApi
from orchestrator.livekit.signature import Forged, verify
from orchestrator.runtime.ports import LiveKitError, Pulse
from tests.cloud.conftest import WEBHOOKS, Project, Table
from tests.e2e.harness.wait import NotInTime, wait_until
from tests.e2e.harness.workers import TestWorkers

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180)]

RESTART_WATCH = 25.0
"""Seconds in which a job that died would have been started again."""

QUESTIONS = 20
CALLS, RATE = 150, 30.0
"""So many calls, so many a second: a quota of 1,000 a minute would still bear them."""


def spent(since: float) -> str:
    return f"{time.monotonic() - since:.3g} s"


async def agent_in(ours: LiveKitApi, room: str) -> str | None:
    return next((p.identity for p in await ours.participants(room) if p.is_agent and p.active), None)


async def test_when_a_job_is_listed_and_when_its_agent_is_there(
    ours: LiveKitApi, room: str, crew: TestWorkers, names: dict[str, str], table: Table
) -> None:
    began = time.monotonic()
    await ours.create_dispatch(room, CandidateSpec(names["light"], "{}"), Key("RM_cloud", names["light"], 1, "measured"))
    answered = spent(began)
    seen: dict[str, str] = {}

    async def both() -> bool:
        (dispatch,) = [d for d in await ours.dispatches(room) if d.agent_name == names["light"]]
        if dispatch.jobs:
            seen.setdefault("job", spent(began))
        if await agent_in(ours, room):
            seen.setdefault("agent", spent(began))
        seen["key"] = "as attributes" if dispatch.key else "not"
        return len(seen) == 3

    try:
        await wait_until(both, timeout=30.0, every=0.1, description="the job is listed, and the agent is there")
    finally:
        table.add("CreateDispatch answers", "at once, whatever becomes of it", answered)
        table.add("the job is listed", "unknown; `accept_window` is off", seen.get("job", "not within 30 s"))
        table.add("the agent is ACTIVE", "under 1 s with an idle process", seen.get("agent", "not within 30 s"))
        table.add("our key is in the listed dispatch", "as attributes", seen.get("key", "not"))
    assert crew.process.running


@pytest.mark.parametrize("policy", ["JRP_NEVER", "the default"])
async def test_whether_a_job_that_died_is_started_again(
    project: Project, ours: LiveKitApi, room: str, crew: TestWorkers, names: dict[str, str], table: Table, policy: str
) -> None:
    agent = names["dying"]
    if policy == "JRP_NEVER":
        await ours.create_dispatch(room, CandidateSpec(agent, "{}"), Key("RM_cloud", agent, 1, "measured"))
    else:
        async with project.api() as livekit:
            await livekit.agent_dispatch.create_dispatch(api.CreateAgentDispatchRequest(room=room, agent_name=agent))
    await crew.wait_for("entered", room=room, agent_name=agent, timeout=30.0)
    began = time.monotonic()
    try:
        await wait_until(
            lambda: len(crew.seen("requested", room=room, agent_name=agent)) > 1,
            timeout=RESTART_WATCH, every=0.5, description="the job is offered again",
        )  # fmt: skip
        again = f"yes, after {spent(began)}"
    except NotInTime:
        again = f"not within {RESTART_WATCH:g} s"
    assumed = "never" if policy == "JRP_NEVER" else "yes on Cloud (JRP_ON_FAILURE), no on the open server"
    table.add(f"a job that died is started again, with {policy}", assumed, again)


async def test_how_participants_answer_a_question(
    project: Project, ours: LiveKitApi, room: str, crew: TestWorkers, names: dict[str, str], table: Table
) -> None:
    await ours.create_dispatch(room, CandidateSpec(names["light"], "{}"), Key("RM_cloud", names["light"], 1, "measured"))
    identity = await wait_until(lambda: agent_in(ours, room), timeout=30.0, description="the agent is there")
    replies = [await ours.pulse(room, identity, timeout=1.5) for _ in range(QUESTIONS)]
    counted = Counter(reply.pulse.value for reply in replies)
    alive = [reply.rtt_ms for reply in replies if reply.pulse is Pulse.ALIVE and reply.rtt_ms is not None]
    timing = f", p50 {statistics.median(alive):.1f} ms, longest {max(alive):.1f} ms" if alive else ""
    table.add("PerformRpc of a stock agent", "alive (RpcError 1400)", f"{dict(counted)}{timing}")
    began = time.monotonic()
    nobody = await ours.pulse(room, "nobody-of-that-name", timeout=1.5)
    table.add("PerformRpc of nobody", "not_there, after 3 s", f"{nobody.pulse.value}, after {spent(began)}")
    assert nobody.pulse is not Pulse.ALIVE
    status, body = await _raw(project, room, identity)
    table.add("its answer, word for word", "400, `RpcError 1400: …`", f"{status}, `{body[:80]}`")
    assert crew.process.running


async def _raw(project: Project, room: str, identity: str) -> tuple[int, str]:
    question = {"room": room, "destination_identity": identity, "method": "rollcall.none", "response_timeout_ms": 1500}
    address = urlsplit(project.url)
    url = f"{'https' if address.scheme in ('wss', 'https') else 'http'}://{address.netloc}/twirp/livekit.RoomService/PerformRpc"
    headers = {"Authorization": f"Bearer {project.token(room)}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.post(url, json=question) as answer:
        return answer.status, await answer.text()


async def test_what_becomes_of_many_calls(ours: LiveKitApi, room: str, throttled: list[float], table: Table) -> None:
    outcomes: Counter[str] = Counter()

    async def call(number: int) -> None:
        await asyncio.sleep(number / RATE)
        try:
            await ours.participants(room)
            outcomes["answered"] += 1
        except LiveKitError as error:
            outcomes[type(error).__name__] += 1

    began = time.monotonic()
    await asyncio.gather(*(call(number) for number in range(CALLS)))
    refused = f"{len(throttled)} were answered 429, the first after {throttled[0] - began:.1f} s" if throttled else "no 429"
    assumed = "1,000 a minute; more are answered 429"
    table.add(f"{CALLS} calls at {RATE:g}/s", assumed, f"{dict(outcomes)} in {spent(began)}; {refused}")


async def test_what_a_room_that_is_not_there_answers(ours: LiveKitApi, table: Table) -> None:
    began = time.monotonic()
    try:
        said = f"{len(await ours.dispatches('rollcall-cloud-nobody-made-this'))} dispatches"
    except LiveKitError as error:
        said = type(error).__name__
    table.add("ListDispatch of a room that is not there", "503 after 3 s", f"{said}, after {spent(began)}")


async def test_which_webhooks_come(
    project: Project, ours: LiveKitApi, crew: TestWorkers, names: dict[str, str], table: Table
) -> None:
    if project.webhooks is None:
        pytest.skip(f"{WEBHOOKS} (host:port) is not set: nobody listens for webhooks")
    heard: Counter[str] = Counter()
    room = f"rollcall-cloud-webhooks-{time.time_ns()}"

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        try:
            verify(body, request.headers.get("Authorization"), {project.key: project.secret}, time.time())
        except Forged:
            heard["forged"] += 1
            return web.Response()
        told = json.loads(body)
        if told.get("room", {}).get("name") == room or told.get("job", {}).get("room", {}).get("name") == room:
            heard[told["event"]] += 1
        return web.Response()

    app = web.Application()
    app.router.add_post("/{path:.*}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    host, _, port = project.webhooks.rpartition(":")
    await web.TCPSite(runner, host, int(port)).start()
    try:
        async with project.api() as livekit:
            await livekit.room.create_room(api.CreateRoomRequest(name=room, empty_timeout=60))
            key = Key("RM_cloud", names["light"], 1, "measured")
            await ours.create_dispatch(room, CandidateSpec(names["light"], "{}"), key)
            await crew.wait_for("connected", room=room, timeout=30.0)
            await livekit.room.delete_room(api.DeleteRoomRequest(room=room))
        try:
            await wait_until(lambda: heard["room_finished"], timeout=15.0, description="room_finished is heard")
        except NotInTime:
            heard["room_finished not heard within 15 s"] = 1
    finally:
        await runner.cleanup()
    jobs = {name: count for name, count in heard.items() if name.startswith("agent_job")}
    table.add("webhooks of a room with an agent", "started, joined, left, finished", str(dict(heard)))
    table.add("agent_job_* webhooks", "sent by Cloud, not by the open server", str(jobs or "none"))
