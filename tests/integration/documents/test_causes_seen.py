"""What `explain` says of the causes that no real server shows in seconds: the real runtime on a stand-in, in virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace

import pytest

from orchestrator.client.answers import AgentDetail, read
from orchestrator.client.answers import Session as Answer
from orchestrator.client.explanation import explain
from orchestrator.core.causes import Cause
from orchestrator.core.facts import AgentAborted, Awaited, JobStatus, LeaveReason, RoomOpened
from orchestrator.core.fleet import Announcement
from orchestrator.core.listing import ListedDispatch, ListedJob, ListedRoom
from orchestrator.core.policy import Policy
from orchestrator.core.proof import Proof
from orchestrator.core.session import Session, SessionState
from orchestrator.runtime.ports import LiveKitRejectedCredentials, LiveKitRejectedRequest, LiveKitUnavailable
from orchestrator.web.agent_view import agent_name_detail
from orchestrator.web.links import Links
from orchestrator.web.session_view import session_view
from tests.causes_seen import ROW, row_of, rows, seen
from tests.fakes.livekit import FakeLiveKit, joins
from tests.unit.runtime.service import Service, running, wants

AGENT, ROOM = "mary", "support-17"
ONCE = Policy(attempts=1, replacements=0)
STEADY = 20.0
"""Seconds after which what workers announce is relied on."""

Prepare = Callable[[Service], Awaitable[None]]
Loss = Callable[[Service, str], Awaitable[None]]


async def workers_gone(service: Service) -> None:
    await service.runtime.fleet.announce(Announcement("w1", AGENT, capacity=4))
    await service.runtime.fleet.withdraw("w1")
    await service.clock.sleep(STEADY)


async def workers_full(service: Service) -> None:
    async def announce() -> None:
        while True:
            await service.runtime.fleet.announce(Announcement("w1", AGENT, capacity=4, active_jobs=4))
            await service.clock.sleep(5)

    service.tasks.spawn("worker", announce())
    await service.clock.sleep(STEADY)


async def job_fails(service: Service) -> None:
    async def worker(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        livekit.list_job(room, dispatch, ListedJob("AJ_f", JobStatus.FAILED, "agent-AJ_f", "boom"))

    service.livekit.worker = worker


async def connection_aborts(service: Service) -> None:
    async def worker(livekit: FakeLiveKit, room: ListedRoom, dispatch: ListedDispatch) -> None:
        job = await livekit.take_job(room, dispatch)
        aborted = AgentAborted("PA_a", job.identity or "", AGENT, livekit.clock.now())
        await livekit.webhook(RoomOpened(room.name, room.sid, room.created_at), aborted)

    service.livekit.worker = worker


async def unreachable(service: Service) -> None:
    service.livekit.fails["room"] = LiveKitUnavailable("down")


async def key_refused(service: Service) -> None:
    for call in ("room", "participants", "dispatches", "create_dispatch"):
        service.livekit.fails[call] = LiveKitRejectedCredentials("401")


async def dispatch_refused(service: Service) -> None:
    service.livekit.fails["create_dispatch"] = LiveKitRejectedRequest("invalid")


async def never_ready(service: Service) -> None:
    service.livekit.worker = joins


WAYS: dict[Cause, tuple[str, Prepare, Policy]] = {
    Cause.NO_WORKER: ("its announced worker withdraws", workers_gone, ONCE),
    Cause.WORKER_FULL: ("its announced worker has no room left", workers_full, ONCE),
    Cause.JOB_FAILED: ("LiveKit lists its job as failed", job_fails, ONCE),
    Cause.CONNECTION_ABORTED: ("its connection is aborted before it is in the room", connection_aborts, ONCE),
    Cause.LIVEKIT_UNAVAILABLE: ("LiveKit's API answers no call", unreachable, ONCE),
    Cause.LIVEKIT_REJECTED_CREDENTIALS: ("LiveKit answers 401 to every call", key_refused, ONCE),
    Cause.LIVEKIT_REJECTED_REQUEST: ("LiveKit refuses the dispatch as invalid", dispatch_refused, ONCE),
    Cause.UNKNOWN: ("it answers and never says that it is ready, which the policy asks for", never_ready,
                    replace(ONCE, verify_at=Proof.READY)),
}  # fmt: skip


def explained(session: Session, service: Service) -> dict[str, object]:
    """Over the JSON in which the command gets it."""
    now = service.clock.now()
    answer = read(Answer, session_view(session, now, Links(None)).model_dump_json(by_alias=True).encode())
    told = agent_name_detail(service.runtime.fleet.fleet, AGENT, [AGENT]).model_dump_json(by_alias=True).encode()
    return asdict(explain(answer, read(AgentDetail, told)))


@pytest.mark.looptime
@pytest.mark.asyncio
@pytest.mark.parametrize("cause", WAYS)
async def test_a_cause_is_explained_as_the_page_says(cause: Cause, write_causes: bool) -> None:
    how, prepare, policy = WAYS[cause]
    async with running(wants(AGENT, policy=policy), configured=[AGENT]) as service:
        await prepare(service)
        await service.start_room(ROOM)
        await service.livekit.enter(ROOM, "ann")
        session = await service.until(ROOM, lambda s: s.state is SessionState.UNVERIFIED)
        assert session.placement(AGENT).cause is cause
        seen(row_of(explained(session, service), AGENT, how, "stand-in"), write=write_causes)


async def lost_with_its_node(service: Service, identity: str) -> None:
    service.livekit.gone_with_their_node.add(identity)
    service.livekit.living[ROOM].dispatches.clear()


async def timed_out(service: Service, identity: str) -> None:
    await service.livekit.leave(service.livekit.living[ROOM].room, identity, LeaveReason.FAILURE)


LOSSES: dict[Cause, tuple[str, Loss]] = {
    Cause.LEFT: ("its connection ends in mid-call", timed_out),
    Cause.NODE_LOST: ("the LiveKit node of its room is killed, its state in Redis", lost_with_its_node),
}


@pytest.mark.looptime
@pytest.mark.asyncio
@pytest.mark.parametrize("cause", LOSSES)
async def test_the_loss_of_an_agent_is_explained_as_the_page_says(cause: Cause, write_causes: bool) -> None:
    how, lose = LOSSES[cause]
    async with running(wants(AGENT, policy=ONCE), configured=[AGENT]) as service:
        service.livekit.worker = joins
        await service.start_room(ROOM)
        await service.livekit.enter(ROOM, "ann")
        session = await service.until(ROOM, lambda s: s.placement(AGENT).proof is Proof.ANSWERING)
        await service.clock.sleep(STEADY)
        await lose(service, session.placement(AGENT).identity or "")
        session = await service.until(ROOM, lambda s: s.state is SessionState.UNVERIFIED)
        assert session.placement(AGENT).cause is cause
        seen(row_of(explained(session, service), AGENT, how, "stand-in"), write=write_causes)


async def room_closes(service: Service) -> None:
    await service.until(ROOM, lambda s: s.placement(AGENT).open_attempt)
    await service.livekit.close_room(ROOM)


async def everybody_leaves(service: Service) -> None:
    await service.until(ROOM, lambda s: s.placement(AGENT).awaited is Awaited.SLOT)
    await service.livekit.hang_up(ROOM, "ann")


ENDS: dict[Cause, tuple[str, int, Prepare]] = {
    Cause.ROOM_GONE: ("its room is closed while it is waited for", 1, room_closes),
    Cause.ROOM_EMPTY: ("everybody leaves while its dispatch waits for a slot", 0, everybody_leaves),
}
"""How, with how many slots, and by what."""


@pytest.mark.looptime
@pytest.mark.asyncio
@pytest.mark.parametrize("cause", ENDS)
async def test_the_end_of_a_wait_is_explained_as_the_page_says(cause: Cause, write_causes: bool) -> None:
    how, slots, end = ENDS[cause]
    async with running(wants(AGENT, policy=ONCE), configured=[AGENT]) as service:
        service.slots.limit = slots
        await service.start_room(ROOM)
        await service.livekit.enter(ROOM, "ann")
        await end(service)
        session = await service.until(ROOM, lambda s: s.placement(AGENT).cause)
        assert session.placement(AGENT).cause is cause
        seen(row_of(explained(session, service), AGENT, how, "stand-in"), write=write_causes)


def test_the_page_shows_every_cause_that_there_is() -> None:
    shown = {found["cause"] for row in rows() if (found := ROW.match(row))}
    assert shown == {cause.value for cause in Cause}


def test_a_page_that_says_something_else_would_be_found() -> None:
    with pytest.raises(AssertionError, match="does not say"):
        seen(rows()[0].replace("mary", "tom"), write=False)
