"""Silences and open incidents over HTTP and on the command line, on a real store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient, AiohttpServer

from orchestrator.core.alerts import Severity
from orchestrator.core.causes import Cause
from orchestrator.exits import ExitCode
from orchestrator.runtime.ports import Alert
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.open_incidents import OpenIncidents
from orchestrator.store.outbox import Outbox
from orchestrator.store.silences import Silences
from orchestrator.web.auth import Bearers
from orchestrator.web.incidents import IncidentParts, incident_routes
from orchestrator.web.server import build_app
from orchestrator.web.silences import SilenceParts, silence_routes
from orchestrator.web.times import rfc3339
from tests.fakes.store import Line, MemoryAudit, Server
from tests.integration.client.commands import OPERATOR, READER, Rollcall, serve
from tests.integration.web.door import NOW, TOKENS, StillClock

Client = TestClient[Any, Any]

FIRING = Alert(
    "RM_1/mary/1/firing",
    "unverified",
    "firing",
    "RM_1/mary/1",
    NOW - 60,
    room="support-17",
    sid="RM_1",
    agent_name="mary",
    cause=Cause.NOT_TAKEN,
    summary="No worker took the job of mary.",
    fix="Start one.",
    link="https://r/RM_1",
)


class Desk:
    def __init__(self, connection: Connection, keys: Keys) -> None:
        self.clock = StillClock()
        self.audit = MemoryAudit(Line(Server(self.clock)))
        self.outbox = Outbox(connection, keys, ["hook"])
        silences = Silences(connection, keys, most=3)
        ids = iter(f"s{number}" for number in range(99))
        self.counted: list[str] = []
        parts = SilenceParts(silences, self.outbox, self.audit, self.clock, lambda: next(ids), self.counted.append)
        shown = IncidentParts(OpenIncidents(connection, keys), silences, lambda _: Severity.CRITICAL, self.clock)
        routes = (*silence_routes(parts), *incident_routes(shown))
        self.app = build_app(routes, bearers=Bearers(TOKENS, dev=False), version="1")


@pytest.fixture
def desk(connection: Connection, keys: Keys) -> Desk:
    return Desk(connection, keys)


@pytest.fixture
async def client(desk: Desk, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(desk.app, headers={"Authorization": f"Bearer {OPERATOR}"})


@pytest.fixture
async def rollcall(desk: Desk, aiohttp_server: AiohttpServer) -> Rollcall:
    return await serve(aiohttp_server, desk.app, OPERATOR)


async def asked(client: Client, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    async with client.request(method, path, json=body) as response:
        answered = await response.json()
        assert response.status == status, answered
        return answered


async def test_a_silence_is_made_shown_and_ended_and_each_of_it_is_audited(client: Client, desk: Desk) -> None:
    asked_for = {"match": {"room": "support-*", "cause": ["not_taken", "left"]}, "duration": "2h", "reason": "a release"}
    made = await asked(client, "POST", "/silences", asked_for, 201)
    assert made == {
        "id": "s0",
        "match": {"type": None, "room": ["support-*"], "agent": None, "cause": ["not_taken", "left"]},
        "starts_at": rfc3339(NOW),
        "ends_at": rfc3339(NOW + 7200),
        "reason": "a release",
        "by": "operate",
        "state": "active",
    }
    assert await asked(client, "GET", "/silences") == {"silences": [made]}
    desk.clock.at += 10
    ended = await asked(client, "DELETE", "/silences/s0")
    assert ended == {**made, "ends_at": rfc3339(NOW + 10), "state": "ended"}
    assert await asked(client, "GET", "/silences") == {"silences": [ended]}
    lines, _ = await desk.audit.page(cursor=None, limit=10)
    target = "s0: room=support-* cause=not_taken,left"
    assert [(line.deed.action, line.deed.reason, line.deed.target) for line in lines] == [
        ("unsilence", "", target),
        ("silence", "a release", target),
    ]


async def test_what_is_done_is_counted_and_what_is_refused_is_not(client: Client, desk: Desk) -> None:
    await asked(client, "POST", "/silences", {"match": {"agent": "mary"}, "duration": "2h"}, 201)
    await asked(client, "POST", "/silences", {"match": {}, "duration": "2h"}, 400)
    await asked(client, "DELETE", "/silences/s0")
    await asked(client, "DELETE", "/silences/s9", status=404)
    assert desk.counted == ["silence", "unsilence"]


async def test_the_end_may_be_a_time(client: Client) -> None:
    ends_at = datetime.fromtimestamp(NOW + 60, UTC).isoformat()
    made = await asked(client, "POST", "/silences", {"match": {"agent": "mary"}, "ends_at": ends_at}, 201)
    assert made["ends_at"] == rfc3339(NOW + 60)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"match": {"agent": "mary"}},
        {"match": {}, "duration": "2h"},
        {"match": {"agent": []}, "duration": "2h"},
        {"match": {"agent": "mary", "region": "eu"}, "duration": "2h"},
        {"match": {"room": "a{"}, "duration": "2h"},
        {"match": {"route": "*"}, "duration": "2h"},
        {"match": {"room": "a" * 5000}, "duration": "2h"},
        {"match": {"cause": "bad luck"}, "duration": "2h"},
        {"match": {"type": "watchdog"}, "duration": "2h"},
        {"match": {"agent": "mary"}, "duration": "31d"},
        {"match": {"agent": "mary"}, "duration": "0s"},
        {"match": {"agent": "mary"}, "duration": "2h", "ends_at": "2030-01-01T00:00:00Z"},
        {"match": {"agent": "mary"}, "ends_at": "1969-01-01T00:00:00Z"},
        {"match": {"agent": "mary"}, "ends_at": "2030-01-01T00:00:00Z"},
        {"match": {"agent": "mary"}, "ends_at": "1970-01-12T13:50:00"},
    ],
)
async def test_what_is_no_silence_is_refused(client: Client, body: Any) -> None:
    assert (await asked(client, "POST", "/silences", body, 400))["title"] == "Bad Request"


async def test_there_are_not_too_many_and_what_is_not_there_cannot_be_ended(client: Client) -> None:
    for _ in range(3):
        await asked(client, "POST", "/silences", {"match": {"agent": "mary"}, "duration": 60}, 201)
    await asked(client, "POST", "/silences", {"match": {"agent": "mary"}, "duration": 60}, 409)
    await asked(client, "DELETE", "/silences/s9", None, 404)


async def test_a_silence_that_is_ended_makes_due_what_it_held(client: Client, desk: Desk) -> None:
    await asked(client, "POST", "/silences", {"match": {"agent": "mary"}, "duration": "2h"}, 201)
    await desk.outbox.queue(FIRING)
    far = 9e9
    await desk.outbox.claim(far, 0.0)
    await desk.outbox.hold(FIRING.id, "hook", far + 100)
    assert await desk.outbox.claim(far, 0.0) == ()
    await asked(client, "DELETE", "/silences/s0")
    assert len(await desk.outbox.claim(far, 0.0)) == 1


async def test_what_is_open_is_shown_with_the_silence_that_keeps_it_back_and_in_its_group(client: Client, desk: Desk) -> None:
    await desk.outbox.queue(FIRING)
    await desk.outbox.queue(
        Alert("livekit_unreachable/1/firing", "livekit_unreachable", "firing", "livekit_unreachable/1", NOW)
    )
    await asked(client, "POST", "/silences", {"match": {"agent": "mary"}, "duration": "2h"}, 201)
    found = await asked(client, "GET", "/incidents")
    service, room = found["incidents"]
    assert room == {
        "incident": "RM_1/mary/1",
        "type": "unverified",
        "severity": "critical",
        "agent_name": "mary",
        "cause": "not_taken",
        "room": "support-17",
        "sid": "RM_1",
        "since": rfc3339(NOW - 60),
        "summary": "No worker took the job of mary.",
        "fix": "Start one.",
        "link": "https://r/RM_1",
        "silenced_by": "s0",
    }
    assert (service["type"], service["room"], service["silenced_by"]) == ("livekit_unreachable", None, None)
    (group,) = found["groups"]
    assert (group["agent_name"], group["cause"], group["rooms"], group["since"]) == ("mary", "not_taken", 1, rfc3339(NOW - 60))
    assert group["summary"].startswith("1 room lacks mary. No worker took the job of mary")
    page = await asked(client, "GET", "/incidents?limit=1")
    rest = await asked(client, "GET", f"/incidents?limit=1&cursor={page['cursor']}")
    assert [one["incident"] for one in rest["incidents"]] == ["RM_1/mary/1"]
    await asked(client, "GET", "/incidents?cursor=1", None, 200)
    await asked(client, "GET", "/incidents?cursor=x", None, 400)
    await asked(client, "GET", "/incidents?state=x", None, 400)


# --- the command --------------------------------------------------------------------------------------------------------


async def test_the_command_makes_lists_and_ends_silences(rollcall: Rollcall) -> None:
    assert (await rollcall("silence", "--list")).stdout == "There are no silences.\n"
    made = await rollcall("silence", "--agent", "mary", "--room", "support-*", "--for", "2h", "--reason", "a release")
    assert made.exit_code == ExitCode.OK, made.output
    assert made.stdout == "s0: nobody is told of room=support-* agent=mary until 1970-01-12 15:47:40Z.\n"
    rows = (await rollcall("silence", "--list")).stdout.splitlines()
    assert rows[1].split()[:5] == ["s0", "active", "1970-01-12", "15:47:40Z", "operate"]
    assert rows[1].split()[5:] == ["room=support-*", "agent=mary", "a", "release"]
    ended = await rollcall("silence", "--end", "s0")
    assert ended.stdout == "s0 has ended: what still stands of room=support-* agent=mary is told.\n"
    assert json.loads((await rollcall("silence", "--list", "--json")).stdout)["silences"][0]["state"] == "ended"


@pytest.mark.parametrize(
    "arguments", [(), ("--agent", "mary"), ("--for", "2h"), ("--list", "--end", "s0"), ("--agent", "mary", "--for", "soon")]
)
async def test_half_a_silence_is_a_mistake_in_usage(rollcall: Rollcall, arguments: tuple[str, ...]) -> None:
    assert (await rollcall("silence", *arguments)).exit_code == ExitCode.USAGE


async def test_a_reader_may_look_and_no_more(rollcall: Rollcall) -> None:
    assert (await rollcall("silence", "--list", token=READER)).exit_code == ExitCode.OK
    assert (await rollcall("silence", "--agent", "mary", "--for", "2h", token=READER)).exit_code == ExitCode.FAILED
    assert (await rollcall("silence", "--end", "s9")).exit_code == ExitCode.NOT_FOUND
