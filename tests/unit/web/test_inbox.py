"""What came to the door for webhooks, on its way to where people see it; in virtual time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from orchestrator.livekit.redaction import redacted
from orchestrator.livekit.webhook import parse
from orchestrator.runtime.ports import StoreUnavailable
from orchestrator.runtime.tasks import Tasks
from orchestrator.web import inbox as module
from orchestrator.web.inbox import Inbox
from orchestrator.web.webhooks import Outcome, Seen
from tests.fakes.store import Line, MemoryReceived, Server

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


class LoopClock:
    def now(self) -> float:
        return 1_700_000_000.0 + asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Stage:
    def __init__(self) -> None:
        self.clock = LoopClock()
        self.server = Server(self.clock)
        self.received = MemoryReceived(Line(self.server))
        self.inbox = Inbox(self.received, self.clock, redacted)

    def comes(self, number: int = 1, *, event: str = "room_started", **more: Any) -> None:
        room = {"sid": f"RM_{number}", "name": "lobby", "metadata": "private", **more}
        body = json.dumps({"event": event, "id": f"EV_{number}", "room": room}).encode()
        self.inbox.note(Seen(self.clock.now(), Outcome.STORED, len(body), None, "APIkey", body, parse(body)))

    def is_refused(self) -> None:
        self.inbox.note(Seen(self.clock.now(), Outcome.FORGED, 20, "signature"))

    async def all(self) -> list[Any]:
        page, _ = await self.received.page(outcome=None, room=None, cursor=None, limit=10_000)
        return [one.received for one in page]


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_what_comes_is_written_down_within_a_second_or_so_redacted(stage: Stage) -> None:
    tasks = Tasks(lambda name, error: pytest.fail(f"{name} crashed: {error!r}"))
    tasks.spawn("inbox", stage.inbox.run())
    stage.comes()
    stage.is_refused()
    await asyncio.sleep(1.1)
    await tasks.cancel()
    refused, stored = await stage.all()
    assert (refused.outcome, refused.reason, refused.body, refused.key) == ("forged", "signature", None, None)
    assert (stored.outcome, stored.event, stored.room, stored.sid) == ("stored", "room_started", "lobby", "RM_1")
    assert (stored.event_id, stored.key, stored.body["room"]["metadata"]) == ("EV_1", "APIkey", "…")


async def test_of_a_burst_the_newest_are_kept(stage: Stage) -> None:
    for number in range(module.MOST + 100):
        stage.comes(number)
    await stage.inbox.write()
    sids = [one.sid for one in await stage.all()]
    assert sids[0] == f"RM_{module.MOST + 99}"
    assert len(sids) == module.MOST


async def test_what_was_signed_and_is_no_webhook_is_not_displaced_by_forged_ones(stage: Stage) -> None:
    stage.inbox.note(Seen(stage.clock.now(), Outcome.MALFORMED, 20, "no JSON", "APIkey"))
    for _ in range(module.MOST + 1):
        stage.is_refused()
    await stage.inbox.write()
    (signed,) = [one for one in await stage.all() if one.outcome == "malformed"]
    assert (signed.reason, signed.key, signed.body) == ("no JSON", "APIkey", None)


async def test_of_what_is_too_large_is_kept_what_it_was_about(stage: Stage) -> None:
    stage.comes(blob="x" * module.LARGEST)
    await stage.inbox.write()
    (one,) = await stage.all()
    assert (one.body, one.room, one.event) == (None, "lobby", "room_started")
    assert one.bytes > module.LARGEST


async def test_a_webhook_of_a_kind_that_is_not_needed_still_says_which_room_it_was_about(stage: Stage) -> None:
    stage.comes(event="track_published")
    await stage.inbox.write()
    (one,) = await stage.all()
    assert (one.event, one.room, one.sid, one.event_id) == ("track_published", "lobby", "RM_1", "EV_1")


async def test_what_came_while_the_store_was_away_is_written_down_afterwards_in_its_order(stage: Stage) -> None:
    stage.comes(1)
    stage.server.down = True
    with pytest.raises(StoreUnavailable):
        await stage.inbox.write()
    stage.comes(2)
    stage.server.down = False
    await stage.inbox.write()
    await stage.inbox.write()
    assert [one.sid for one in await stage.all()] == ["RM_2", "RM_1"]
