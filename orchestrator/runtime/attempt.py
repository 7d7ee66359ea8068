"""One attempt: clear what earlier ones left, record it, call CreateDispatch once, and wait until LiveKit shows the agent."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import structlog

from orchestrator import contract
from orchestrator.core.belonging import belongs, stays_until_replaced
from orchestrator.core.causes import UNTAKEN, Cause
from orchestrator.core.evidence import cause_so_far
from orchestrator.core.facts import AttemptEnded, DispatchAccepted, DispatchDeleted, DispatchRequested, Warned
from orchestrator.core.listing import Look
from orchestrator.core.placement import Attempt, Placement, PlacementState
from orchestrator.core.proof import Key, Proof
from orchestrator.core.session import Session
from orchestrator.runtime.fleet import FleetView
from orchestrator.runtime.ghosts import GhostGuard
from orchestrator.runtime.looking import Looker, LookFailed, RoomGone
from orchestrator.runtime.owner import SessionOwner
from orchestrator.runtime.pacing import Pacing
from orchestrator.runtime.ports import (
    Clock,
    LiveKit,
    LiveKitError,
    LiveKitUnavailable,
    NotFound,
    Randomness,
    SlotEnd,
)

log = structlog.get_logger()

LOST_REPLY_LOOK: Final = 5.0
"""Seconds after the call when one looks whether a dispatch whose reply was lost exists."""

JOB_IDENTITY_AFTER: Final = 6.0
"""Seconds for which a dispatch without a listed job is not deleted: deleting it sooner loses the job's identity."""

PROOF_LOOK: Final = 1.0
"""Seconds between looks while an agent that joined has not reached the level of proof that the policy asks for."""


@dataclass(frozen=True, slots=True)
class AttemptTimes:
    """Seconds. When a room's webhooks are late, LiveKit's queue for it is behind: one looks instead of waiting."""

    late_webhooks: float = 5.0
    late_webhooks_look: float = 2.0


Traceparent = Callable[[Session, str, int], str | None]
"""Session, placement and number of an attempt in, its span out, as W3C Trace Context writes it; None without traces."""


def untold(session: Session, placement: str, number: int) -> None:
    """Without traces."""


class AttemptRunner:
    """Makes attempts, and ends them. Every write to LiveKit follows a commit that says that it will be made."""

    def __init__(
        self,
        livekit: LiveKit,
        looker: Looker,
        pacing: Pacing,
        ghosts: GhostGuard,
        fleet: FleetView,
        clock: Clock,
        randomness: Randomness,
        times: AttemptTimes,
        traceparent: Traceparent = untold,
    ) -> None:
        self._times = times
        self._traceparent = traceparent
        self._livekit = livekit
        self._looker = looker
        self._pacing = pacing
        self._ghosts = ghosts
        self._fleet = fleet
        self._clock = clock
        self._randomness = randomness

    async def clear(self, owner: SessionOwner, name: str) -> None:
        """Take earlier attempts of ours out of LiveKit: their dispatches, and their agents if any came.

        What cannot be deleted now is tried again before the next attempt, and after verification.
        """
        session = owner.session
        placement = session.placement(name)
        for attempt in placement.attempts:
            if attempt.ours and not attempt.open and not attempt.deleted and attempt.dispatch_id:
                if attempt.identity is not None and attempt.identity in (placement.identity, placement.replacing):
                    continue  # its agent serves: deleting the dispatch would take it away
                if attempt.identity is None and self._clock.now() < attempt.requested_at + JOB_IDENTITY_AFTER:
                    continue
                if await self.delete(session.room, attempt.dispatch_id):
                    await owner.record(DispatchDeleted(placement.agent_name, attempt.number))
        for agent in session.agents:
            if stays_until_replaced(session, agent.identity):
                continue
            if agent.present and agent.identity in session.retired and belongs(session, placement, agent):
                await self.remove(session.room, agent.identity)

    async def remove(self, room: str, identity: str) -> bool:
        """Take a participant out of the room, if it is still there; whether LiveKit did."""
        try:
            await self._livekit.remove_participant(room, identity)
        except NotFound:
            return True
        except LiveKitError as error:
            log.warning("agent_not_removed", room=room, identity=identity, error=str(error))
            return False
        return True

    async def call(self, owner: SessionOwner, name: str) -> Attempt | None:
        """Record the next attempt, then call CreateDispatch, once. Raises RoomGone when the room was closed meanwhile."""
        placement = owner.wanted(name)
        if placement is None:
            return None
        number = placement.next_number
        key = Key(owner.sid, name, number, self._randomness.attempt_id())
        agent = replace(
            placement.spec,
            metadata=_job_metadata(owner.session, placement, key, self._traceparent(owner.session, name, number)),
        )
        await owner.record(DispatchRequested(name, number, key.attempt_id, agent.agent_name))
        recorded = owner.session.placement(name).attempt(number)
        if recorded is None or recorded.attempt_id != key.attempt_id:
            await self._pacing.give_back(owner.sid, placement, SlotEnd.OTHER)
            return None  # what waited in the inbox brought the agent, or the room's end
        room = owner.session.room
        try:
            dispatch_id = await self._livekit.create_dispatch(room, agent, key)
        except LiveKitUnavailable as error:
            # It may have been executed: the attempt goes on waiting for proof, and looks after five seconds.
            log.warning(
                "dispatch_reply_lost", room=room, sid=owner.sid, agent=agent.agent_name, attempt=number, error=str(error)
            )
        except LiveKitError as error:
            await owner.record(AttemptEnded(name, number, error.cause))
        else:
            if await self._ghosts.appeared(room, owner.sid, dispatch_id):
                await self._pacing.give_back(owner.sid, placement, SlotEnd.OTHER)
                raise RoomGone(room)
            await owner.record(DispatchAccepted(name, number, dispatch_id))
        return owner.session.placement(name).attempt(number)

    async def await_proof(self, owner: SessionOwner, name: str, number: int) -> Cause | None:
        """Wait for the attempt's agent, woken by webhooks; None when nothing is left to do, else why it did not come."""
        cause = None
        try:
            for at, final in _checkpoints(owner.session.placement(name), number):
                if cause := await self._until_checkpoint(owner, name, number, at, final=final):
                    break
                if _over(name, number, owner.session):
                    break
        except RoomGone:
            await self._give_slot_back(owner, name, number)
            raise
        await self._give_slot_back(owner, name, number)
        placement = owner.wanted(name)
        if placement is None:
            return None
        attempt = placement.attempt(number)
        return attempt.cause if attempt is not None else cause

    async def _until_checkpoint(self, owner: SessionOwner, name: str, number: int, at: float, *, final: bool) -> Cause | None:
        while True:
            pause = min(at - self._clock.now(), self._look_period(owner.session, name, number))
            seen = _proof(name, number, owner.session)
            await owner.until(partial(_over_or_beyond, name, number, seen), timeout=pause)
            if _over(name, number, owner.session):
                return None
            if (failed := _failed(name, number, owner.session)) is not None:
                await owner.record(AttemptEnded(name, number, failed))
                return failed
            reached = self._clock.now() >= at
            look = await self._look(owner)
            attempt = owner.session.placement(name).attempt(number)
            if attempt is None or _over(name, number, owner.session):
                return None
            if reached:
                return await self._judge(owner, name, attempt, look, final=final)

    async def _judge(self, owner: SessionOwner, name: str, attempt: Attempt, look: Look | None, *, final: bool) -> Cause | None:
        cause = cause_so_far(attempt, look, final=final)
        if cause is None:
            return None
        if cause is not Cause.NOT_TAKEN:
            await owner.record(AttemptEnded(name, attempt.number, cause))
            return cause
        # LiveKit's API cannot tell which it was; workers that announce themselves can.
        cause = self._fleet.cause_of_not_taken(attempt.agent_name)
        warning = self._fleet.warning_for(attempt.agent_name, owner.session)
        await owner.record(*([Warned(warning)] if warning else []), AttemptEnded(name, attempt.number, cause))
        return cause

    async def _look(self, owner: SessionOwner) -> Look | None:
        try:
            return await self._looker.look(owner)
        except LookFailed:
            return None

    def _look_period(self, session: Session, name: str, number: int) -> float:
        attempt = session.placement(name).attempt(number)
        if attempt is not None and attempt.proof >= Proof.JOINED:
            return PROOF_LOOK
        late = session.webhook_lag > self._times.late_webhooks
        return self._times.late_webhooks_look if late else float("inf")

    async def delete(self, room: str, dispatch_id: str) -> bool:
        """Take a dispatch of ours out of LiveKit; whether it is gone."""
        try:
            await self._livekit.delete_dispatch(room, dispatch_id)
        except NotFound:
            return True
        except LiveKitError as error:
            log.warning("dispatch_not_deleted", room=room, dispatch_id=dispatch_id, error=str(error))
            return False
        return True

    async def _give_slot_back(self, owner: SessionOwner, name: str, number: int) -> None:
        placement = owner.session.placement(name)
        attempt = placement.attempt(number)
        if attempt is None or attempt.adopted:
            return
        if attempt.joined_at is not None:
            end = SlotEnd.JOINED
        elif attempt.cause in UNTAKEN:
            end = SlotEnd.LOST
        else:
            end = SlotEnd.OTHER
        await self._pacing.give_back(owner.sid, placement, end, attempt.cause)


def _over(name: str, number: int, session: Session) -> bool:
    """Whether nothing of this attempt is left to wait for."""
    placement = session.placement(name)
    attempt = placement.attempt(number)
    return session.ended or not placement.wanting or attempt is None or not attempt.open


def _proof(name: str, number: int, session: Session) -> Proof:
    attempt = session.placement(name).attempt(number)
    return attempt.proof if attempt is not None else Proof.NONE


def _failed(name: str, number: int, session: Session) -> Cause | None:
    """Why nothing will come of the attempt any more, as far as its job tells: some servers say so by webhook."""
    attempt = session.placement(name).attempt(number)
    return None if attempt is None else cause_so_far(attempt, None, final=False)


def _over_or_beyond(name: str, number: int, seen: Proof, session: Session) -> bool:
    """Whether the attempt is over, failed, or its agent has come while the policy asks for more: then one looks at once."""
    beyond = Proof.JOINED <= _proof(name, number, session) > seen
    return beyond or _over(name, number, session) or _failed(name, number, session) is not None


def _checkpoints(placement: Placement, number: int) -> list[tuple[float, bool]]:
    """When to look and judge, counted from the call: (time, whether it is the end)."""
    attempt = placement.attempt(number)
    if attempt is None:
        return []
    policy, begun = placement.policy, attempt.requested_at
    points = []
    if attempt.dispatch_id is None and attempt.ours:
        points.append((begun + LOST_REPLY_LOOK, False))
    if 0 < policy.accept_window < policy.join_window:
        points.append((begun + policy.accept_window, False))
    return [*points, (begun + policy.join_window, True)]


def _job_metadata(session: Session, placement: Placement, key: Key, traceparent: str | None) -> str:
    """What reaches the worker: the placement's metadata, and our key under the one reserved name."""
    reserved = key.reserved()
    if traceparent is not None:
        reserved[contract.TRACEPARENT] = traceparent
    lost = placement.attempt(placement.resumes) if placement.resumes is not None else None
    if lost is not None and placement.state is not PlacementState.VERIFIED:
        reserved["resumes"] = {"attempt": lost.number, "cause": lost.cause, "identity": lost.identity}
    others = (session.find_placement(name) for name in placement.instead_of)
    relieved = next((p for p in others if p is not None and p.identity is not None), None)
    if relieved is not None:
        reserved[contract.INSTEAD_OF] = {"agent_name": relieved.agent_name, "identity": relieved.identity}
    elif placement.replacing is not None and session.present_agent(placement.replacing) is not None:
        reserved[contract.INSTEAD_OF] = {"agent_name": placement.agent_name, "identity": placement.replacing}
    metadata = json.loads(placement.spec.metadata)
    return json.dumps({**metadata, contract.RESERVED_KEY: reserved}, separators=(",", ":"), ensure_ascii=False)
