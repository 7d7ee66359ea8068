"""Dispatches and jobs: what LiveKit answers, what it lists, and what really comes of it."""

from __future__ import annotations

import pytest

from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.model import AgentRequest, ApiError, Job
from orchestrator.sandbox.timing import Timing
from orchestrator.sandbox.workers import Behaviour
from tests.unit.sandbox.world import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]


async def jobs(world: World, room: str = "r") -> list[Job]:
    return [job for dispatch in await world.sandbox.list_dispatch(room) if dispatch.agent_name for job in dispatch.jobs]


async def test_create_dispatch_answers_before_any_worker_is_asked() -> None:
    async with world() as w:
        worker = await w.worker()
        dispatch = await w.sandbox.create_dispatch("r", "mary", "m", {"k": "v"})
        assert (dispatch.agent_name, dispatch.metadata, dispatch.jobs, worker.agents) == ("mary", "m", (), {})
        took = await w.until(lambda: bool(worker.agents), "the agent is in its room")
        assert took == pytest.approx(0.27, abs=0.03)


async def test_without_a_worker_it_answers_all_the_same_and_lists_no_job_for_ever() -> None:
    async with world() as w:
        await w.sandbox.create_dispatch("r", "mary")
        await w.worker()
        await w.clock.sleep(60)
        assert await jobs(w) == []
        assert w.sandbox.living_agents("r") == []


async def test_warm_a_job_is_listed_with_its_workers_answer() -> None:
    async with world() as w:
        await w.worker()
        await w.sandbox.create_dispatch("r", "mary")
        await w.clock.sleep(0.19)
        assert await jobs(w) == []
        await w.clock.sleep(0.02)
        [job] = await jobs(w)
        assert (job.status, job.participant_identity) == ("JS_RUNNING", f"agent-{job.id}")


async def test_cold_a_job_is_listed_five_seconds_late_although_its_agent_is_there() -> None:
    async with world() as w:
        await w.worker()
        await w.clock.sleep(60)
        await w.agent_in("r")
        await w.clock.sleep(4.6)
        assert await jobs(w) == []
        await w.clock.sleep(0.2)
        assert len(await jobs(w)) == 1


async def test_the_first_worker_of_a_name_empties_the_memory_of_names_and_a_second_one_does_not() -> None:
    async with world() as w:
        await w.worker("mary")
        await w.worker("tom")
        second = w.sandbox.start_worker("tom")
        await w.until(lambda: second.registered, "the second worker has registered")
        await w.agent_in("r")
        assert len(await jobs(w)) == 1
        first = w.sandbox.start_worker("ann")
        await w.until(lambda: first.registered, "the first worker of another name has registered")
        await w.agent_in("s")
        assert await jobs(w, "s") == []


async def test_an_answer_after_three_seconds_loses_the_job_and_its_agent_never_starts() -> None:
    async with world() as w:
        worker = await w.worker(behaviour=Behaviour(answer_after=3.1))
        await w.sandbox.create_dispatch("r", "mary")
        await w.clock.sleep(60)
        assert await jobs(w) == []
        assert worker.agents == {}


async def test_an_agent_whose_job_missed_the_rpc_by_a_hair_joins_in_no_list_of_jobs() -> None:
    async with world(faults=Faults(late_joiners=1.0)) as w:
        await w.worker()
        await w.sandbox.create_dispatch("r", "mary")
        took = await w.until(lambda: bool(w.sandbox.living_agents("r")), "the agent joins late")
        assert 3 <= took <= 21
        assert await jobs(w) == []


async def test_a_lost_dispatch_answers_like_any_other() -> None:
    async with world(faults=Faults(drop_dispatch=1.0)) as w:
        await w.worker()
        assert (await w.sandbox.create_dispatch("r", "mary")).id.startswith("AD_")
        await w.clock.sleep(60)
        assert await jobs(w) == []
        assert w.sandbox.living_agents("r") == []


async def test_of_two_dispatches_two_milliseconds_apart_in_one_room_the_second_may_be_lost() -> None:
    async with world(timing=Timing(twin_loss=1.0)) as w:
        await w.worker()
        await w.sandbox.create_dispatch("r", "mary")
        await w.sandbox.create_dispatch("r", "mary")
        await w.sandbox.create_dispatch("s", "mary")
        await w.clock.sleep(10)
        assert len(w.sandbox.living_agents("r")) == 1
        assert len(w.sandbox.living_agents("s")) == 1


async def test_each_dispatch_adds_an_agent() -> None:
    async with world() as w:
        await w.worker()
        await w.agent_in("r")
        await w.sandbox.create_dispatch("r", "mary")
        await w.clock.sleep(1)
        assert len(w.sandbox.living_agents("r")) == 2


async def test_a_full_worker_gets_no_more_jobs_until_one_of_its_agents_is_gone() -> None:
    async with world() as w:
        worker = await w.worker(capacity=2)
        for room in ("a", "b", "c"):
            await w.sandbox.create_dispatch(room, "mary")
            await w.clock.sleep(1)
        assert [len(w.sandbox.living_agents(room)) for room in ("a", "b", "c")] == [1, 1, 0]
        next(iter(worker.agents.values())).leave()
        await w.agent_in("d")


async def test_a_burst_is_more_than_a_worker_takes_and_the_rest_is_lost_in_silence() -> None:
    async with world() as w:
        await w.worker(capacity=500)
        rooms = [f"r{n}" for n in range(50)]
        for room in rooms:
            w.sandbox.create_room(room, agents=[AgentRequest("mary")])
        await w.clock.sleep(30)
        assert sum(len(w.sandbox.living_agents(room)) for room in rooms) == 20
        for room in rooms[:15]:
            w.sandbox.delete_room(room)
            w.sandbox.create_room(room, agents=[AgentRequest("mary")])
        await w.clock.sleep(1)
        assert sum(len(w.sandbox.living_agents(room)) for room in rooms[:15]) == 15


async def test_jobs_go_to_the_workers_that_have_room() -> None:
    async with world() as w:
        full, idle = await w.worker(capacity=1), await w.worker(capacity=50)
        for n in range(20):
            await w.agent_in(f"r{n}")
        assert len(full.agents) + len(idle.agents) == 20
        assert len(full.agents) == 1


async def test_a_refusal_that_terminates_reads_as_a_success_without_identity() -> None:
    async with world() as w:
        await w.worker(behaviour=Behaviour(refuses="terminate"))
        await w.sandbox.create_dispatch("r", "mary")
        await w.clock.sleep(1)
        [job] = await jobs(w)
        assert (job.status, job.participant_identity) == ("JS_SUCCESS", "")


async def test_a_refusal_that_does_not_terminate_goes_on_to_the_next_worker_or_lists_nothing() -> None:
    async with world() as w:
        await w.worker(behaviour=Behaviour(refuses="keep"))
        await w.sandbox.create_dispatch("r", "mary")
        await w.clock.sleep(10)
        assert await jobs(w) == []
        willing = await w.worker()
        await w.agent_in("s")
        assert len(willing.agents) == 1


async def test_a_job_that_crashes_before_it_joins_reads_as_running_for_ever() -> None:
    async with world() as w:
        await w.worker(behaviour=Behaviour(crashes="before_join"))
        await w.sandbox.create_dispatch("r", "mary")
        await w.clock.sleep(100)
        [job] = await jobs(w)
        assert (job.status, job.participant_identity) == ("JS_RUNNING", f"agent-{job.id}")
        assert await w.identities("r") == []


async def test_a_behaviour_may_differ_from_job_to_job() -> None:
    async with world() as w:
        await w.worker(behaviour=Behaviour(refuses=lambda job: "terminate" if job.metadata == "no" else ""))
        await w.sandbox.create_dispatch("r", "mary", "no")
        await w.sandbox.create_dispatch("s", "mary", "yes")
        await w.clock.sleep(1)
        assert w.sandbox.living_agents("r") == []
        assert len(w.sandbox.living_agents("s")) == 1


async def test_an_agent_carries_its_name_its_kind_and_the_identity_that_its_worker_chose() -> None:
    async with world() as w:
        await w.worker(behaviour=Behaviour(identity="mary-1"))
        agent = await w.agent_in("r")
        assert (agent.identity, agent.kind, agent.state) == ("mary-1", "AGENT", "ACTIVE")
        assert agent.attributes == {"lk.agent_name": "mary", "lk.agent.name": "mary"}
        assert (await jobs(w))[0].participant_identity == "mary-1"
        await w.worker("old", behaviour=Behaviour(joins_without_attributes=True))
        assert (await w.agent_in("s", "old")).attributes == {}


async def test_a_deleted_dispatch_is_off_the_list_at_once_and_its_agent_says_goodbye_four_seconds_later() -> None:
    async with world() as w:
        await w.worker()
        agent = await w.agent_in("r")
        [dispatch] = [d for d in await w.sandbox.list_dispatch("r") if d.agent_name]
        begun = w.clock.monotonic()
        await w.sandbox.delete_dispatch("r", dispatch.id)
        assert w.clock.monotonic() - begun == pytest.approx(0.001)
        assert dispatch.id not in {d.id for d in await w.sandbox.list_dispatch("r")}
        await w.clock.sleep(3.9)
        assert (await w.the_agent("r")).state == "ACTIVE"
        await w.clock.sleep(0.2)
        assert await w.identities("r") == []
        left = w.received[-1][1].participant
        assert left is not None
        assert (left.identity, left.disconnect_reason) == (agent.identity, "CLIENT_INITIATED")


async def test_an_agent_that_does_not_react_to_the_deletion_is_removed_if_its_worker_still_has_the_job() -> None:
    async with world() as w:
        worker = await w.worker()
        for room in ("stopped", "killed"):
            await w.agent_in(room)
        stopped = (await w.the_agent("stopped")).identity
        w.sandbox.agent("stopped", stopped).freeze(None)
        [dispatch] = [d for d in await w.sandbox.list_dispatch("stopped") if d.agent_name]
        await w.sandbox.delete_dispatch("stopped", dispatch.id)
        await w.clock.sleep(3.1)
        assert await w.identities("stopped") == []
        worker.kill()
        [dispatch] = [d for d in await w.sandbox.list_dispatch("killed") if d.agent_name]
        await w.sandbox.delete_dispatch("killed", dispatch.id)
        await w.clock.sleep(10)
        assert len(await w.identities("killed")) == 1


async def test_a_job_that_waits_for_its_process_joins_after_its_dispatch_was_deleted_in_no_list() -> None:
    async with world() as w:
        await w.worker(behaviour=Behaviour(start_after=8.0))
        dispatch = await w.sandbox.create_dispatch("r", "mary")
        await w.clock.sleep(3)
        await w.sandbox.delete_dispatch("r", dispatch.id)
        assert await w.identities("r") == []
        await w.until(lambda: bool(w.sandbox.living_agents("r")), "the agent joins all the same")
        await w.clock.sleep(60)
        assert len(w.sandbox.living_agents("r")) == 1
        assert [d.agent_name for d in await w.sandbox.list_dispatch("r")] == [""]


async def test_a_dispatch_deleted_while_the_names_are_collected_ends_its_agent_when_its_job_is_known() -> None:
    async with world() as w:
        await w.worker()
        await w.clock.sleep(60)
        dispatch = await w.sandbox.create_dispatch("r", "mary")
        await w.clock.sleep(1)
        await w.sandbox.delete_dispatch("r", dispatch.id)
        await w.clock.sleep(7.5)
        assert len(w.sandbox.living_agents("r")) == 1
        await w.clock.sleep(1)
        assert w.sandbox.living_agents("r") == []


async def test_an_unknown_dispatch_is_not_found() -> None:
    async with world() as w:
        w.sandbox.create_room("r")
        with pytest.raises(ApiError) as refused:
            await w.sandbox.delete_dispatch("r", "AD_unknown")
        assert (refused.value.status, refused.value.code) == (404, "not_found")


async def test_dispatches_of_a_missing_room_hang_three_seconds_and_are_unavailable() -> None:
    async with world() as w:
        for call in (w.sandbox.list_dispatch("nowhere"), w.sandbox.delete_dispatch("nowhere", "AD_1")):
            begun = w.clock.monotonic()
            with pytest.raises(ApiError, match="no response from servers") as refused:
                await call
            assert (refused.value.status, refused.value.code) == (503, "unavailable")
            assert w.clock.monotonic() - begun == pytest.approx(3.0, abs=0.01)


async def test_metadata_beyond_the_limit_is_refused() -> None:
    async with world() as w:
        with pytest.raises(ApiError) as refused:
            await w.sandbox.create_dispatch("r", "mary", "x" * (512 * 1024 + 1))
        assert refused.value.status == 400
        assert "r" not in w.sandbox.rooms
