"""A room exists with its metadata, whether it existed before or not."""

import asyncio
from collections.abc import Iterator, Sequence

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from orchestrator.core.facts import CandidateSpec, Fact, RoomOpened
from orchestrator.core.listing import ListedRoom
from orchestrator.runtime.ports import LiveKitRejectedCredentials, LiveKitUnavailable
from orchestrator.runtime.rooms import PATIENCE, Rooms
from tests.fakes.livekit import FakeLiveKit
from tests.unit.runtime.service import VirtualClock

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


async def nobody_listens(_: RoomOpened, __: Fact) -> None:
    return None


@pytest.fixture
def livekit() -> FakeLiveKit:
    return FakeLiveKit(VirtualClock(), nobody_listens)


@pytest.fixture
def log() -> Iterator[list[EventDict]]:
    structlog.reset_defaults()
    with capture_logs() as events:
        yield events


async def test_a_room_that_is_not_there_is_made_with_its_metadata(livekit: FakeLiveKit, log: list[EventDict]) -> None:
    ensured = await Rooms(livekit).ensure("lobby", metadata='{"agentId": 7}')

    assert (ensured.existed, ensured.updated) == (False, False)
    assert livekit.living["lobby"].room.metadata == '{"agentId": 7}'
    assert ensured.opening == RoomOpened("lobby", ensured.room.sid, ensured.room.created_at, '{"agentId": 7}')
    assert [(e["event"], e["room_was"], e["metadata"]) for e in log] == [("room_ensured", "made", "set")]


async def test_a_room_that_was_there_without_metadata_gets_it(livekit: FakeLiveKit, log: list[EventDict]) -> None:
    livekit.open_room("lobby")
    ensured = await Rooms(livekit).ensure("lobby", metadata='{"agentId": 7}')

    assert (ensured.existed, ensured.updated) == (True, True)
    assert livekit.living["lobby"].room.metadata == '{"agentId": 7}'
    assert ensured.opening.metadata == '{"agentId": 7}'
    assert [(e["event"], e["room_was"], e["metadata"]) for e in log] == [("room_ensured", "there", "updated")]


async def test_metadata_that_nobody_mentions_stays(livekit: FakeLiveKit, log: list[EventDict]) -> None:
    await Rooms(livekit).ensure("lobby", metadata='{"agentId": 7}')
    opening, existed = await Rooms(livekit).opening("lobby")

    assert existed
    assert opening.metadata == '{"agentId": 7}'
    assert "update_room_metadata" not in livekit.calls
    assert log[-1]["metadata"] == "kept"


async def test_metadata_can_be_taken_away(livekit: FakeLiveKit) -> None:
    await Rooms(livekit).ensure("lobby", metadata="x")
    ensured = await Rooms(livekit).ensure("lobby", metadata="")

    assert ensured.updated
    assert livekit.living["lobby"].room.metadata == ""


async def test_the_same_metadata_again_costs_no_call(livekit: FakeLiveKit) -> None:
    await Rooms(livekit).ensure("lobby", metadata="x")
    ensured = await Rooms(livekit).ensure("lobby", metadata="x")

    assert (ensured.existed, ensured.updated) == (True, False)
    assert "update_room_metadata" not in livekit.calls


async def test_a_room_that_somebody_else_makes_meanwhile_has_the_metadata_all_the_same(livekit: FakeLiveKit) -> None:
    class Overtaken(FakeLiveKit):
        async def create_room(self, name: str, *, metadata: str, agents: Sequence[CandidateSpec]) -> ListedRoom:
            self.open_room(name)
            return await super().create_room(name, metadata=metadata, agents=agents)

    overtaken = Overtaken(livekit.clock, nobody_listens)
    ensured = await Rooms(overtaken).ensure("lobby", metadata="x")

    assert ensured.existed
    assert overtaken.living["lobby"].room.metadata == "x"


async def test_the_log_holds_no_metadata(livekit: FakeLiveKit, log: list[EventDict]) -> None:
    livekit.open_room("lobby")
    await Rooms(livekit).ensure("lobby", metadata="a secret")
    assert "a secret" not in repr(log)


async def test_what_livekit_refuses_is_raised(livekit: FakeLiveKit) -> None:
    livekit.fails["create_room"] = LiveKitRejectedCredentials("no")
    with pytest.raises(LiveKitRejectedCredentials):
        await Rooms(livekit).ensure("lobby")


async def test_nobody_waits_for_ever(livekit: FakeLiveKit) -> None:
    class Hanging(FakeLiveKit):
        async def room(self, name: str) -> ListedRoom | None:
            await asyncio.Event().wait()
            raise AssertionError(name)

    begun = asyncio.get_running_loop().time()
    with pytest.raises(LiveKitUnavailable):
        await Rooms(Hanging(livekit.clock, nobody_listens)).ensure("lobby")
    assert asyncio.get_running_loop().time() - begun == pytest.approx(PATIENCE)
