"""`rollcall replay`: recorded webhooks into the door, and what it says of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiohttp import web
from pytest_aiohttp import AiohttpServer

from orchestrator.exits import ExitCode
from orchestrator.sandbox.signing import Credentials
from tests.integration.client.commands import Rollcall, serve

KEY, SECRET = "devkey", "s" * 36
STARTED = '{"event": "room_started", "room": {"name": "support-17", "sid": "RM_1"}, "id": "EV_1"}'


class Ear:
    """The door for webhooks: keeps what is signed with the pair."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.app = web.Application()
        self.app.router.add_post("/webhooks/livekit", self.hear)

    async def hear(self, request: web.Request) -> web.Response:
        body = await request.read()
        signed = Credentials(KEY, SECRET).sign(body, 0).split(".")[0]
        if not request.headers["Authorization"].startswith(signed) or b"refuse" in body:
            return web.Response(status=400)
        self.heard.append(body)
        return web.Response()


@pytest.fixture
def ear() -> Ear:
    return Ear()


@pytest.fixture
async def rollcall(ear: Ear, aiohttp_server: AiohttpServer) -> Rollcall:
    return await serve(aiohttp_server, ear.app)


async def test_bodies_are_sent_as_they_are_and_in_their_order(ear: Ear, rollcall: Rollcall, tmp_path: Path) -> None:
    body = '{"event":"participant_joined",  "room":{"name":"k\\u00f6ln"}}'
    (tmp_path / "w.jsonl").write_text(STARTED + "\n\n" + json.dumps({"received": 1, "headers": {}, "body": body}) + "\n")
    ran = await rollcall("replay", str(tmp_path / "w.jsonl"), LIVEKIT_API_KEY=KEY, LIVEKIT_API_SECRET=SECRET)

    assert ran.exit_code == ExitCode.OK, ran.output
    assert ear.heard == [STARTED.encode(), body.encode()]
    assert ran.stdout.splitlines() == [
        "200  line 1  room_started        support-17",
        "200  line 3  participant_joined  köln",
        "2 sent, 0 refused.",
    ]


async def test_refusals_are_counted_and_fail_the_command(rollcall: Rollcall, tmp_path: Path) -> None:
    (tmp_path / "w.jsonl").write_text(STARTED + "\n" + STARTED.replace("EV_1", "refuse me"))
    ran = await rollcall("replay", str(tmp_path / "w.jsonl"), "--json", LIVEKIT_API_KEY=KEY, LIVEKIT_API_SECRET=SECRET)

    told = json.loads(ran.stdout)
    assert (ran.exit_code, told["sent"], told["refused"]) == (ExitCode.FAILED, 2, 1)
    assert [webhook["status"] for webhook in told["webhooks"]] == [200, 400]


async def test_without_a_key_nothing_is_sent_and_it_says_why(ear: Ear, rollcall: Rollcall, tmp_path: Path) -> None:
    (tmp_path / "w.jsonl").write_text(STARTED)
    ran = await rollcall("replay", str(tmp_path / "w.jsonl"))

    assert (ran.exit_code, ear.heard) == (ExitCode.USAGE, [])
    assert "Set LIVEKIT_API_KEY and LIVEKIT_API_SECRET" in ran.stderr


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"{STARTED}\nnot json", "Line 2 is no recorded webhook"),
        ('{"headers": {"Authorization": "x"}}', "a signature alone cannot be replayed"),
        ("[1]", "Line 1 is no recorded webhook"),
        ("\n", "holds no webhook"),
    ],
)
async def test_a_file_of_anything_else_is_refused_before_the_first_is_sent(
    ear: Ear, rollcall: Rollcall, tmp_path: Path, text: str, why: str
) -> None:
    (tmp_path / "w.jsonl").write_text(text)
    ran = await rollcall("replay", str(tmp_path / "w.jsonl"), LIVEKIT_API_KEY=KEY, LIVEKIT_API_SECRET=SECRET)

    assert (ran.exit_code, ear.heard, why in ran.stderr) == (ExitCode.USAGE, [], True)


async def test_a_file_that_is_not_there_is_named(rollcall: Rollcall) -> None:
    ran = await rollcall("replay", "nowhere.jsonl", LIVEKIT_API_KEY=KEY, LIVEKIT_API_SECRET=SECRET)

    assert (ran.exit_code, "nowhere.jsonl cannot be read: No such file" in ran.stderr) == (ExitCode.USAGE, True)
