"""/inbox: the webhooks that came last, as people see them, and one of them once more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient
from pytest_aiohttp import AiohttpClient

from orchestrator.livekit.redaction import hides_room_metadata, redacted
from orchestrator.livekit.signature import LIFETIME
from orchestrator.livekit.webhook import parse
from orchestrator.runtime.clock import StoreClock
from orchestrator.runtime.intake import Intake
from orchestrator.web.auth import Bearers
from orchestrator.web.inbox import Inbox
from orchestrator.web.inbox_door import InboxParts, inbox_routes
from orchestrator.web.routes import Answer, Route
from orchestrator.web.server import build_app
from orchestrator.web.webhooks import PATH, Outcome, Seen, WebhookDoor, WebhookLimits
from tests.fakes.store import Line, MemoryAudit, MemoryReceived, MemoryStore, Server
from tests.integration.web.door import TOKENS
from tests.samples.signing import signed

Client = TestClient[Any, Any]

KEY, SECRET = "APIkey", "a-secret-of-at-least-32-characters"


class Desk:
    """The door for webhooks, and the inbox beside it."""

    def __init__(self, *, lifetime: float = LIFETIME) -> None:
        self.clock = StoreClock()
        self.server = Server(self.clock)
        line = Line(self.server)
        self.store = MemoryStore(line)
        self.audit = MemoryAudit(line)
        received = MemoryReceived(line)
        self.inbox = Inbox(received, self.clock, redacted)
        intake = Intake(self.store, "r1", wake=lambda _sid, _loaded: None)
        door = WebhookDoor({KEY: SECRET}, intake, self.clock, WebhookLimits(token_lifetime=lifetime), self.inbox.note)
        parts = InboxParts(received, door, self.store, self.audit, hides_room_metadata)
        webhooks = Route("POST", PATH, door.post, None, "receiveWebhook", "Webhooks.", {200: Answer("Taken.")})
        self.app = build_app((webhooks, *inbox_routes(parts)), bearers=Bearers(TOKENS, dev=False), version="1")

    async def deeds(self) -> list[Any]:
        entries, _ = await self.audit.page(cursor=None, limit=10)
        return [entry.deed for entry in entries]


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def client(desk: Desk, aiohttp_client: AiohttpClient) -> Client:
    return await aiohttp_client(desk.app)


OPERATE = {"Authorization": "Bearer a-token-to-operate"}


async def comes(client: Client, desk: Desk, sid: str = "RM_1", *, secret: str = SECRET, **room: Any) -> int:
    """LiveKit sends a webhook, or somebody does."""
    message = {
        "event": "room_started",
        "id": f"EV_{sid}",
        "createdAt": "1700000000",
        "room": {"sid": sid, "name": "lobby", **room},
    }
    body = json.dumps(message).encode()
    headers = {"Authorization": signed(body, desk.clock.now(), KEY, secret), "Content-Type": "application/webhook+json"}
    async with client.post(PATH, data=body, headers=headers) as response:
        status = response.status
    await desk.inbox.write()
    return status


async def seen(client: Client, path: str = "/inbox", status: int = 200) -> Any:
    async with client.get(path, headers={"Authorization": "Bearer a-token-to-read"}) as response:
        body = await response.json(content_type=None)
        assert response.status == status, body
        return body


async def replayed(client: Client, webhook_id: str, status: int = 200) -> Any:
    async with client.post(f"/inbox/{webhook_id}/replay", json={"reason": "to see"}, headers=OPERATE) as response:
        body = await response.json(content_type=None)
        assert response.status == status, body
        return body


async def test_what_livekit_signed_and_is_no_webhook_is_listed_with_the_key_and_without_a_body(
    client: Client, desk: Desk
) -> None:
    headers = {"Authorization": signed(b"[]", desk.clock.now(), KEY, SECRET), "Content-Type": "application/webhook+json"}
    async with client.post(PATH, data=b"[]", headers=headers) as response:
        assert response.status == 400
    await desk.inbox.write()
    (listed,) = (await seen(client))["webhooks"]
    assert (listed["outcome"], listed["key"]) == ("malformed", KEY)
    assert (await seen(client, f"/inbox/{listed['id']}"))["body"] is None


async def test_what_came_is_listed_and_one_of_it_shown_with_its_body(client: Client, desk: Desk) -> None:
    await comes(client, desk, turnPassword="hush", metadata="private")
    (listed,) = (await seen(client))["webhooks"]
    assert {name: value for name, value in listed.items() if name not in ("id", "at", "bytes")} == {
        "event": "room_started",
        "room": "lobby",
        "sid": "RM_1",
        "event_id": "EV_RM_1",
        "outcome": "stored",
        "reason": None,
        "key": KEY,
    }
    one = await seen(client, f"/inbox/{listed['id']}")
    assert one == {**listed, "body": one["body"]}
    assert one["body"]["room"] == {"sid": "RM_1", "name": "lobby", "metadata": "…"}


async def test_a_forged_one_is_listed_with_its_reason_and_without_what_it_said(client: Client, desk: Desk) -> None:
    assert await comes(client, desk, secret="another-secret-of-32-characters!") == 401
    (listed,) = (await seen(client, "/inbox?outcome=forged"))["webhooks"]
    assert (listed["outcome"], listed["reason"], listed["key"], listed["room"]) == ("forged", "signature", None, None)
    assert (await seen(client, f"/inbox/{listed['id']}"))["body"] is None
    assert "not kept" in (await replayed(client, listed["id"], 409))["detail"]
    assert await desk.deeds() == []


async def test_one_that_could_not_be_stored_is_listed_once_the_store_is_back_and_stored_when_it_is_replayed(
    client: Client, desk: Desk
) -> None:
    desk.server.down = True
    message = {"event": "room_started", "id": "EV_1", "room": {"sid": "RM_1", "name": "lobby"}}
    body = json.dumps(message).encode()
    headers = {"Authorization": signed(body, desk.clock.now(), KEY, SECRET), "Content-Type": "application/webhook+json"}
    assert (await client.post(PATH, data=body, headers=headers)).status == 503
    desk.server.down = False
    await desk.inbox.write()
    (listed,) = (await seen(client, "/inbox?outcome=unavailable"))["webhooks"]
    assert await replayed(client, listed["id"]) == {"outcome": "stored"}
    assert await desk.store.find("lobby") == "RM_1"


async def test_a_replay_goes_through_the_door_is_audited_and_does_nothing_twice(client: Client, desk: Desk) -> None:
    await comes(client, desk)
    (listed,) = (await seen(client))["webhooks"]
    assert await replayed(client, listed["id"]) == {"outcome": "duplicate"}
    (done,) = await desk.deeds()
    assert (done.action, done.reason, done.room, done.target) == ("replay", "to see", "lobby", listed["id"])
    await desk.inbox.write()
    again = (await seen(client))["webhooks"]
    assert [(one["outcome"], one["reason"]) for one in again] == [("duplicate", "replayed"), ("stored", None)]


async def test_what_would_open_a_session_by_metadata_that_was_not_kept_is_not_replayed(client: Client, desk: Desk) -> None:
    await comes(client, desk, metadata='{"plan": "gold"}')
    (listed,) = (await seen(client))["webhooks"]
    assert await replayed(client, listed["id"]) == {"outcome": "duplicate"}
    desk.server.sessions.clear()
    assert "metadata" in (await replayed(client, listed["id"], 409))["detail"]


async def test_a_door_that_takes_only_short_lived_tokens_takes_a_replay(aiohttp_client: AiohttpClient) -> None:
    desk = Desk(lifetime=10.0)
    client = await aiohttp_client(desk.app)
    assert await comes(client, desk) == 401  # LiveKit's own are valid for five minutes
    body = json.dumps({"event": "room_started", "id": "EV_1", "room": {"sid": "RM_1", "name": "lobby"}}).encode()
    desk.inbox.note(Seen(desk.clock.now(), Outcome.UNAVAILABLE, len(body), None, KEY, body, parse(body)))
    await desk.inbox.write()
    (listed,) = (await seen(client, "/inbox?outcome=unavailable"))["webhooks"]
    assert await replayed(client, listed["id"]) == {"outcome": "stored"}


async def test_what_the_door_takes_no_more_is_said_to_be_so(client: Client, desk: Desk) -> None:
    odd = Seen(desk.clock.now(), Outcome.STORED, 2, None, KEY, b'{"event": 7}')
    desk.inbox.note(odd)
    await desk.inbox.write()
    (listed,) = (await seen(client))["webhooks"]
    assert "malformed" in (await replayed(client, listed["id"], 409))["detail"]


async def test_a_replay_that_cannot_be_stored_is_to_be_asked_for_again(client: Client, desk: Desk) -> None:
    await comes(client, desk)
    (listed,) = (await seen(client))["webhooks"]
    desk.server.down = True
    await replayed(client, listed["id"], 503)


async def test_the_list_is_filtered_by_room_and_paged(client: Client, desk: Desk) -> None:
    for number in range(3):
        await comes(client, desk, f"RM_{number}")
    page = await seen(client, "/inbox?room=lobby&limit=2")
    assert [one["sid"] for one in page["webhooks"]] == ["RM_2", "RM_1"]
    page = await seen(client, f"/inbox?room=lobby&limit=2&cursor={page['cursor']}")
    assert [one["sid"] for one in page["webhooks"]] == ["RM_0"]
    assert (await seen(client, "/inbox?room=elsewhere"))["webhooks"] == []


@pytest.mark.parametrize("query", ["outcome=lost", "romo=x", "room=a&room=b", "limit=0", "cursor=x"])
async def test_a_filter_that_is_none_is_refused_by_name(client: Client, query: str) -> None:
    assert (await seen(client, f"/inbox?{query}", 400))["parameter"] == query.partition("=")[0]


@pytest.mark.parametrize("webhook_id", ["a1-1", "x", "%2F", "a" + "9" * 40 + "-1"])
async def test_one_that_nobody_knows_is_not_found(client: Client, webhook_id: str) -> None:
    await seen(client, f"/inbox/{webhook_id}", 404)
    await replayed(client, webhook_id, 404)
