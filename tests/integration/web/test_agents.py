"""/workers and /agents: who answers to which agent name, over HTTP, on the model of the store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from openapi_spec_validator import validate
from pytest_aiohttp import AiohttpClient
from yarl import URL

from orchestrator.contract import ANNOUNCED_FOR
from orchestrator.core.fleet import REMEMBERED, Announcement, Tally
from orchestrator.store.fleet import WorkerLimits
from orchestrator.web import agents
from orchestrator.web.auth import Bearers
from orchestrator.web.openapi import document
from orchestrator.web.server import build_app
from tests.fakes.canaries import ScriptedCanaries
from tests.fakes.store import Line, MemoryWorkers, Server
from tests.integration.web.door import NOW, READ, TOKENS, StillClock

WORKER = {"Authorization": "Bearer a-token-to-worker"}
TOLD = {
    "agent_name": "mary",
    "load": 0.25,
    "active_jobs": 2,
    "capacity": 8,
    "version": "1.2",
    "region": "eu",
    "capabilities": ["fr", "de"],
    "draining": False,
}
MARY = Announcement("w1", "mary", 0.25, 2, 8, "1.2", "eu", ("fr", "de"))

Client = TestClient[Any, Any]


class Desk:
    """The routes on a store in memory; mary and voice-asistant are configured."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.server = Server(self.clock)
        self.workers = MemoryWorkers(Line(self.server), WorkerLimits(of_name=2, workers=3, names=3))
        self.routes = agents.routes(agents.Agents(self.workers, ["mary", "voice-asistant"], dict, ScriptedCanaries()))
        self.app = build_app(self.routes, bearers=Bearers(TOKENS, dev=False), version="1.2.3")


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def client(desk: Desk, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(desk.app)


async def announce(client: Client, worker: str = "w1", **changes: object) -> int:
    response = await client.put(f"/workers/{worker}", json={**TOLD, **changes}, headers=WORKER)
    return response.status


def as_written(client: Client, path: str) -> URL:
    """The path as it stands, percent signs included."""
    return URL(f"{client.make_url('/')}{path.removeprefix('/')}", encoded=True)


async def shown(client: Client, name: str = "mary") -> dict[str, Any]:
    response = await client.get(f"/agents/{name}", headers=READ)
    assert response.status == 200
    body: dict[str, Any] = await response.json()
    return body


# --- announcing -------------------------------------------------------------------------------------------------------


async def test_what_a_worker_announces_is_stored_as_it_said_it(client: Client, desk: Desk) -> None:
    assert await announce(client) == 204
    (worker,) = (await desk.workers.look()).workers("mary")
    assert worker.told == MARY


async def test_a_worker_that_says_the_least_is_taken_in(client: Client, desk: Desk) -> None:
    response = await client.put("/workers/w1", json={"agent_name": ""}, headers=WORKER)
    assert response.status == 204
    assert (await desk.workers.look()).workers("")[0].told == Announcement("w1", "")


async def test_a_worker_that_withdraws_is_gone_and_may_say_so_twice(client: Client, desk: Desk) -> None:
    await announce(client)
    for _ in range(2):
        assert (await client.delete("/workers/w1", headers=WORKER)).status == 204
    assert not (await desk.workers.look()).live


@pytest.mark.parametrize(
    "changes",
    [
        {"agent_name": "x" * 257},
        {"agent_name": "a\x00b"},
        {"agent_name": None},
        {"load": -0.1},
        {"load": "much"},
        {"load": 1e9},
        {"active_jobs": -1},
        {"capacity": 1.5},
        {"version": "v" * 65},
        {"region": "eu\n"},
        {"capabilities": ["x"] * 33},
        {"capabilities": ["x" * 65]},
        {"capabilities": "de"},
        {"draining": "perhaps"},
        {"surprise": 1},
    ],
)
async def test_what_is_no_announcement_is_refused_with_the_field_and_changes_nothing(
    client: Client, desk: Desk, changes: dict[str, object]
) -> None:
    response = await client.put("/workers/w1", json={**TOLD, **changes}, headers=WORKER)
    assert (response.status, response.content_type) == (400, "application/problem+json")
    assert (await response.json())["errors"][0]["field"].startswith(next(iter(changes)))
    assert not (await desk.workers.look()).announced


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"agent_name": "\\ud800"}', b'{"agent_name":"m","load":NaN}'])
async def test_a_body_that_is_no_json_of_this_form_is_refused(client: Client, body: bytes) -> None:
    assert (await client.put("/workers/w1", data=body, headers=WORKER)).status == 400


async def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    assert (await client.put("/workers/w1", data=b" " * 20_000, headers=WORKER)).status == 413


@pytest.mark.parametrize("worker", ["x" * 129, "w%00", "w%0A", "%C3%A4"])
async def test_a_worker_s_id_is_printable_and_short(client: Client, worker: str) -> None:
    url = as_written(client, f"/workers/{worker}")
    assert (await client.session.put(url, json=TOLD, headers=WORKER)).status == 400
    assert (await client.session.delete(url, headers=WORKER)).status == 204


async def test_more_workers_or_names_than_there_is_room_for_are_told_to_come_again(client: Client) -> None:
    assert [await announce(client, f"w{n}") for n in range(3)] == [204, 204, 429]
    response = await client.put("/workers/w3", json=TOLD, headers=WORKER)
    assert response.headers["Retry-After"] == "5"
    await client.delete("/workers/w1", headers=WORKER)
    assert [await announce(client, "w0", agent_name=name) for name in ("a", "b", "c")] == [204, 204, 429]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/workers/w1", "worker"),
        ("DELETE", "/workers/w1", "worker"),
        ("GET", "/agents", "read"),
        ("GET", "/agents/mary", "read"),
    ],
)
async def test_workers_announce_and_readers_read_and_no_other_may(client: Client, method: str, path: str, allowed: str) -> None:
    may = {"read": {"read", "operate"}, "worker": {"worker"}}[allowed]
    for scope in ("read", "operate", "mint", "worker"):
        response = await client.request(method, path, json=TOLD, headers={"Authorization": f"Bearer a-token-to-{scope}"})
        assert (response.status == 403) is (scope not in may), scope
    assert (await client.request(method, path, json=TOLD)).status == 401


async def test_without_the_store_everybody_is_asked_to_come_again(client: Client, desk: Desk) -> None:
    desk.server.down = True
    assert await announce(client) == 503
    assert (await client.delete("/workers/w1", headers=WORKER)).status == 503
    for path in ("/agents", "/agents/mary"):
        assert (await client.get(path, headers=READ)).status == 503


# --- seeing -----------------------------------------------------------------------------------------------------------


async def test_a_name_that_is_served_says_with_how_much_room_and_since_when(client: Client, desk: Desk) -> None:
    await announce(client)
    desk.clock.at = NOW + 10
    await announce(client, "w2", region="us", version="1.3", capabilities=["de", "es"], active_jobs=8)
    await announce(client)
    desk.clock.at = NOW + 12
    body = await shown(client)
    assert [worker["worker_id"] for worker in body.pop("workers_detail")] == ["w1", "w2"]
    assert body == {
        "agent_name": "mary",
        "verdict": "2 workers answer to mary, with room for 6 more.",
        "configured": True,
        "announced": True,
        "state": "serving",
        "workers": 2,
        "active_jobs": 10,
        "capacity": 16,
        "room_left": 6,
        "since": "1970-01-12T13:47:40.000Z",
        "last_seen": "1970-01-12T13:47:50.000Z",
        "last_joined": None,
        "last_joined_age_s": None,
        "regions": ["eu", "us"],
        "versions": ["1.2", "1.3"],
        "capabilities": ["de", "es", "fr"],
        "sessions": {"verified": 0, "dispatching": 0, "unverified": 0},
        "near": [],
        "paused": None,
        "canary": None,
    }


async def test_each_live_worker_is_shown_as_it_described_itself(client: Client, desk: Desk) -> None:
    await announce(client)
    desk.clock.at = NOW + 3
    assert (await shown(client))["workers_detail"] == [
        {
            "worker_id": "w1",
            "load": 0.25,
            "active_jobs": 2,
            "capacity": 8,
            "room_left": 6,
            "version": "1.2",
            "region": "eu",
            "capabilities": ["fr", "de"],
            "draining": False,
            "since": "1970-01-12T13:47:40.000Z",
            "last_seen": "1970-01-12T13:47:40.000Z",
            "last_seen_age_s": 3.0,
        }
    ]


@pytest.mark.parametrize(
    ("announcement", "state", "room_left", "verdict"),
    [
        (MARY, "serving", 6, "1 worker answers to mary, with room for 6 more."),
        (replace(MARY, capacity=None), "serving", None, "1 worker answers to mary, with room for more jobs."),
        (replace(MARY, load=1.0), "full", 0, "1 worker answers to mary, and no room is left."),
        (replace(MARY, draining=True), "draining", 0, "1 worker answers to mary, and takes no more jobs: draining."),
    ],
)
async def test_the_state_follows_from_what_the_workers_say(
    client: Client, desk: Desk, announcement: Announcement, state: str, room_left: int | None, verdict: str
) -> None:
    await desk.workers.announce(announcement)
    body = await shown(client)
    assert (body["state"], body["room_left"], body["verdict"]) == (state, room_left, verdict)


async def test_a_name_whose_workers_fell_silent_is_offline_for_a_day_and_then_only_configured(
    client: Client, desk: Desk
) -> None:
    await announce(client)
    desk.clock.at = NOW + ANNOUNCED_FOR + 5
    body = await shown(client)
    assert (body["state"], body["workers"], body["room_left"], body["since"]) == ("offline", 0, 0, None)
    assert body["verdict"] == "Nobody answers to mary; its last worker was heard 20.0 s ago."
    assert body["last_seen"] == "1970-01-12T13:47:40.000Z"
    desk.clock.at = NOW + REMEMBERED + 1
    body = await shown(client)
    assert (body["state"], body["announced"], body["last_seen"]) == ("unannounced", False, None)


async def test_a_stock_worker_is_shown_from_what_its_jobs_tell_and_as_such(client: Client, desk: Desk) -> None:
    await desk.workers.tell("r1", {"mary": NOW - 12}, {"mary": Tally(verified=3, dispatching=1)})
    body = await shown(client)
    assert (body["state"], body["announced"], body["capacity"], body["room_left"]) == ("unannounced", False, None, None)
    assert body["verdict"] == (
        "No worker has announced itself as mary, but an agent of that name joined 12.0 s ago: "
        "its worker does not announce itself."
    )
    assert (body["last_joined"], body["last_joined_age_s"]) == ("1970-01-12T13:47:28.000Z", 12.0)
    assert body["sessions"] == {"verified": 3, "dispatching": 1, "unverified": 0}


async def test_a_configured_name_that_looks_like_an_announced_one_says_so(client: Client) -> None:
    await announce(client, agent_name="voice-assistant")
    body = await shown(client, "voice-asistant")
    assert body["near"] == ["voice-assistant"]
    assert body["verdict"] == (
        "No worker has announced itself as voice-asistant, and no agent of that name joined within 24 h; "
        "it looks like a typo of voice-assistant."
    )


async def test_the_list_has_every_name_that_is_configured_announced_or_seen_serving(client: Client, desk: Desk) -> None:
    await announce(client, agent_name="tom")
    await desk.workers.tell("r1", {"ann": NOW - 5}, {"eve": Tally(dispatching=1)})
    response = await client.get("/agents", headers=READ)
    listed = (await response.json())["agents"]
    assert [(a["agent_name"], a["configured"], a["state"]) for a in listed] == [
        ("ann", False, "unannounced"),
        ("eve", False, "unannounced"),
        ("mary", True, "unannounced"),
        ("tom", False, "serving"),
        ("voice-asistant", True, "unannounced"),
    ]
    assert "workers_detail" not in listed[0]


async def test_a_name_that_nobody_knows_is_404_with_names_like_it(client: Client) -> None:
    response = await client.get("/agents/marry", headers=READ)
    assert (response.status, response.content_type) == (404, "application/problem+json")
    body = await response.json()
    assert body["near"] == ["mary"]
    assert body["detail"].endswith('Did you mean "mary"?')


@pytest.mark.parametrize("name", ["%FF", "x" * 5000, "a%2Fb"])
async def test_names_of_any_bytes_are_404(client: Client, name: str) -> None:
    response = await client.session.get(as_written(client, f"/agents/{name}"), headers=READ)
    assert response.status == 404
    await response.json()


async def test_the_agent_without_a_name_and_names_with_slashes_can_be_asked_for(client: Client) -> None:
    await announce(client, "w1", agent_name="")
    await announce(client, "w2", agent_name="a/b")
    assert (await shown(client, "(unnamed)"))["agent_name"] == ""
    assert (await shown(client, "(unnamed)"))["verdict"].startswith("1 worker answers to (unnamed)")
    assert (await shown(client, "a%2Fb"))["agent_name"] == "a/b"


def test_the_routes_are_described_by_a_valid_document(desk: Desk) -> None:
    described = document(desk.routes, "1.2.3")
    validate(described)
    assert described["paths"]["/workers/{worker}"]["put"]["security"] == [{"bearer": ["worker"]}]
    assert set(described["paths"]["/workers/{worker}"]["put"]["responses"]) >= {"204", "400", "401", "403", "413", "429", "503"}
