"""The server killed and started again: with nothing in memory, or with ghosts in its store."""

from __future__ import annotations

import pytest

from orchestrator.sandbox.model import AgentRequest, ApiError
from tests.unit.sandbox.world import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


async def with_a_ghost(w: World) -> str:
    """Room r, of which a killed server has left alice and an agent: the agent's identity."""
    await w.worker()
    w.sandbox.join("r", "alice")
    agent = await w.agent_in("r")
    w.received.clear()
    w.sandbox.restart(keeps_state=True, down=1.0)
    await w.clock.sleep(1.5)
    return agent.identity


async def test_while_it_is_down_nobody_answers() -> None:
    async with world() as w:
        w.sandbox.restart(keeps_state=False, down=2.0)
        with pytest.raises(ApiError) as refused:
            await w.sandbox.list_rooms()
        assert refused.value.status == 0
        with pytest.raises(ApiError):
            w.sandbox.join("r", "alice")
        await w.clock.sleep(2.1)
        assert await w.sandbox.list_rooms() == []


async def test_a_call_that_is_under_way_when_it_is_killed_gets_no_answer() -> None:
    async with world() as w:
        question = w.tasks.spawn("question", w.pulse("nowhere", "nobody"))
        await w.clock.sleep(1)
        w.sandbox.restart(keeps_state=False, down=0.5)
        assert (await question)[0] == 0


async def test_without_a_store_rooms_are_gone_and_no_webhook_says_so() -> None:
    async with world() as w:
        await w.worker()
        w.sandbox.join("r", "alice")
        await w.agent_in("r")
        told = len(w.events)
        w.sandbox.restart(keeps_state=False, down=1.0)
        await w.clock.sleep(400)
        assert dict(w.sandbox.rooms) == {}
        assert w.sandbox.living_agents("r") == []
        assert len(w.events) == told


async def test_what_waited_in_the_webhook_queues_is_lost() -> None:
    async with world() as w:
        w.status = 0
        w.sandbox.join("r", "alice")
        await w.clock.sleep(0.5)
        w.sandbox.restart(keeps_state=True, down=0.1)
        w.status = 200
        w.received.clear()
        await w.clock.sleep(60)
        assert w.received == []


async def test_its_workers_find_it_again() -> None:
    async with world() as w:
        worker = await w.worker()
        await w.agent_in("r")
        w.sandbox.restart(keeps_state=False, down=1.0)
        assert worker.agents == {}
        await w.until(lambda: worker.registered, "the worker has registered again")
        await w.agent_in("s")


async def test_with_a_store_room_and_participants_stay_listed_for_good() -> None:
    async with world() as w:
        sid = w.sandbox.create_room("r").sid
        agent = await with_a_ghost(w)
        await w.clock.sleep(3600)
        assert [(room.sid, room.name) for room in await w.sandbox.list_rooms(["r"])] == [(sid, "r")]
        assert await w.identities("r") == ["alice", agent]
        assert (await w.the_agent("r")).state == "ACTIVE"
        assert w.sandbox.living_agents("r") == []
        assert w.received == []


async def test_nobody_answers_for_a_ghost() -> None:
    async with world() as w:
        agent = await with_a_ghost(w)
        for call in (
            w.sandbox.list_dispatch("r"),
            w.sandbox.remove_participant("r", agent),
            w.sandbox.perform_rpc("r", agent, "m", "", 1.5),
            w.sandbox.update_room_metadata("r", "m"),
        ):
            begun = w.clock.monotonic()
            with pytest.raises(ApiError, match="no response from servers"):
                await call
            assert w.clock.monotonic() - begun == pytest.approx(3.0, abs=0.01)


async def test_a_dispatch_brings_the_room_back_under_its_sid_and_the_ghosts_stay_listed() -> None:
    async with world() as w:
        w.sandbox.create_room("r", agents=[AgentRequest("tom")])
        agent = await with_a_ghost(w)
        sid = w.sandbox.rooms["r"].sid
        dispatch = await w.sandbox.create_dispatch("r", "mary")
        assert w.sandbox.rooms["r"].sid == sid
        assert await w.identities("r") == ["alice", agent]
        assert [d.agent_name for d in await w.sandbox.list_dispatch("r")] == ["tom", "mary"]
        assert dispatch.id in {d.id for d in await w.sandbox.list_dispatch("r")}
        assert w.events == ["room_started"]
        assert w.received[0][1].room.sid == sid
        assert (await w.pulse("r", agent))[0] == 503


async def test_whoever_comes_back_finds_an_agent_beside_the_ghost() -> None:
    async with world() as w:
        ghost = await with_a_ghost(w)
        await w.clock.sleep(3)
        w.sandbox.join("r", "alice")
        await w.sandbox.create_dispatch("r", "mary")
        await w.until(lambda: bool(w.sandbox.living_agents("r")), "a new agent is there")
        [agent] = w.sandbox.living_agents("r")
        assert sorted(await w.identities("r")) == sorted(["alice", ghost, agent.identity])
        assert (await w.pulse("r", agent.identity))[0] == 400


async def test_deleting_the_room_clears_the_ghosts() -> None:
    async with world() as w:
        await with_a_ghost(w)
        await w.sandbox.delete_room_call("r")
        await w.until(lambda: w.events == ["room_started", "room_finished"], "it is brought back to be ended")
        assert await w.sandbox.list_rooms(["r"]) == []
        assert await w.identities("r") == []


async def test_a_room_that_came_back_ends_like_any_other() -> None:
    async with world() as w:
        await with_a_ghost(w)
        w.sandbox.join("r", "bob")
        w.sandbox.leave("r", "bob")
        await w.clock.sleep(21)
        assert "r" not in w.sandbox.rooms
        assert w.events[-1] == "room_finished"
