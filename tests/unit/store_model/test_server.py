"""The model's server and lines: how a store fails, and what it forgets."""

import asyncio

import pytest

from orchestrator.core.facts import RoomOpened, RoomStarted
from orchestrator.runtime.ports import Appended, AppendReply, StoreUnavailable
from tests.fakes.store import Line, MemoryLeases, MemoryStore, Server, Subscriber

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


class LoopClock:
    def now(self) -> float:
        return 1_700_000_000.0 + asyncio.get_running_loop().time()


@pytest.fixture
def server() -> Server:
    return Server(LoopClock())


def travelling(server: Server, seconds: float = 0.1) -> MemoryStore:
    """A store at the end of a line of so many seconds' length."""
    return MemoryStore(Line(server, latency=lambda: seconds))


async def tell(store: MemoryStore, sid: str = "RM_1", event_id: str | None = None) -> AppendReply:
    return await store.append(RoomOpened(sid, sid, 100.0), [RoomStarted(100.0)], event_id=event_id, replica="a")


async def test_a_store_that_is_down_executes_nothing(server: Server) -> None:
    store = MemoryStore(Line(server))
    server.down = True
    with pytest.raises(StoreUnavailable):
        await tell(store)
    server.down = False
    assert await store.find("RM_1") is None


async def test_a_store_that_does_not_answer_has_executed_all_the_same(server: Server) -> None:
    store = MemoryStore(Line(server))
    server.lose_replies = True
    with pytest.raises(StoreUnavailable):
        await tell(store, event_id="EV_1")
    server.lose_replies = False
    assert (await tell(store, event_id="EV_1")).outcome is Appended.DUPLICATE


async def test_a_replica_that_is_cut_off_reaches_nothing_and_the_others_go_on(server: Server) -> None:
    one, other = travelling(server), travelling(server)
    one.line.cut = True
    with pytest.raises(StoreUnavailable):
        await tell(one)
    assert asyncio.get_running_loop().time() == pytest.approx(2.0)
    assert await other.find("RM_1") is None


async def test_a_replica_that_is_deaf_is_executed_and_does_not_hear_of_it(server: Server) -> None:
    one, other = travelling(server), travelling(server)
    one.line.deaf = True
    with pytest.raises(StoreUnavailable):
        await tell(one)
    assert await other.find("RM_1") == "RM_1"


async def test_a_slow_store_executes_what_its_caller_has_given_up(server: Server) -> None:
    store = travelling(server)
    server.slow = 3.0
    with pytest.raises(StoreUnavailable):
        await tell(store)
    assert "RM_1" not in store.stored
    await asyncio.sleep(2)
    assert "RM_1" in store.stored


async def test_what_was_sent_is_executed_whatever_becomes_of_its_sender(server: Server) -> None:
    store = travelling(server)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await tell(store)
    await asyncio.sleep(1)
    assert "RM_1" in store.stored


async def test_a_restart_takes_back_what_came_last_and_is_another_incarnation(server: Server) -> None:
    store, leases = MemoryStore(Line(server)), MemoryLeases(Line(server))
    await tell(store, "RM_1", event_id="EV_1")
    before = await store.incarnation()
    await asyncio.sleep(10)
    await tell(store, "RM_1", event_id="EV_2")
    await tell(store, "RM_2")
    await leases.renew("a", 10.0)
    server.restart(lost=5.0)
    assert await store.incarnation() != before
    assert list(store.stored) == ["RM_1"]
    assert len(await store.inbox("RM_1")) == 2
    assert await leases.live() == frozenset()
    assert (await tell(store, "RM_1", event_id="EV_2")).outcome is Appended.STORED
    assert (await tell(store, "RM_1", event_id="EV_1")).outcome is Appended.DUPLICATE


async def test_after_data_was_lost_epochs_are_higher_than_all_before(server: Server) -> None:
    store = MemoryStore(Line(server))
    await tell(store)
    await asyncio.sleep(10)
    taken = await store.take("RM_1", "b", from_owner="a")
    server.restart(lost=5.0)
    await asyncio.sleep(0.001)
    again = await store.take("RM_1", "c", from_owner="a")
    assert taken is not None
    assert again is not None
    assert again.epoch > taken.epoch


async def test_a_wiped_store_has_nothing(server: Server) -> None:
    store = MemoryStore(Line(server))
    await tell(store)
    server.wipe()
    assert await store.find("RM_1") is None


async def test_whoever_listens_is_woken_and_told_when_messages_may_have_been_missed(server: Server) -> None:
    heard: list[str] = []
    server.subscribers["a"] = Subscriber(heard.append, heard.append, lambda: heard.append("again"))
    await tell(MemoryStore(Line(server)))
    await MemoryStore(Line(server)).append(RoomOpened("RM_1", "RM_1", 100.0), [], event_id=None, replica="b")
    assert heard == []
    await MemoryStore(Line(server)).append(RoomOpened("RM_1", "RM_1", 1.0), [RoomStarted(1.0)], event_id=None, replica="b")
    server.restart()
    assert heard == ["RM_1", "again"]
