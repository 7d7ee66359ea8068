"""Wakes: a fact that any replica stored wakes the session's owner within milliseconds, also after the store was away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from orchestrator.core.fleet import Announcement
from orchestrator.runtime.ports import SlotEnd
from orchestrator.runtime.tasks import Tasks
from orchestrator.store.connection import Connection
from orchestrator.store.fleet import AnnouncedWorkers, WorkerLimits
from orchestrator.store.keys import Keys
from orchestrator.store.sessions import Retention, Sessions
from orchestrator.store.slots import PacedSlots, SlotLimits
from orchestrator.store.wake import Wakes
from tests.e2e.harness.redis import RedisServer
from tests.e2e.harness.wait import wait_until
from tests.integration.conftest import connected, crashed
from tests.integration.store.stories import SID, STARTED, A, B, joined, tell


@dataclass
class Heard:
    sessions: list[str] = field(default_factory=list)
    slots: list[str] = field(default_factory=list)
    workers: list[str] = field(default_factory=list)
    connects: int = 0
    pauses: list[float] = field(default_factory=list)

    def connected(self) -> None:
        self.connects += 1

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(connection: Connection, replica: str) -> AsyncIterator[Heard]:
    heard = Heard()
    wakes = Wakes(
        connection,
        Keys(),
        replica,
        on_session=heard.sessions.append,
        on_slots=heard.slots.append,
        on_worker=heard.workers.append,
        on_reconnect=heard.connected,
        sleep=heard.pause,
    )
    tasks = Tasks(crashed)
    tasks.spawn("wakes", wakes.run())
    try:
        await wait_until(lambda: heard.connects, description="it listens")
        yield heard
    finally:
        await tasks.cancel()


async def told(heard: Heard, sid: str = SID) -> None:
    await wait_until(lambda: sid in heard.sessions, description=f"the owner of {sid} is woken", every=0.002)


async def test_a_fact_stored_by_another_replica_wakes_the_owner(connection: Connection, store: Sessions) -> None:
    async with listening(connection, A) as owner, listening(connection, B) as bystander:
        await tell(store, STARTED)
        await tell(store, joined("PA_1"), replica=B)
        await told(owner)
        assert owner.sessions == [SID]
        assert bystander.sessions == []


async def test_the_owner_is_not_woken_by_what_it_stored_itself_or_by_repetitions(
    connection: Connection, store: Sessions, other: Sessions
) -> None:
    async with listening(connection, A) as owner:
        await tell(store, STARTED, event_id="EV_1")
        await tell(other, STARTED, event_id="EV_1", replica=B)
        await tell(store, STARTED, sid="RM_18")
        await tell(other, STARTED, sid="RM_18", replica=B)
        await told(owner, "RM_18")
        assert owner.sessions == ["RM_18"]


async def test_a_slot_that_comes_free_is_told_to_every_replica(connection: Connection) -> None:
    slots = PacedSlots(connection, Keys(), SlotLimits())
    async with listening(connection, A) as one, listening(connection, B) as another:
        await slots.take("mary", "h", priority=0, since=1.0, hold=20.0)
        await slots.give_back("mary", "h", SlotEnd.JOINED, accept_window=6.0, cause=None)
        await wait_until(lambda: one.slots and another.slots, description="both hear of the slot")
        assert one.slots == another.slots == ["mary"]


async def test_a_worker_that_arrives_is_told_to_every_replica_once(connection: Connection) -> None:
    workers = AnnouncedWorkers(connection, Keys(), WorkerLimits())
    async with listening(connection, A) as one, listening(connection, B) as another:
        for worker in (Announcement("w1", "mary"), Announcement("w1", "mary"), Announcement("w2", "Märy")):
            await workers.announce(worker)
        await wait_until(lambda: "Märy" in one.workers and "Märy" in another.workers, description="both hear of the last one")
        assert one.workers == another.workers == ["mary", "Märy"]


async def test_it_listens_again_after_the_store_was_away_and_says_that_wake_ups_may_be_lost(server: RedisServer) -> None:
    async with connected(server.url) as connection, listening(connection, A) as owner:
        store = Sessions(connection, Keys(), Retention())
        await tell(store, STARTED)
        await server.process.stop()
        await wait_until(lambda: len(owner.pauses) >= 7, description="it tries again and again")
        assert owner.pauses[:7] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]
        await server.start()
        await wait_until(lambda: owner.connects == 2, description="it listens again")
        await tell(store, STARTED, replica=B)
        await told(owner)


async def test_it_listens_again_when_only_its_connection_was_cut(connection: Connection, store: Sessions) -> None:
    async with listening(connection, A) as owner:
        await connection.call("CLIENT", "KILL", "TYPE", "pubsub")
        await wait_until(lambda: owner.connects == 2, description="it listens again")
        await tell(store, STARTED)
        await tell(store, STARTED, replica=B)
        await told(owner)


async def test_a_connection_on_which_nothing_is_heard_any_more_is_given_up(server: RedisServer) -> None:
    """Half of a cut connection stays open for hours; nothing in it says so."""
    async with connected(server.url) as connection, listening(connection, A) as owner:
        server.process.pause()
        await wait_until(lambda: owner.pauses, timeout=15.0, description="the silent connection is given up")
        server.process.resume()
        await wait_until(lambda: owner.connects == 2, description="it listens again")


async def test_it_goes_on_listening_while_nothing_happens(connection: Connection, store: Sessions) -> None:
    async with listening(connection, A) as owner:

        async def asked() -> bool:
            clients = await connection.client.client_list(_type="pubsub")
            return any(client["cmd"] == "ping" for client in clients)

        await wait_until(asked, timeout=8.0, description="the connection is asked for a sign of life")
        assert owner.connects == 1
        await tell(store, STARTED)
        await tell(store, STARTED, replica=B)
        await told(owner)
