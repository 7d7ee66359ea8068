"""The runtime's port over a sandbox: the same answers, errors and timeouts as over HTTP."""

from __future__ import annotations

import pytest

from orchestrator.core.facts import CandidateSpec, JobStatus
from orchestrator.core.proof import Key
from orchestrator.runtime.ports import (
    LiveKit,
    LiveKitRejectedCredentials,
    LiveKitRejectedRequest,
    LiveKitUnavailable,
    NotFound,
    Pulse,
)
from orchestrator.sandbox.direct import DirectLiveKit
from orchestrator.sandbox.faults import Faults
from orchestrator.sandbox.workers import Behaviour
from tests.unit.sandbox.world import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

KEY = Key("RM_1", "p1", 1, "attempt-1")


def port(w: World, replica: str = "r1") -> LiveKit:
    return DirectLiveKit(w.sandbox, w.clock, replica=replica)


async def test_rooms_participants_and_dispatches_are_listed_as_the_runtime_knows_them() -> None:
    async with world() as w:
        await w.worker(behaviour=Behaviour(knows_pulse=True))
        livekit = port(w)
        created = w.sandbox.create_room("r", metadata="m")
        w.sandbox.join("r", "alice")
        dispatch_id = await livekit.create_dispatch("r", CandidateSpec("mary", "{}"), KEY)
        await w.until(lambda: bool(w.sandbox.living_agents("r")), "the agent is there")
        room = await livekit.room("r")
        assert room is not None
        assert (room.sid, room.metadata, room.num_participants) == (created.sid, "m", 1)
        assert room in await livekit.rooms()
        assert await livekit.room("nowhere") is None
        alice, agent = await livekit.participants("r")
        assert (alice.is_person, alice.is_agent, alice.active) == (True, False, True)
        assert (agent.is_person, agent.is_agent, agent.agent_name) == (False, True, "mary")
        [listed] = [d for d in await livekit.dispatches("r") if d.agent_name]
        assert (listed.dispatch_id, listed.key) == (dispatch_id, KEY)
        assert [(job.status, job.identity) for job in listed.jobs] == [(JobStatus.RUNNING, agent.identity)]
        assert (await livekit.pulse("r", agent.identity, timeout=1.5)).pulse is Pulse.ALIVE


async def test_a_room_is_made_once_and_keeps_its_metadata_until_that_is_updated() -> None:
    async with world() as w:
        livekit = port(w)
        made = await livekit.create_room("r", metadata="m", agents=[CandidateSpec("mary", "{}", attributes=(("a", "b"),))])
        assert (made.name, made.metadata) == ("r", "m")
        assert [dispatch.agent_name for dispatch in await livekit.dispatches("r")] == ["mary"]
        again = await livekit.create_room("r", metadata="n", agents=[CandidateSpec("tom")])
        assert again == made
        assert [dispatch.agent_name for dispatch in await livekit.dispatches("r")] == ["mary"]
        assert (await livekit.update_room_metadata("r", "n")).metadata == "n"
        with pytest.raises(NotFound):
            await livekit.update_room_metadata("nowhere", "n")


async def test_what_is_gone_is_not_found() -> None:
    async with world() as w:
        livekit = port(w)
        w.sandbox.create_room("r")
        for call in (
            livekit.delete_dispatch("r", "AD_1"),
            livekit.remove_participant("r", "agent-AJ_1"),
            livekit.delete_room("nowhere"),
        ):
            with pytest.raises(NotFound):
                await call


async def test_what_is_there_can_be_removed() -> None:
    async with world() as w:
        livekit = port(w)
        dispatch_id = await livekit.create_dispatch("r", CandidateSpec("mary", "{}"), KEY)
        await livekit.delete_dispatch("r", dispatch_id)
        w.sandbox.join("r", "alice")
        await livekit.remove_participant("r", "alice")
        assert await livekit.participants("r") == ()
        await livekit.delete_room("r")
        assert await livekit.rooms() == ()


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        (Faults(rejects_credentials=True), LiveKitRejectedCredentials),
        (Faults(api_error=1.0), LiveKitUnavailable),
        (Faults(api_hang=1.0), LiveKitUnavailable),
        (Faults(lost_reply=1.0), LiveKitUnavailable),
    ],
)
async def test_failures_are_the_ports_errors(faults: Faults, error: type[Exception]) -> None:
    async with world(faults=faults) as w:
        with pytest.raises(error):
            await port(w).rooms()


async def test_a_refused_request_and_a_server_that_is_down_are_the_ports_errors_too() -> None:
    async with world() as w:
        with pytest.raises(LiveKitRejectedRequest):
            await port(w).create_dispatch("r", CandidateSpec("mary", "x" * 600_000), KEY)
        w.sandbox.restart(keeps_state=False, down=10)
        with pytest.raises(LiveKitUnavailable):
            await port(w).rooms()
        assert (await port(w).pulse("r", "alice", timeout=1.5)).pulse is Pulse.UNKNOWN


async def test_a_call_is_given_up_after_five_seconds() -> None:
    async with world(faults=Faults(api_hang=1.0)) as w:
        with pytest.raises(LiveKitUnavailable):
            await port(w).rooms()
        assert w.clock.monotonic() == pytest.approx(5.0)
        assert (await port(w).pulse("r", "alice", timeout=1.5)).pulse is Pulse.UNKNOWN
        assert w.clock.monotonic() == pytest.approx(9.0)


async def test_the_ports_pulse_tells_life_silence_and_absence_apart() -> None:
    async with world() as w:
        await w.worker()
        livekit = port(w)
        agent = (await w.agent_in("r")).identity
        assert (await livekit.pulse("r", agent, timeout=1.5)).pulse is Pulse.ALIVE
        w.sandbox.agent("r", agent).kill()
        silent = await livekit.pulse("r", agent, timeout=1.5)
        assert silent.pulse is Pulse.SILENT
        assert silent.rtt_ms == pytest.approx(1500, abs=10)
        assert (await livekit.pulse("r", "nobody", timeout=1.5)).pulse is Pulse.NOT_THERE
        w.sandbox.faults = Faults(api_error=1.0)
        assert {(await livekit.pulse("r", agent, timeout=1.5)).pulse for _ in range(20)} == {Pulse.UNKNOWN}
        w.sandbox.faults = Faults(no_perform_rpc=True)
        assert (await livekit.pulse("r", agent, timeout=1.5)).pulse is Pulse.UNSUPPORTED


async def test_one_replica_may_be_cut_off_while_others_are_not() -> None:
    async with world() as w:
        w.sandbox.unreachable.add("r1")
        with pytest.raises(LiveKitUnavailable):
            await port(w, "r1").create_dispatch("r", CandidateSpec("mary", "{}"), KEY)
        assert await port(w, "r2").rooms() == ()
        assert (await port(w, "r1").pulse("r", "alice", timeout=1.5)).pulse is Pulse.UNKNOWN
        w.sandbox.unreachable.discard("r1")
        assert await port(w, "r1").rooms() == ()


async def test_a_replica_that_is_cut_off_in_mid_call_does_not_learn_that_it_was_executed() -> None:
    async with world(faults=Faults(slow_api=1.0)) as w:
        call = w.tasks.spawn("call", port(w, "r1").create_dispatch("r", CandidateSpec("mary", "{}"), KEY))
        await w.clock.sleep(0.5)
        w.sandbox.unreachable.add("r1")
        await w.clock.sleep(5)
        assert isinstance(call.exception(), LiveKitUnavailable)
        assert "r" in w.sandbox.rooms
        w.crashes.clear()


async def test_each_429_is_counted() -> None:
    async with world(faults=Faults(api_error=1.0)) as w:
        throttled: list[None] = []
        livekit = DirectLiveKit(w.sandbox, w.clock, on_throttled=lambda: throttled.append(None))
        for _ in range(30):
            with pytest.raises(LiveKitUnavailable):
                await livekit.rooms()
        assert 0 < len(throttled) < 30
