"""Settling one placement: tenacity owns the retry, the session record owns the memory.

settle ──▶ _retry (tenacity) ──▶ _attempt: look ▶ adopt? ▶ clear ▶ slot ▶ record ▶ call ▶ wait for proof
   ▲            │ exhausted
   └── fallback ┴─▶ give up ──▶ once a minute _attempt, while people are there
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from orchestrator.core import causes
from orchestrator.core.causes import Cause
from orchestrator.core.evidence import foreign_dispatch
from orchestrator.core.facts import Awaited, DispatchAdopted, FallbackChosen, GaveUp, PauseOver, Waiting
from orchestrator.core.placement import Attempt, Placement, PlacementState
from orchestrator.core.policy import backoff_ceiling, candidate_deadline
from orchestrator.core.session import Session
from orchestrator.runtime.attempt import AttemptRunner
from orchestrator.runtime.credentials import CredentialGate
from orchestrator.runtime.fleet import FleetView
from orchestrator.runtime.looking import Looker, LookFailed, RoomGone
from orchestrator.runtime.owner import SessionOwner, Superseded
from orchestrator.runtime.pacing import NoSlot, Pacing
from orchestrator.runtime.pauses import PauseBoard
from orchestrator.runtime.ports import Clock, Randomness, RollcallError, SlotEnd

log = structlog.get_logger()

_SHORTEST_PAUSE: Final = 0.2
"""Between two rounds of which neither made an attempt (LiveKit unreachable, say): never a hot loop."""


class NotConfirmed(RollcallError):
    """An attempt ended without proof, or could not be made."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


class Dispatcher:
    """Sees to it that a placement gets its agent, or that a person is told why not."""

    def __init__(
        self,
        looker: Looker,
        attempts: AttemptRunner,
        pacing: Pacing,
        gate: CredentialGate,
        fleet: FleetView,
        board: PauseBoard,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._gate = gate
        self._fleet = fleet
        self._board = board
        self._looker = looker
        self._attempts = attempts
        self._pacing = pacing
        self._clock = clock
        self._randomness = randomness

    async def settle(self, owner: SessionOwner, name: str) -> None:
        """Until the placement is verified, or nobody wants it any more. A takeover goes on from what is stored."""
        try:
            while placement := owner.wanted(name):
                if _nobody_there(owner.session, placement):
                    await self._await_people(owner, name)
                elif self._is_paused(placement):
                    await self._await_pause_s_end(owner, name)
                elif placement.awaited is Awaited.GRACE and placement.next_at is not None:
                    await self._await_grace(owner, name, placement.next_at)
                elif placement.state is PlacementState.UNVERIFIED:
                    await self._keep_trying(owner, placement)
                else:
                    await self._retry(owner, name)
        except Superseded:
            return

    async def _retry(self, owner: SessionOwner, name: str) -> None:
        retrying = AsyncRetrying(
            retry=retry_if_exception(_worth_another),
            stop=partial(self._exhausted, owner, name),
            wait=partial(self._backoff, owner, name),
            sleep=partial(self._pause, owner, name),
            reraise=True,
        )
        carried = _failed_before(owner.session.placement(name))

        async def attempt() -> None:
            nonlocal carried
            if carried is not None:  # stop and backoff apply to it as if this very round had seen it fail
                cause, carried = carried, None
                raise NotConfirmed(cause)
            await self._attempt(owner, name)

        try:
            await retrying(attempt)
        except NotConfirmed as failure:
            await self._next_or_give_up(owner, name, failure.cause)
        except RoomGone:
            await self._looker.finish_if_gone(owner)

    async def _attempt(self, owner: SessionOwner, name: str) -> None:
        """One attempt, or what is left of the open one. Raises NotConfirmed when it did not bring the agent."""
        placement = owner.wanted(name)
        if placement is None or _nobody_there(owner.session, placement):
            return
        attempt = placement.open_attempt
        if attempt is None:
            try:
                attempt = await self._begin(owner, name)
            except LookFailed as failure:
                await owner.record(Waiting(name, Awaited.LIVEKIT))
                raise NotConfirmed(failure.cause) from failure
            except NoSlot as failure:
                raise NotConfirmed(failure.cause or placement.cause or Cause.UNKNOWN) from failure
        if attempt is not None and (cause := await self._attempts.await_proof(owner, name, attempt.number)):
            raise NotConfirmed(cause)

    async def _begin(self, owner: SessionOwner, name: str) -> Attempt | None:
        look = await self._looker.look(owner)
        placement = owner.wanted(name)
        if placement is None or placement.open_attempt is not None:
            return placement.open_attempt if placement else None
        if foreign := foreign_dispatch(owner.session, placement, look):
            adopted = DispatchAdopted(name, self._randomness.attempt_id(), foreign.dispatch_id)
            session = await owner.record(adopted)
            return session.placement(name).open_attempt
        if self._board.paused(placement.spec.agent_name):
            return None
        await self._attempts.clear(owner, name)
        deadline = None if placement.state is PlacementState.UNVERIFIED else _deadline(placement)
        paused = partial(self._board.paused, placement.spec.agent_name)
        if not await self._pacing.acquire(owner, placement, deadline, paused):
            return None
        if self._board.paused(placement.spec.agent_name):
            await self._pacing.give_back(owner.sid, placement, SlotEnd.OTHER)
            return None
        return await self._attempts.call(owner, name)

    async def _next_or_give_up(self, owner: SessionOwner, name: str, cause: Cause) -> None:
        placement = owner.wanted(name)
        if placement is None or _nobody_there(owner.session, placement):
            return
        following = placement.candidate + 1
        if following < len(placement.candidates) and cause is not Cause.LIVEKIT_REJECTED_CREDENTIALS:
            await owner.record(FallbackChosen(name, following, cause))
        else:
            await owner.record(GaveUp(name, cause))

    async def _keep_trying(self, owner: SessionOwner, placement: Placement) -> None:
        """While a person has been told: an attempt once in a while, for a worker that comes late gets no old dispatch.

        One that announces itself is tried at once.
        """
        name, period = placement.agent_name, placement.policy.keep_trying
        last = _last_requested(placement)
        if placement.open_attempt is None:
            pause = None if period <= 0 else last + period - self._clock.now()
            with self._fleet.awaiting(owner, placement.spec.agent_name, last) as arrived:
                await owner.until(
                    lambda s: _settled_or_empty(name, s) or _begun_anew(placement, s) or (period > 0 and arrived()),
                    timeout=pause,
                )
            if _settled_or_empty(name, owner.session) or _begun_anew(placement, owner.session):
                return
        try:
            await self._attempt(owner, name)
        except NotConfirmed as failure:
            log.info("still_unverified", sid=owner.sid, agent=name, cause=failure.cause.value)
            if not (
                _attempted_since(owner, name, last) or _begun_anew(placement, owner.session)
            ):  # LiveKit is unreachable: the period counts all the same
                await self._wait(owner, name, period)
        except RoomGone:
            await self._looker.finish_if_gone(owner)

    def _is_paused(self, placement: Placement) -> bool:
        """Whether an operator wants no new attempt now; what is under way goes on."""
        if placement.open_attempt is not None:
            return False
        return placement.awaited is Awaited.PAUSED or self._board.paused(placement.spec.agent_name)

    async def _await_pause_s_end(self, owner: SessionOwner, name: str) -> None:
        def over(session: Session) -> bool:
            placement = session.placement(name)
            holds = placement.awaited is Awaited.PAUSED and self._board.paused(placement.spec.agent_name)
            return _settled_or_empty(name, session) or not holds

        if owner.session.placement(name).awaited is not Awaited.PAUSED:
            await owner.record(Waiting(name, Awaited.PAUSED))
        with self._board.awaiting(owner):
            await owner.until(over)
        if not _settled_or_empty(name, owner.session):
            await owner.record(PauseOver(name))

    async def _await_people(self, owner: SessionOwner, name: str) -> None:
        if owner.session.placement(name).awaited is not Awaited.PEOPLE:
            await owner.record(Waiting(name, Awaited.PEOPLE))
        await owner.until(lambda s: _settled(name, s) or not _nobody_there(s, s.placement(name)))

    async def _await_grace(self, owner: SessionOwner, name: str, until: float) -> None:
        """After a goodbye: people who are about to hang up need no other agent."""
        before = owner.session.placement(name)
        if not await owner.until(
            lambda s: _settled_or_empty(name, s) or _begun_anew(before, s), timeout=until - self._clock.now()
        ):
            await owner.record(Waiting(name, Awaited.BACKOFF))

    def _exhausted(self, owner: SessionOwner, name: str, _: RetryCallState) -> bool:
        placement = owner.wanted(name)
        if placement is None:
            return True
        return placement.tries >= placement.policy.attempts or self._clock.now() >= _deadline(placement)

    def _backoff(self, owner: SessionOwner, name: str, _: RetryCallState) -> float:
        placement = owner.session.placement(name)
        jittered = self._randomness.fraction() * backoff_ceiling(placement.policy, placement.tries)
        return max(_SHORTEST_PAUSE, min(jittered, _deadline(placement) - self._clock.now()))

    async def _pause(self, owner: SessionOwner, name: str, seconds: float) -> None:
        awaited = owner.session.placement(name).awaited
        why = Awaited.LIVEKIT if awaited is Awaited.LIVEKIT else Awaited.BACKOFF
        session = await owner.record(Waiting(name, why, self._clock.now() + seconds))
        placement = session.placement(name)
        if why is Awaited.LIVEKIT:  # no worker helps against that
            await self._wait(owner, name, seconds)
            return
        with self._fleet.awaiting(owner, placement.spec.agent_name, _last_requested(placement)) as arrived:
            await self._wait(owner, name, seconds, arrived)

    async def _wait(self, owner: SessionOwner, name: str, seconds: float, enough: Callable[[], bool] = lambda: False) -> None:
        """So long, or until it is enough; while LiveKit refuses our key, until it takes it, or the placement's deadline."""
        placement = owner.session.placement(name)
        if self._gate.open:
            await owner.until(lambda s: _settled_or_empty(name, s) or _begun_anew(placement, s) or enough(), timeout=seconds)
            return
        left = _deadline(placement) - self._clock.now()
        limit = None if placement.state is PlacementState.UNVERIFIED else max(left, _SHORTEST_PAUSE)
        await owner.until(lambda s: self._gate.open or _settled_or_empty(name, s), timeout=limit)


def _worth_another(error: BaseException) -> bool:
    """A refused key is waited for: the next attempt is made when LiveKit takes it again."""
    if not isinstance(error, NotConfirmed):
        return False
    return causes.retryable(error.cause) or error.cause is Cause.LIVEKIT_REJECTED_CREDENTIALS


def _failed_before(placement: Placement) -> Cause | None:
    """The cause of the attempt after which this round goes on: of a replica that died, or of an agent that left at once."""
    return placement.cause if placement.tries and placement.open_attempt is None else None


def _deadline(placement: Placement) -> float:
    fallbacks_left = len(placement.candidates) - placement.candidate - 1
    return candidate_deadline(placement.policy, placement.wanted_at, fallbacks_left)


def _nobody_there(session: Session, placement: Placement) -> bool:
    return session.empty or (placement.policy.wait_for_people and session.people <= 0)


def _settled(name: str, session: Session) -> bool:
    return session.ended or not session.placement(name).wanting


def _settled_or_empty(name: str, session: Session) -> bool:
    return _settled(name, session) or _nobody_there(session, session.placement(name))


def _begun_anew(before: Placement, session: Session) -> bool:
    """Whether somebody has asked for a new round: what was waited for in the one before counts no more."""
    return session.placement(before.agent_name).asked != before.asked


def _last_requested(placement: Placement) -> float:
    """What the last attempt could not reach, a worker that comes after it may: its dispatch is offered to nobody else."""
    return max((a.requested_at for a in placement.attempts), default=placement.wanted_at)


def _attempted_since(owner: SessionOwner, name: str, time: float) -> bool:
    return any(a.requested_at > time for a in owner.session.placement(name).attempts)
