"""Rooms and the people in them: how they open, what they list, when they end."""

from __future__ import annotations

import pytest

from orchestrator.sandbox.model import AgentRequest, ApiError
from tests.unit.sandbox.world import world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


async def test_a_life_of_a_room_is_told_in_order() -> None:
    async with world() as w:
        await w.worker()
        w.received.clear()
        w.sandbox.join("r", "alice", agents=[AgentRequest("mary")])
        await w.clock.sleep(1)
        agent = (await w.the_agent("r")).identity
        w.sandbox.leave("r", "alice")
        await w.clock.sleep(21)
        assert w.events == [
            "room_started",
            "participant_joined alice",
            f"participant_joined {agent}",
            "participant_left alice",
            f"participant_left {agent}",
            "room_finished",
        ]
        assert [webhook.room.num_participants for _, webhook in w.received] == [0, 0, 1, 0, 0, 0]
        assert len({webhook.id for _, webhook in w.received}) == 6


async def test_a_room_made_before_anybody_is_in_starts_and_ends_when_nobody_comes() -> None:
    async with world() as w:
        created = w.sandbox.create_room("r", metadata="m", empty_timeout=300)
        assert (created.metadata, w.sandbox.rooms["r"]) == ("m", created)
        await w.clock.sleep(299)
        assert w.events == ["room_started"]
        await w.clock.sleep(2)
        assert w.events == ["room_started", "room_finished"]
        assert "r" not in w.sandbox.rooms


async def test_a_room_ends_twenty_seconds_after_the_last_has_left_and_an_agent_does_not_keep_it_open() -> None:
    async with world() as w:
        await w.worker()
        w.sandbox.join("r", "alice")
        await w.agent_in("r")
        w.sandbox.leave("r", "alice")
        await w.clock.sleep(19.9)
        assert "r" in w.sandbox.rooms
        await w.clock.sleep(0.2)
        assert "r" not in w.sandbox.rooms
        agent = w.received[-2][1].participant
        assert agent is not None
        assert agent.disconnect_reason == "ROOM_CLOSED"


async def test_a_room_lives_on_when_somebody_comes_back_in_time() -> None:
    async with world() as w:
        w.sandbox.join("r", "alice")
        w.sandbox.leave("r", "alice")
        await w.clock.sleep(15)
        w.sandbox.join("r", "bob")
        await w.clock.sleep(600)
        sid = w.sandbox.rooms["r"].sid
        w.sandbox.leave("r", "bob")
        await w.clock.sleep(19)
        assert w.sandbox.rooms["r"].sid == sid
        await w.clock.sleep(2)
        assert "r" not in w.sandbox.rooms


async def test_the_same_name_later_is_another_room() -> None:
    async with world() as w:
        first = w.sandbox.create_room("r")
        w.sandbox.delete_room("r")
        assert w.sandbox.create_room("r").sid != first.sid


async def test_creating_a_room_that_exists_ignores_metadata_and_agents_and_updating_it_does_not() -> None:
    async with world() as w:
        w.sandbox.create_room("r", metadata="first")
        again = w.sandbox.create_room("r", metadata="second", agents=[AgentRequest("mary")])
        assert again.metadata == "first"
        assert [d.agent_name for d in await w.sandbox.list_dispatch("r")] == [""]
        assert (await w.sandbox.update_room_metadata("r", "third")).metadata == "third"
        assert w.sandbox.rooms["r"].metadata == "third"


async def test_agents_of_a_token_count_only_when_the_join_opens_the_room() -> None:
    async with world() as w:
        w.sandbox.join("new", "alice", agents=[AgentRequest("mary", "m", {"k": "v"})])
        [dispatch] = await w.sandbox.list_dispatch("new")
        assert (dispatch.agent_name, dispatch.metadata, dispatch.attributes) == ("mary", "m", {"k": "v"})
        w.sandbox.join("new", "bob", agents=[AgentRequest("tom")])
        assert len(await w.sandbox.list_dispatch("new")) == 1


async def test_a_room_without_agents_lists_one_dispatch_without_a_name_workers_or_not() -> None:
    async with world() as w:
        w.sandbox.create_room("r")
        [dispatch] = await w.sandbox.list_dispatch("r")
        assert (dispatch.agent_name, dispatch.jobs) == ("", ())


async def test_workers_without_a_name_serve_the_rooms_made_without_agents() -> None:
    async with world() as w:
        await w.worker("")
        w.sandbox.create_room("r")
        await w.clock.sleep(1)
        assert [agent.agent_name for agent in w.sandbox.living_agents("r")] == [""]


async def test_create_dispatch_opens_a_missing_room_without_metadata() -> None:
    async with world() as w:
        await w.sandbox.create_dispatch("r", "mary", "for the agent only")
        assert w.sandbox.rooms["r"].metadata == ""
        await w.until(lambda: w.events == ["room_started"], "the webhook comes")
        assert sorted(d.agent_name for d in await w.sandbox.list_dispatch("r")) == ["", "mary"]


async def test_a_room_may_have_no_name() -> None:
    async with world() as w:
        await w.sandbox.create_dispatch("", "mary")
        assert [room.name for room in await w.sandbox.list_rooms()] == [""]


async def test_participants_of_a_missing_room_are_nobody_at_once() -> None:
    async with world() as w:
        assert await w.sandbox.list_participants("nowhere") == []
        assert w.clock.monotonic() == pytest.approx(0.001)


async def test_rooms_are_listed_by_name_or_all_and_agents_are_not_counted() -> None:
    async with world() as w:
        await w.worker()
        w.sandbox.join("a", "alice")
        w.sandbox.create_room("b")
        await w.agent_in("a")
        assert [(r.name, r.num_participants) for r in await w.sandbox.list_rooms(["a", "nowhere"])] == [("a", 1)]
        assert [r.name for r in await w.sandbox.list_rooms()] == ["elsewhere", "a", "b"]


async def test_deleting_a_room_throws_everybody_out_and_a_missing_one_is_not_found() -> None:
    async with world() as w:
        w.sandbox.join("r", "alice")
        await w.sandbox.delete_room_call("r")
        await w.until(lambda: w.events[-1] == "room_finished", "the room is finished")
        left = w.received[-2][1].participant
        assert left is not None
        assert left.disconnect_reason == "ROOM_DELETED"
        with pytest.raises(ApiError) as refused:
            await w.sandbox.delete_room_call("r")
        assert (refused.value.status, refused.value.code) == (404, "not_found")


async def test_a_removed_participant_is_gone_at_once_and_an_unknown_one_is_not_found() -> None:
    async with world() as w:
        w.sandbox.join("r", "alice")
        await w.sandbox.remove_participant("r", "alice")
        assert await w.identities("r") == []
        left = w.received[-1][1].participant
        assert left is not None
        assert (left.state, left.disconnect_reason) == ("DISCONNECTED", "PARTICIPANT_REMOVED")
        for room in ("r", "nowhere"):
            with pytest.raises(ApiError) as refused:
                await w.sandbox.remove_participant(room, "alice")
            assert (refused.value.status, refused.value.code) == (404, "not_found")


async def test_the_same_identity_again_throws_the_first_one_out() -> None:
    async with world() as w:
        first = w.sandbox.join("r", "alice")
        second = w.sandbox.join("r", "alice")
        assert first.sid != second.sid
        await w.until(lambda: len(w.events) == 4, "all is told")
        left = w.received[2][1].participant
        assert left is not None
        assert (left.sid, left.disconnect_reason) == (first.sid, "DUPLICATE_IDENTITY")
        assert [p.sid for p in await w.sandbox.list_participants("r")] == [second.sid]


async def test_an_agent_that_is_late_for_its_room_opens_another_one_of_that_name() -> None:
    async with world() as w:
        await w.worker()
        first = w.sandbox.create_room("r", agents=[AgentRequest("mary")])
        await w.clock.sleep(0.22)
        w.sandbox.delete_room("r")
        await w.until(lambda: bool(w.sandbox.living_agents("r")), "the agent joins all the same")
        assert w.sandbox.rooms["r"].sid != first.sid
