"""The pulse: a dead agent is noticed long before LiveKit notices, and nobody else is ever taken for one."""

import json

import pytest

from orchestrator.core.causes import Cause
from orchestrator.core.listing import ListedDispatch, ListedRoom
from orchestrator.core.placement import PlacementState
from orchestrator.core.proof import Proof
from orchestrator.core.session import Session
from orchestrator.runtime.assembly import Times
from orchestrator.runtime.ports import LiveKitUnavailable, Pulse
from orchestrator.runtime.pulse import PulseTimes
from tests.fakes.livekit import FakeLiveKit, joins
from tests.unit.runtime.service import UNRECONCILED, Service, running, wants

pytestmark = [pytest.mark.looptime, pytest.mark.asyncio]

ROOM = "support-17"


async def call_in_progress(service: Service) -> str:
    """A person and an agent that has answered; the agent's identity."""
    service.livekit.worker = joins
    await service.start_room()
    await service.livekit.enter(ROOM, "alice")
    session = await service.until(ROOM, lambda s: s.placement("mary").proof is Proof.ANSWERING)
    await service.clock.sleep(20)
    return session.placement("mary").identity or ""


def replaced(first: str, session: Session) -> bool:
    placement = session.placement("mary")
    return placement.state is PlacementState.VERIFIED and placement.identity != first


async def test_an_agent_that_answers_no_more_is_noticed_within_ten_seconds_and_replaced_within_twelve() -> None:
    async with running(wants("mary")) as service:
        first = await call_in_progress(service)
        service.livekit.silent.add(first)
        session = await service.until(ROOM, lambda s: s.placement("mary").state is PlacementState.LOST, timeout=10.2)
        assert session.placement("mary").cause is Cause.SILENT
        await service.until(ROOM, lambda s: replaced(first, s), timeout=2)
        assert service.livekit.agents(ROOM) != [first]
        assert first not in service.livekit.agents(ROOM), "the silent one is out of the room"
        resumes = json.loads(service.livekit.metadata[-1])["rollcall"]["resumes"]
        assert resumes == {"attempt": 1, "cause": "silent", "identity": first}


async def test_a_freeze_of_three_seconds_costs_nobody_the_call() -> None:
    async with running(wants("mary")) as service:
        first = await call_in_progress(service)
        for _ in range(5):
            service.livekit.silent.add(first)
            await service.clock.sleep(3)
            service.livekit.silent.clear()
            await service.clock.sleep(3)
        assert service.livekit.agents(ROOM) == [first]
        assert service.livekit.calls.count("create_dispatch") == 1


@pytest.mark.parametrize("says", [Pulse.UNKNOWN, Pulse.NOT_THERE, Pulse.UNSUPPORTED])
async def test_whatever_the_server_says_for_itself_costs_no_agent_its_call(says: Pulse) -> None:
    async with running(wants("mary")) as service:
        first = await call_in_progress(service)
        service.livekit.says = says
        await service.clock.sleep(600)
        assert service.livekit.agents(ROOM) == [first]
        assert service.livekit.calls.count("create_dispatch") == 1


async def test_a_silence_that_the_server_interrupts_is_counted_anew() -> None:
    async with running(wants("mary")) as service:
        first = await call_in_progress(service)
        service.livekit.silent.add(first)
        for _ in range(20):
            await service.clock.sleep(5)
            service.livekit.says = Pulse.UNKNOWN
            await service.clock.sleep(3)
            service.livekit.says = None
        assert service.livekit.agents(ROOM) == [first]


async def test_nobody_is_declared_silent_while_livekit_does_not_answer_a_look() -> None:
    async with running(wants("mary")) as service:
        first = await call_in_progress(service)
        service.livekit.fails["participants"] = LiveKitUnavailable("503")
        service.livekit.silent.add(first)
        await service.clock.sleep(60)
        assert (await service.session()).placement("mary").state is PlacementState.VERIFIED
        service.livekit.fails.clear()
        await service.until(ROOM, lambda s: replaced(first, s), timeout=30)


async def test_an_agent_that_has_never_answered_is_believed() -> None:
    async with running(wants("mary")) as service:
        service.livekit.says = Pulse.SILENT
        service.livekit.worker = joins
        await service.start_room()
        await service.livekit.enter(ROOM, "alice")
        await service.clock.sleep(600)
        assert service.livekit.calls.count("create_dispatch") == 1


async def test_one_that_carries_our_key_itself_can_answer_and_is_silent_when_it_never_did() -> None:
    """Its loop was stuck before the first question came."""

    async def joins_with_key(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        job = await livekit.take_job(room, dispatch)
        livekit.silent.add(job.identity or "")
        await livekit.join(room, job.identity or "", dispatch.agent_name, key=dispatch.key)

    async with running(wants("mary")) as service:
        service.livekit.worker = joins_with_key
        await service.start_room()
        await service.livekit.enter(ROOM, "alice")
        session = await service.until(ROOM, lambda s: s.placement("mary").attempts_total > 1, timeout=10)
        assert session.placement("mary").attempts[0].cause is Cause.SILENT


async def test_a_server_that_knows_no_question_is_asked_once() -> None:
    async with running(wants("mary")) as service:
        service.livekit.says = Pulse.UNSUPPORTED
        service.livekit.worker = joins
        await service.start_room()
        await service.livekit.enter(ROOM, "alice")
        await service.clock.sleep(600)
        assert service.livekit.calls.count("pulse") == 1
        assert (await service.session()).placement("mary").proof is Proof.JOINED


async def test_without_a_period_an_agent_is_asked_until_it_has_answered_once() -> None:
    times = Times(pulse=PulseTimes(period=0.0), reconciler=UNRECONCILED)
    async with running(wants("mary"), times=times) as service:
        await call_in_progress(service)
        await service.clock.sleep(600)
        assert service.livekit.calls.count("pulse") == 1


async def test_nobody_is_asked_once_everybody_has_left() -> None:
    async with running(wants("mary")) as service:
        await call_in_progress(service)
        await service.livekit.hang_up(ROOM, "alice")
        await service.clock.sleep(3)
        asked = service.livekit.calls.count("pulse")
        await service.clock.sleep(600)
        assert service.livekit.calls.count("pulse") == asked


async def test_the_pulse_beats_every_three_seconds_and_the_session_shows_it() -> None:
    async with running(wants("mary")) as service:
        await call_in_progress(service)
        asked = len(service.livekit.asked)
        await service.clock.sleep(60)
        assert 20 <= len(service.livekit.asked) - asked <= 25
        (agent,) = (await service.session()).agents
        assert agent.answered_at is not None
        assert service.clock.now() - agent.answered_at <= 6


async def test_an_agent_whose_room_was_started_again_while_nobody_answers_for_it_went_with_its_node() -> None:
    async with running(wants("mary")) as service:
        first = await call_in_progress(service)
        opening = service.livekit.living[ROOM].room
        service.livekit.gone_with_their_node.add(first)
        service.livekit.fails["dispatches"] = LiveKitUnavailable("503")
        await service.clock.sleep(30)
        assert (await service.session()).placement("mary").state is PlacementState.VERIFIED, "undecided so far"
        service.livekit.fails.clear()
        await service.tell_started(opening)
        session = await service.until(ROOM, lambda s: replaced(first, s), timeout=20)
        assert session.placement("mary").attempts[0].cause is Cause.NODE_LOST
        await service.clock.sleep(120)
        assert "remove_participant" not in service.livekit.calls, "nobody is there to be removed"
        assert (await service.session()).placement("mary").attempts_total == 2
        assert replaced(first, await service.session()), "what is left of the first one is never taken for an agent"


async def test_an_agent_whose_dispatch_another_node_does_not_know_went_with_its_node() -> None:
    async with running(wants("mary")) as service:
        first = await call_in_progress(service)
        service.livekit.gone_with_their_node.add(first)
        service.livekit.living[ROOM].dispatches.clear()
        session = await service.until(ROOM, lambda s: replaced(first, s), timeout=20)
        assert session.placement("mary").attempts[0].cause is Cause.NODE_LOST
