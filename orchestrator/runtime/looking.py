"""One look into a room: is it live, who is in it, which dispatches has it. What it shows goes into the record."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_chain, wait_fixed

from orchestrator.core.causes import Cause
from orchestrator.core.evidence import differences, people_differ, people_differences
from orchestrator.core.facts import RoomFinished, Source
from orchestrator.core.listing import Look
from orchestrator.runtime.asking import Asker
from orchestrator.runtime.owner import SessionOwner
from orchestrator.runtime.ports import Clock, LiveKit, LiveKitError, LiveKitUnavailable, RollcallError, StoreUnavailable

T = TypeVar("T")

REPEATS: Final = (0.5, 1.0, 2.0)
"""Seconds before a failed call of a look is repeated. A look that fails is no attempt, and means unknown."""

SLOW: Final = 1.0
"""Seconds after which what a look showed of a room counts only if that room still lives."""

GONE_TWICE: Final = 2.0
"""A room is gone when two complete listings, at least so many seconds apart, lack it."""


class RoomGone(RollcallError):
    """LiveKit, asked completely, does not list this room, or lists another one under its name."""


class LookFailed(RollcallError):
    """LiveKit did not say: unknown, never absent."""

    def __init__(self, cause: Cause) -> None:
        super().__init__(cause.value)
        self.cause = cause


class Looker:
    """Looks, and records what the look showed."""

    def __init__(self, livekit: LiveKit, asker: Asker, clock: Clock) -> None:
        self._livekit = livekit
        self._asker = asker
        self._clock = clock

    async def look(self, owner: SessionOwner) -> Look:
        """Look once and record the differences. Raises RoomGone, LookFailed, Superseded.

        An agent that only the listing shows is asked at once; it counts when it answers, for it may be the ghost of a
        node that died.
        """
        session = owner.session
        requested_at = self._clock.now()
        look = await self._whole(session.room, session.sid, requested_at)
        if people_differ(owner.session, look):
            await self._count_people(owner, look)
        if found := await self._asker.without_the_living(session.room, differences(owner.session, look)):
            await owner.record(*found)
        await self._asker.ask_the_unproven(owner)
        return look

    async def finish_if_gone(self, owner: SessionOwner) -> None:
        """After RoomGone: ask once more; gone twice is the end of the session. Raises Superseded."""
        if await owner.until(lambda s: s.ended, timeout=GONE_TWICE):
            return
        try:
            await self._live(owner.session.room, owner.session.sid)
        except RoomGone:
            await owner.record(RoomFinished(created_at=self._clock.now(), source=Source.LISTING))
        except LookFailed:
            return

    async def _whole(self, room: str, sid: str, requested_at: float) -> Look:
        """All three listings at once; the room's own word goes first: the others hang for a room that is not there."""
        try:
            async with asyncio.TaskGroup() as calls:
                calls.create_task(self._live(room, sid))
                participants = calls.create_task(self._repeated(lambda: self._livekit.participants(room)))
                dispatches = calls.create_task(self._repeated(lambda: self._livekit.dispatches(room)))
        except ExceptionGroup as failures:
            raise _foremost(failures) from failures
        if self._clock.now() - requested_at > SLOW:
            await self._live(room, sid)  # meanwhile another room of that name may have answered
        return Look(requested_at, participants.result(), dispatches.result())

    async def _count_people(self, owner: SessionOwner, look: Look) -> None:
        """The store counts people by their sids, so they must go in by its door."""
        try:
            held = await owner.people()
            if facts := tuple(people_differences(owner.session, look, held)):
                await owner.tell(*facts)
        except StoreUnavailable:
            return  # the next look, or the reconciler, counts them

    async def _live(self, name: str, sid: str) -> None:
        try:
            room = await self._repeated(lambda: self._livekit.room(name))
        except LiveKitError as error:
            raise LookFailed(error.cause) from error
        if room is None or room.sid != sid:
            raise RoomGone(name)

    async def _repeated(self, call: Callable[[], Awaitable[T]]) -> T:
        """A reading call, repeated alone when LiveKit did not answer: reading twice does no harm."""
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(LiveKitUnavailable),
            stop=stop_after_attempt(1 + len(REPEATS)),
            wait=wait_chain(*(wait_fixed(seconds) for seconds in REPEATS)),
            sleep=self._clock.sleep,
            reraise=True,
        )

        async def once() -> T:
            return await call()

        return await retrying(once)


def _foremost(failures: ExceptionGroup[Exception]) -> Exception:
    """What several failed calls come to: a room that is gone explains every other failure."""
    gone = next((error for error in failures.exceptions if isinstance(error, RoomGone)), None)
    if gone is not None:
        return gone
    for error in failures.exceptions:
        if isinstance(error, LiveKitError):
            return LookFailed(error.cause)
    return failures.exceptions[0] if len(failures.exceptions) == 1 else failures
