"""Agents that die, stop, leave or answer: what LiveKit shows of it, and what a question tells."""

from __future__ import annotations

import pytest

from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.workers import Behaviour
from tests.unit.sandbox.world import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


def last_reason(world: World) -> str:
    participant = world.received[-1][1].participant
    assert participant is not None
    return f"{world.received[-1][1].event} {participant.disconnect_reason}"


async def test_a_killed_agent_is_listed_as_active_for_twenty_one_seconds() -> None:
    async with world() as w:
        worker = await w.worker()
        agent = await w.agent_in("r")
        w.sandbox.agent("r", agent.identity).kill()
        assert w.sandbox.living_agents("r") == []
        await w.clock.sleep(21.3)
        assert (await w.the_agent("r")).state == "ACTIVE"
        await w.clock.sleep(0.2)
        assert await w.identities("r") == []
        assert last_reason(w) == "participant_left CONNECTION_TIMEOUT"
        [job] = next(d for d in await w.sandbox.list_dispatch("r") if d.agent_name).jobs
        assert job.status == "JS_RUNNING"
        assert worker.alive


async def test_a_killed_worker_takes_its_agents_with_it_and_nobody_replaces_them() -> None:
    async with world() as w:
        worker = await w.worker()
        await w.agent_in("a")
        await w.agent_in("b")
        worker.kill()
        assert w.sandbox.living_agents("a") + w.sandbox.living_agents("b") == []
        assert (await w.the_agent("a")).state == (await w.the_agent("b")).state == "ACTIVE"
        await w.clock.sleep(21.5)
        assert await w.identities("a") + await w.identities("b") == []
        await w.sandbox.create_dispatch("a", "mary")
        await w.clock.sleep(10)
        assert await w.identities("a") == []


async def test_a_worker_that_is_shut_down_says_goodbye_for_its_agents() -> None:
    async with world() as w:
        worker = await w.worker()
        await w.agent_in("r")
        worker.drain()
        assert await w.identities("r") == []
        assert last_reason(w) == "participant_left CLIENT_INITIATED"
        assert not worker.alive


async def test_a_worker_registers_five_to_nine_seconds_after_its_start() -> None:
    async with world() as w:
        worker = w.sandbox.start_worker("mary")
        assert 5 <= await w.until(lambda: worker.registered, "it registers") <= 9.01


async def test_a_stock_agent_that_knows_nothing_of_us_answers_so_and_lives() -> None:
    async with world() as w:
        await w.worker()
        agent = await w.agent_in("r")
        status, message, took = await w.pulse("r", agent.identity)
        assert (status, message) == (400, "twirp error unknown: RpcError 1400: Method not supported at destination")
        assert took < 0.005


async def test_an_agent_that_has_registered_the_method_answers_200() -> None:
    async with world() as w:
        await w.worker(behaviour=Behaviour(knows_pulse=True))
        agent = await w.agent_in("r")
        assert (await w.pulse("r", agent.identity))[0] == 200


async def test_a_person_answers_as_any_client_does() -> None:
    async with world() as w:
        w.sandbox.join("r", "alice")
        assert (await w.pulse("r", "alice"))[0] == 400


async def test_a_killed_agent_does_not_answer_until_the_time_is_up() -> None:
    async with world() as w:
        await w.worker()
        agent = await w.agent_in("r")
        w.sandbox.agent("r", agent.identity).kill()
        status, message, took = await w.pulse("r", agent.identity, timeout=1.5)
        assert (status, message) == (408, "twirp error unknown: RpcError 1502: Response timeout")
        assert took == pytest.approx(1.5, abs=0.01)


async def test_whoever_is_not_there_is_unavailable_after_three_seconds() -> None:
    async with world() as w:
        w.sandbox.create_room("r")
        for room in ("r", "nowhere"):
            status, message, took = await w.pulse(room, "agent-AJ_1")
            assert (status, message) == (503, "twirp error unknown: no response from servers")
            assert took == pytest.approx(3.0, abs=0.01)


async def test_an_agent_that_is_still_joining_has_no_data_channel_and_an_aborted_one_never_joined() -> None:
    async with world() as w:
        await w.worker()
        await w.sandbox.create_dispatch("r", "mary")
        await w.clock.sleep(0.255)
        agent = await w.the_agent("r")
        assert agent.state == "JOINING"
        assert (await w.pulse("r", agent.identity))[:2] == (500, "twirp error unknown: data channel is not available")
        await w.sandbox.remove_participant("r", agent.identity)
        await w.clock.sleep(1)
        assert [e.split()[0] for e in w.events][-2:] == ["room_started", "participant_connection_aborted"]


async def test_an_agent_frozen_for_three_seconds_is_silent_for_so_long_and_stays() -> None:
    async with world() as w:
        await w.worker()
        agent = await w.agent_in("r")
        frozen = w.sandbox.agent("r", agent.identity)
        frozen.freeze(3.0)
        assert (await w.pulse("r", agent.identity))[0] == 408
        status, _, took = await w.pulse("r", agent.identity)
        assert status == 400
        assert took == pytest.approx(1.5, abs=0.01)
        await w.clock.sleep(60)
        assert w.sandbox.living_agents("r") == [frozen]


async def test_an_agent_frozen_for_good_is_dropped_after_twenty_one_seconds() -> None:
    async with world() as w:
        await w.worker()
        agent = await w.agent_in("r")
        w.sandbox.agent("r", agent.identity).freeze(None)
        await w.clock.sleep(21.3)
        assert (await w.the_agent("r")).state == "ACTIVE"
        await w.clock.sleep(0.2)
        assert last_reason(w) == "participant_left CONNECTION_TIMEOUT"


async def test_an_agent_that_crashes_as_it_joins_is_listed_and_silent() -> None:
    async with world() as w:
        await w.worker(behaviour=Behaviour(crashes="after_join"))
        await w.sandbox.create_dispatch("r", "mary")
        await w.clock.sleep(1)
        agent = await w.the_agent("r")
        assert agent.state == "ACTIVE"
        assert w.sandbox.living_agents("r") == []
        assert (await w.pulse("r", agent.identity))[0] == 408


async def test_an_agent_may_leave_soon_after_it_joined() -> None:
    async with world() as w:
        await w.worker(behaviour=Behaviour(leaves_after=2.0))
        await w.agent_in("r")
        await w.clock.sleep(2.1)
        assert last_reason(w) == "participant_left CLIENT_INITIATED"


async def test_what_an_agent_says_of_itself_is_listed_and_told_when_it_leaves_only() -> None:
    async with world() as w:
        await w.worker()
        agent = w.sandbox.agent("r", (await w.agent_in("r")).identity)
        told = len(w.events)
        agent.set_ready()
        agent.declare_done()
        assert {"rollcall.ready": "true", "rollcall.done": "true"}.items() <= (await w.the_agent("r")).attributes.items()
        assert len(w.events) == told
        agent.leave("AGENT_ERROR")
        await w.until(lambda: len(w.events) > told, "its leaving is told")
        assert last_reason(w) == "participant_left AGENT_ERROR"
        left = w.received[-1][1].participant
        assert left is not None
        assert left.attributes["rollcall.done"] == "true"


async def test_a_server_without_perform_rpc_says_that_it_has_no_such_route() -> None:
    async with world(faults=Faults(no_perform_rpc=True)) as w:
        w.sandbox.join("r", "alice")
        status, message, _ = await w.pulse("r", "alice")
        assert (status, message) == (404, 'no handler for path "/twirp/livekit.RoomService/PerformRpc"')


async def test_a_server_may_fail_or_be_slow_at_asking_while_all_agents_live() -> None:
    async with world() as w:
        w.sandbox.join("r", "alice")
        w.sandbox.faults = Faults(pulse_unavailable=True)
        assert (await w.pulse("r", "alice"))[0] == 503
        w.sandbox.faults = Faults(pulse_slow=2.0)
        status, _, took = await w.pulse("r", "alice")
        assert status == 400
        assert took == pytest.approx(2.0, abs=0.01)
