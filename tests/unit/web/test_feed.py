"""The list of sessions that the screen shows, in virtual time, on the model of the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import pytest_asyncio

from orchestrator.core.causes import Cause
from orchestrator.core.facts import Fact, GaveUp, RoomFinished
from orchestrator.core.session import Session
from orchestrator.core.transitions import fold
from orchestrator.runtime.tasks import Tasks
from orchestrator.web import shown_sessions
from orchestrator.web.feed import Feed, FeedParts, Watcher
from tests.fakes.store import Line, MemoryChanges, MemoryStore, Server
from tests.integration.store.stories import drive, folded, load, opening, routed

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

SOON = 0.5
"""Seconds after which a change is told."""


class LoopClock:
    def now(self) -> float:
        return 1_700_000_000.0 + asyncio.get_running_loop().time()

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class CountingStore(MemoryStore):
    """It says which sessions were read, since it was asked last; something may happen `while_listing`, once."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._read_sids: list[str] = []
        self.while_listing: Callable[[], Awaitable[None]] | None = None

    async def recent(self, ended_within: float) -> tuple[str, ...]:
        listed = await super().recent(ended_within)
        happens, self.while_listing = self.while_listing, None
        if happens is not None:
            await happens()
        return listed

    async def read(self, sid: str) -> Session | None:
        self._read_sids.append(sid)
        return await super().read(sid)

    def reads(self) -> list[str]:
        read, self._read_sids = self._read_sids, []
        return sorted(read)


class Stage:
    """A replica that shows sessions, and another one that drives them."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.server = Server(self.clock)
        self.shown = CountingStore(Line(self.server))
        self.driven = MemoryStore(Line(self.server))
        self.tasks = Tasks(lambda name, error: pytest.fail(f"{name} crashed: {error!r}"))
        self.paused = ["tom"]
        self.warnings = ["One thing."]
        self.incidents = 1
        parts = FeedParts(
            store=self.shown,
            changes=MemoryChanges(self.shown.line),
            clock=self.clock,
            spawn=self.tasks.spawn,
            paused=lambda: self.paused,
            warnings=self._warn,
            incidents=self._count,
            version="1.2.3",
        )
        self.feed = Feed(parts)

    async def _warn(self) -> list[str]:
        return self.warnings

    async def _count(self) -> int:
        return self.incidents

    async def drive(self, sid: str, *facts: Fact) -> None:
        await drive(self.driven, opening(sid, f"room of {sid}", started_at=self.clock.now()), routed("mary"), *facts)

    async def tell(self, sid: str, *facts: Fact) -> None:
        """Something happens to a session, and is committed."""
        loaded = await load(self.driven, sid)
        session = folded(loaded)
        for fact in facts:
            session = fold(session, fact, self.clock.now())
        await self.driven.commit(session, epoch=loaded.epoch, trim=len(loaded.inbox))

    @contextmanager
    def looking(self) -> Iterator[Looker]:
        with self.feed.watch() as watcher:
            yield Looker(self.feed, watcher)


class Looker:
    def __init__(self, feed: Feed, watcher: Watcher) -> None:
        self._feed = feed
        self.watcher = watcher

    async def snapshot(self) -> Any:
        assert await self._feed.loaded(10.0)
        return json.loads(self._feed.snapshot(self.watcher))

    def changes(self) -> Any:
        return json.loads(self._feed.changes(self.watcher))


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    stage = Stage()
    yield stage
    await stage.tasks.cancel()


def sids(told: Any) -> list[str]:
    return [row["sid"] for row in told["sessions"]]


async def test_whoever_begins_to_look_is_shown_all_that_live_newest_first_and_a_summary(stage: Stage) -> None:
    for number in range(3):
        await stage.drive(f"RM_{number}")
        await asyncio.sleep(1)
    with stage.looking() as looker:
        snapshot = await looker.snapshot()
    assert sids(snapshot) == ["RM_2", "RM_1", "RM_0"]
    assert snapshot["truncated"] is False
    assert snapshot["summary"] == {
        "live": 3,
        "by_state": {"dispatching": 3, "verified": 0, "unverified": 0, "unrouted": 0, "observed": 0, "ended": 0},
        "incidents_open": 1,
        "paused": ["tom"],
        "warnings": ["One thing."],
        "version": "1.2.3",
    }
    row = snapshot["sessions"][0]
    (placement,) = row.pop("placements")
    assert set(row) == {
        *("room", "sid", "state", "outcome", "verdict", "started_at", "updated_at", "ended_at", "people", "warnings"),
    }
    assert set(placement) == {
        *("agent_name", "state", "proof", "cause", "attempts_total", "served_by", "verified_at", "deadline_at", "pulse_at"),
    }


async def test_what_another_replica_commits_is_told_at_once_and_nothing_else_is_read(stage: Stage) -> None:
    await stage.drive("RM_1")
    await stage.drive("RM_2")
    with stage.looking() as looker:
        await looker.snapshot()
        stage.shown.reads()
        await asyncio.sleep(20)
        assert stage.shown.reads() == []
        await stage.tell("RM_1", GaveUp("mary", Cause.NOT_TAKEN))
        stage.incidents = 2
        await asyncio.sleep(SOON)
        told = looker.changes()
        assert stage.shown.reads() == ["RM_1"]
    assert [(row["sid"], row["state"]) for row in told["sessions"]] == [("RM_1", "unverified")]
    assert told["gone"] == []
    assert told["summary"]["by_state"]["unverified"] == 1
    assert told["summary"]["incidents_open"] == 2


async def test_many_changes_of_one_session_are_told_as_one(stage: Stage) -> None:
    await stage.drive("RM_1")
    with stage.looking() as looker:
        await looker.snapshot()
        await asyncio.sleep(1)
        stage.shown.reads()
        for _ in range(50):
            await stage.tell("RM_1", GaveUp("mary", Cause.NOT_TAKEN))
        await asyncio.sleep(SOON)
        assert len(stage.shown.reads()) <= 2
        assert sids(looker.changes()) == ["RM_1"]
        assert sids(looker.changes()) == []


async def test_however_many_look_a_change_is_read_once(stage: Stage) -> None:
    await stage.drive("RM_1")
    with stage.looking() as one, stage.looking() as other:
        await one.snapshot()
        await other.snapshot()
        assert stage.shown.reads() == ["RM_1"]
        await stage.tell("RM_1", GaveUp("mary", Cause.NOT_TAKEN))
        await asyncio.sleep(SOON)
        assert stage.shown.reads() == ["RM_1"]
        assert sids(one.changes()) == sids(other.changes()) == ["RM_1"]


async def test_while_nobody_looks_nothing_runs(stage: Stage) -> None:
    with stage.looking() as looker:
        await looker.snapshot()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(stage.tasks) == 0
    assert stage.server.followers == []
    await stage.drive("RM_1")
    with stage.looking() as looker:
        assert sids(await looker.snapshot()) == ["RM_1"]


async def test_what_ended_is_shown_for_ten_minutes_and_then_gone(stage: Stage) -> None:
    await stage.drive("RM_1")
    with stage.looking() as looker:
        await looker.snapshot()
        await stage.tell("RM_1", RoomFinished(created_at=stage.clock.now()))
        await asyncio.sleep(SOON)
        told = looker.changes()
        assert [row["state"] for row in told["sessions"]] == ["ended"]
        assert (told["summary"]["live"], told["summary"]["by_state"]["ended"]) == (0, 1)
        await asyncio.sleep(590)
        assert looker.changes()["gone"] == []
        await asyncio.sleep(20)
        assert looker.changes()["gone"] == ["RM_1"]


async def test_a_scratch_room_in_which_nobody_is_wanted_is_not_shown(stage: Stage) -> None:
    await stage.drive("RM_1")
    scratch = opening("RM_2", "rollcall-scratch-1", started_at=stage.clock.now())
    await drive(stage.driven, scratch, routed())
    with stage.looking() as looker:
        assert sids(await looker.snapshot()) == ["RM_1"]


async def test_a_session_that_is_no_more_is_gone(stage: Stage) -> None:
    await stage.drive("RM_1")
    with stage.looking() as looker:
        await looker.snapshot()
        await stage.driven.bury("RM_1")
        await asyncio.sleep(SOON)
        assert looker.changes()["gone"] == ["RM_1"]


async def test_whatever_characters_a_sid_has_what_is_told_is_json(stage: Stage) -> None:
    await stage.drive('RM_"\\')
    with stage.looking() as looker:
        assert sids(await looker.snapshot()) == ['RM_"\\']
        await stage.driven.bury('RM_"\\')
        await asyncio.sleep(SOON)
        assert looker.changes()["gone"] == ['RM_"\\']


async def test_the_data_are_as_of_a_moment_ago_also_when_nothing_changes(stage: Stage) -> None:
    with stage.looking() as looker:
        first = (await looker.snapshot())["at"]
        await asyncio.sleep(6)
        assert looker.changes()["at"] > first


async def test_while_the_store_is_away_the_data_keep_their_age_and_afterwards_nothing_is_missing(stage: Stage) -> None:
    await stage.drive("RM_1")
    with stage.looking() as looker:
        before = (await looker.snapshot())["at"]
        await stage.tell("RM_1", GaveUp("mary", Cause.NOT_TAKEN))
        stage.server.down = True
        stage.warnings = ["The store is not available."]
        await asyncio.sleep(10)
        told = looker.changes()
        assert (told["at"], told["sessions"]) == (before, [])
        assert told["summary"]["warnings"] == ["The store is not available."]
        stage.server.down = False
        await asyncio.sleep(2)
        told = looker.changes()
        assert told["at"] > before
        assert [(row["sid"], row["state"]) for row in told["sessions"]] == [("RM_1", "unverified")]


async def test_after_a_restart_of_the_store_everything_is_read_anew_and_only_what_differs_is_told(stage: Stage) -> None:
    await stage.drive("RM_1")
    await asyncio.sleep(5)
    with stage.looking() as looker:
        await stage.drive("RM_2")
        assert sids(await looker.snapshot()) == ["RM_2", "RM_1"]
        stage.server.restart(lost=3.0)
        await asyncio.sleep(SOON)
        told = looker.changes()
        assert (told["sessions"], told["gone"]) == ([], ["RM_2"])


async def test_what_changed_unheard_while_all_was_listed_is_read_once_it_is_listened_anew(stage: Stage) -> None:
    async def break_off() -> None:
        deaf, stage.server.followers = stage.server.followers, []
        await stage.drive("RM_2")
        stage.server.followers = deaf
        for follower in deaf:
            follower.on_begin()

    await stage.drive("RM_1")
    stage.shown.while_listing = break_off
    with stage.looking() as looker:
        await looker.snapshot()
        await asyncio.sleep(SOON)
        assert set(sids(json.loads(stage.feed.snapshot(looker.watcher)))) == {"RM_1", "RM_2"}


async def test_what_was_changed_and_not_heard_of_is_found_within_a_minute_or_so(stage: Stage) -> None:
    await stage.drive("RM_1")
    await stage.drive("RM_2")
    with stage.looking() as looker:
        await looker.snapshot()
        deaf, stage.server.followers = stage.server.followers, []
        await asyncio.sleep(5)
        await stage.tell("RM_1", GaveUp("mary", Cause.NOT_TAKEN))
        await stage.tell("RM_2", RoomFinished(created_at=stage.clock.now()))
        await stage.drive("RM_3")
        stage.server.followers = deaf
        await asyncio.sleep(70)
        told = {row["sid"]: row["state"] for row in looker.changes()["sessions"]}
    assert told == {"RM_1": "unverified", "RM_2": "ended", "RM_3": "dispatching"}


async def test_of_too_many_the_newest_are_shown_and_it_is_said(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown_sessions, "SHOWN", 2)
    for number in range(4):
        await stage.drive(f"RM_{number}")
        await asyncio.sleep(1)
    with stage.looking() as looker:
        snapshot = await looker.snapshot()
        await stage.drive("RM_later")
        await asyncio.sleep(SOON)
        assert looker.changes()["sessions"] == []
    assert sids(snapshot) == ["RM_3", "RM_2"]
    assert snapshot["truncated"] is True
    assert snapshot["summary"]["live"] == 4


async def test_there_is_no_list_before_the_store_has_answered(stage: Stage) -> None:
    stage.server.down = True
    with stage.feed.watch():
        assert not await stage.feed.loaded(10.0)
        stage.server.down = False
        assert await stage.feed.loaded(10.0)
