"""Thousands of calls in progress, each with its verified agent: as the store holds them, and as LiveKit lists them."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from livekit.protocol.agent_dispatch import AgentDispatch
from livekit.protocol.models import ParticipantInfo

from orchestrator.core import facts as f
from orchestrator.core.policy import Policy
from orchestrator.core.session import Session
from orchestrator.core.transitions import fold
from orchestrator.runtime.ports import Committed
from orchestrator.runtime.tasks import Tasks
from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.leases import ReplicaLeases
from orchestrator.store.sessions import Retention, Sessions
from tests.benchmarks.stub_livekit import StubLiveKit

AGENT = "mary"

_AT_ONCE = 500

_LEASE = 600.0
_LAPSED = 0.001
"""Seconds: longer than any benchmark takes, and shorter than anybody would notice."""


@asynccontextmanager
async def connected(redis_url: str) -> AsyncIterator[Connection]:
    """A connection like the service's own."""
    tasks = Tasks(lambda _name, _error: None)
    connection = Connection(redis_url, tasks.spawn)
    try:
        yield connection
    finally:
        await tasks.cancel()
        await connection.close()


async def in_progress(connection: Connection, livekit: StubLiveKit, calls: range, *, owner: str) -> Sequence[str]:
    """The rooms of the calls with these numbers, stored and listed alike. Their owner lives until it leaves them alone."""
    await ReplicaLeases(connection, Keys()).renew(owner, _LEASE)
    sessions = Sessions(connection, Keys(), Retention())
    rooms = [f"support-{number:05}" for number in calls]
    for start in range(0, len(rooms), _AT_ONCE):
        portion = rooms[start : start + _AT_ONCE]
        await asyncio.gather(*(_store(sessions, room, owner) for room in portion))
        for room in portion:
            listed(livekit, room)
    return rooms


async def leave_alone(connection: Connection, owner: str) -> None:
    """Let the owner's lease lapse: another replica will take its calls over."""
    await ReplicaLeases(connection, Keys()).renew(owner, _LAPSED)


def listed(livekit: StubLiveKit, room: str) -> None:
    """Let LiveKit list the room of a call, with its caller and its agent."""
    livekit.sids[room] = _sid(room)
    livekit.dispatches[room] = [AgentDispatch(id=_dispatch_id(room), agent_name=AGENT, room=room)]
    livekit.participants[room] = [person(_caller(room), "caller")]
    livekit.take_job(room, agent(_agent(room), _identity(room)))


def person(sid: str, identity: str) -> ParticipantInfo:
    """One of the people in a room."""
    return ParticipantInfo(sid=sid, identity=identity, state=ParticipantInfo.ACTIVE)


def agent(sid: str, identity: str) -> ParticipantInfo:
    """An agent in a room."""
    return ParticipantInfo(
        sid=sid,
        identity=identity,
        state=ParticipantInfo.ACTIVE,
        kind=ParticipantInfo.AGENT,
        attributes=dict.fromkeys(("lk.agent_name", "lk.agent.name"), AGENT),
    )


async def _store(sessions: Sessions, room: str, owner: str) -> None:
    now = time.time()
    opening = f.RoomOpened(room, _sid(room), started_at=now)
    started, caller, joined = _webhooks(room, now)
    reply = await sessions.append(opening, [started], event_id=f"{room}/1", replica=owner)
    await sessions.append(opening, [caller], event_id=f"{room}/2", replica=owner)
    await sessions.append(opening, [joined], event_id=f"{room}/3", replica=owner)
    claimed = reply.claimed
    if claimed is None:
        message = f"{room} is in the store already"
        raise RuntimeError(message)
    session = _verified(opening, (started, caller, joined), now)
    waiting = len(await sessions.inbox(session.sid))
    if await sessions.commit(session, epoch=claimed.epoch, trim=waiting) is not Committed.COMMITTED:
        message = f"{room} could not be committed"
        raise RuntimeError(message)


def _webhooks(room: str, now: float) -> tuple[f.Fact, f.Fact, f.Fact]:
    """The room starts, its caller joins, its agent joins."""
    return (
        f.RoomStarted(created_at=now),
        f.PersonJoined(_caller(room), "caller", created_at=now, people=1),
        f.AgentJoined(_agent(room), _identity(room), AGENT, joined_at=now, created_at=now),
    )


def _verified(opening: f.RoomOpened, webhooks: tuple[f.Fact, f.Fact, f.Fact], now: float) -> Session:
    """The record to which the owner folds a call on a good day."""
    room = opening.room
    started, caller, joined = webhooks
    wanted = f.PlacementSpec((f.CandidateSpec(AGENT, json.dumps({"persona": AGENT})),), Policy())
    session = fold(None, opening, now)
    for fact in (
        started,
        f.Routed((wanted,), route="routes[0]"),
        caller,
        f.DispatchRequested(AGENT, 1, uuid.uuid4().hex, AGENT),
        f.DispatchAccepted(AGENT, 1, _dispatch_id(room)),
        joined,
        f.PulseAnswered(_identity(room), rtt_ms=1.4),
        f.JobChanged(_dispatch_id(room), _job(room), AGENT, f.JobStatus.RUNNING, _identity(room)),
    ):
        session = fold(session, fact, now)
    return session


# Ids of LiveKit's own length.


def _sid(room: str) -> str:
    return f"RM_{room:>012}"


def _caller(room: str) -> str:
    return f"PA_{room.replace('support', 'pers'):>012}"


def _agent(room: str) -> str:
    return f"PA_{room.replace('support', 'agnt'):>012}"


def _dispatch_id(room: str) -> str:
    return f"AD_{room:>012}"


def _job(room: str) -> str:
    return f"AJ_{room:>012}"


def _identity(room: str) -> str:
    return f"agent-{_job(room)}"
