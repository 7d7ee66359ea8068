"""Changes, and Sessions.recent: what the screen lists, and how it hears that it is so no more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from orchestrator.runtime.tasks import Tasks
from orchestrator.store.changes import Changes
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.sessions import Sessions
from tests.e2e.harness.redis import RedisServer
from tests.e2e.harness.wait import wait_until
from tests.integration.conftest import connected, crashed
from tests.integration.store.stories import FINISHED, SID, STARTED, A, drive, folded, load, opening, tell


@pytest.fixture
def changes(connection: Connection, keys: Keys) -> Changes:
    return Changes(connection, keys, asyncio.sleep)


@dataclass
class Heard:
    sids: list[str] = field(default_factory=list)
    begun: int = 0

    def begin(self) -> None:
        self.begun += 1


@asynccontextmanager
async def following(changes: Changes) -> AsyncIterator[Heard]:
    heard = Heard()
    tasks = Tasks(crashed)
    tasks.spawn("changes", changes.follow(heard.sids.append, heard.begin))
    try:
        await wait_until(lambda: heard.begun, description="it listens")
        yield heard
    finally:
        await tasks.cancel()


async def test_whatever_replica_commits_a_session_whoever_follows_hears_of_it_once_for_each_commit(
    changes: Changes, store: Sessions, other: Sessions
) -> None:
    async with following(changes) as heard:
        await drive(store, opening("RM_1"))
        await drive(other, opening("RM_2"))
        await wait_until(lambda: len(heard.sids) == 2, description="both commits are heard")
        assert heard.sids == ["RM_1", "RM_2"]


async def test_a_commit_that_is_superseded_changes_nothing(changes: Changes, store: Sessions) -> None:
    session = await drive(store, opening())
    async with following(changes) as heard:
        await store.commit(session, epoch=1, trim=0)
        await drive(store, opening("RM_2"))
        await wait_until(lambda: heard.sids, description="the other one is heard")
        assert heard.sids == ["RM_2"]


async def test_a_session_that_is_buried_changes_too(changes: Changes, store: Sessions) -> None:
    await drive(store, opening())
    async with following(changes) as heard:
        await store.bury(SID)
        await wait_until(lambda: heard.sids == [SID], description="it is heard")


async def test_who_was_cut_off_is_told_that_something_may_have_changed(server: RedisServer, keys: Keys) -> None:
    async with connected(server.url) as connection, following(Changes(connection, keys, asyncio.sleep)) as heard:
        await server.process.stop()
        await server.start()
        await wait_until(lambda: heard.begun > 1, timeout=10, description="it listens again")


async def test_sessions_that_live_are_listed_newest_first_and_then_those_that_ended_lately(store: Sessions) -> None:
    for number, sid in enumerate(("RM_old", "RM_middle", "RM_new")):
        await drive(store, opening(sid, f"room-{number}", started_at=101.0 + number))
    await tell(store, STARTED, sid="RM_unseen")  # of which nothing is committed yet: it began first
    loaded = await load(store, "RM_middle", A)
    await store.commit(folded(loaded, FINISHED), epoch=loaded.epoch, trim=len(loaded.inbox))
    assert await store.recent(600.0) == ("RM_new", "RM_old", "RM_unseen", "RM_middle")


async def test_what_ended_long_ago_is_not_listed(store: Sessions) -> None:
    loaded = await drive(store, opening(), FINISHED)
    assert loaded.ended
    assert await store.recent(600.0) == (SID,)
    assert await store.recent(-10.0) == ()
