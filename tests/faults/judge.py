"""The judgement: what LiveKit lists, what the agents answer, what the workers' logs say; Rollcall's own word comes last."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Collection
from typing import Final

import aiohttp
from livekit import api
from livekit.protocol.models import ParticipantInfo

from tests.e2e.harness.livekit import LiveKitServer
from tests.e2e.harness.orchestrator import Json
from tests.e2e.harness.pulse import perform_rpc
from tests.e2e.harness.wait import wait_until
from tests.e2e.harness.workers import Seen
from tests.faults.scene import Scene, agent_of

SETTLED_WITHIN: Final = 60.0
"""Seconds after the last fault within which everything is right again."""

METHOD_NOT_SUPPORTED: Final = "1400"
"""How a stock agent answers a question that it knows nothing of: it lives."""


async def answers(server: LiveKitServer, room: str, identity: str) -> bool:
    """Whether this participant answers when it is asked."""
    status, body = await perform_rpc(server, room, identity, "tests.are-you-there")
    return status == 200 or (status == 400 and METHOD_NOT_SUPPORTED in body)


async def agents(server: LiveKitServer, room: str) -> list[str]:
    """The identities of the room's agents, as LiveKit lists them: those that are ACTIVE and of the wanted name."""
    async with server.api() as livekit:
        listed = await livekit.room.list_participants(api.ListParticipantsRequest(room=room))
    return [
        one.identity
        for one in listed.participants
        if one.kind == ParticipantInfo.Kind.AGENT
        and one.state == ParticipantInfo.State.ACTIVE
        and one.attributes.get("lk.agent_name") == agent_of(room)
    ]


async def the_agent(
    server: LiveKitServer, room: str, *, other_than: Collection[str] = (), ghosts: Collection[str] = ()
) -> str | None:
    """The identity of the one agent that is listed and answers; None while there is none, or another one beside it.

    `ghosts` may be listed beside it: they were in the room when their LiveKit node died.
    """
    try:
        listed = [identity for identity in await agents(server, room) if identity not in ghosts]
        # Those before are not even asked: one that is removed meanwhile would keep the question hanging for 3 s.
        alone = len(listed) == 1 and listed[0] not in other_than
        return listed[0] if alone and await answers(server, room, listed[0]) else None
    except (aiohttp.ClientError, api.TwirpError, TimeoutError):
        return None


async def wait_for_agent(
    scene: Scene,
    room: str,
    *,
    other_than: Collection[str] = (),
    ghosts: Collection[str] = (),
    timeout: float = SETTLED_WITHIN,
) -> str:
    """The identity of the one agent that serves in this room, once it is none of those that served before."""
    return await wait_until(
        lambda: the_agent(scene.server, room, other_than=other_than, ghosts=ghosts),
        timeout=timeout,
        description=f"one agent answers in {room}, and is none of {list(other_than)}",
    )


async def settled(scene: Scene, *rooms: str, within: float = SETTLED_WITHIN, ghosts: Collection[str] = ()) -> dict[str, str]:
    """The agent of each room, once all have the one that they should have, and Rollcall says the same."""
    deadline = time.monotonic() + within
    serving = await asyncio.gather(*(wait_for_agent(scene, room, ghosts=ghosts, timeout=within) for room in rooms))
    for room, identity in zip(rooms, serving, strict=True):
        await wait_until(
            lambda room=room, identity=identity: _agrees(scene, room, identity),  # type: ignore[misc]
            timeout=max(1.0, deadline - time.monotonic()),
            description=f"Rollcall says that {identity} serves in {room}",
        )
        assert_called_once(scene, room)
    return dict(zip(rooms, serving, strict=True))


def assert_called_once(scene: Scene, room: str) -> None:
    """No attempt was ever called twice, and none came to the workers but under its own number."""
    dispatches: dict[tuple[str, int], set[str]] = defaultdict(set)
    for job in scene.jobs(room):
        dispatches[job.sid, reserved(job)["attempt"]].add(job.dispatch_id)
    twice = {attempt: made for attempt, made in dispatches.items() if len(made) > 1}
    assert not twice, f"attempts of {room} that were called twice: {twice}"


def reserved(job: Seen) -> Json:
    """What Rollcall told the worker in the job's metadata."""
    told: Json = json.loads(job.metadata)["rollcall"]
    return told


async def _agrees(scene: Scene, room: str, identity: str) -> bool:
    try:
        session = await scene.session(room)
    except aiohttp.ClientError:  # its Redis has only just come back
        return False
    if session is None or session["state"] != "verified":
        return False
    (placement,) = session["placements"]
    return bool(placement["identity"] == identity)
