"""Which work a session needs now, derived from its record after every commit: so a takeover finds the same work to do."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from orchestrator.core.belonging import evictions, extras
from orchestrator.core.evidence import unproven
from orchestrator.core.placement import Placement, PlacementState
from orchestrator.runtime.aftercare import Aftercare
from orchestrator.runtime.alarm import Alarm, unqueued
from orchestrator.runtime.dispatcher import Dispatcher
from orchestrator.runtime.owner import SessionOwner
from orchestrator.runtime.ports import Clock
from orchestrator.runtime.pulse import PulseKeeper
from orchestrator.runtime.tasks import Tasks

log = structlog.get_logger()

_AFTER_DEFECT: Final = 1.0
"""Seconds before a piece of work that raised something unforeseen is begun again: never a hot loop."""

Work = Callable[[], Coroutine[Any, Any, None]]


class Steward:
    """Starts the work of the sessions that this replica drives; each piece runs once at a time, for each owner.

    What an owner that was let go has under way does not keep its successor from beginning.
    """

    def __init__(
        self,
        dispatcher: Dispatcher,
        aftercare: Aftercare,
        pulse: PulseKeeper,
        alarm: Alarm,
        tasks: Tasks,
        clock: Clock,
    ) -> None:
        self._clock = clock
        self._on_done: Callable[[SessionOwner], None] = lambda _: None
        self._dispatcher = dispatcher
        self._aftercare = aftercare
        self._pulse = pulse
        self._alarm = alarm
        self._tasks = tasks
        self._running: dict[SessionOwner, set[str]] = {}
        self._attended: dict[str, set[str]] = {}

    def when_done(self, callback: Callable[[SessionOwner], None]) -> None:
        """Whom to tell when a session has ended and nothing is left to do for it."""
        self._on_done = callback

    def react(self, owner: SessionOwner) -> None:
        """Start what the record asks for and is not under way."""
        session = owner.session
        for placement in session.placements:
            self._see_to(owner, placement)
        for placement, extra in extras(session):
            self._start_once(
                owner,
                f"examine:{extra.participant_sid}:{extra.seen_at}:{placement.over}",
                lambda extra=extra: self._aftercare.examine(owner, extra),  # type: ignore[misc]
            )
        if unproven(session) and not session.ended:
            self._start(owner, "prove", lambda: self._pulse.prove(owner))
        if evictions(session):
            self._start(owner, "evict", lambda: self._aftercare.evict(owner))
        if next(unqueued(session), None):
            self._start(owner, "alarm", lambda: self._alarm.queue(owner))
        if self.done(owner):
            self._on_done(owner)

    def _see_to(self, owner: SessionOwner, placement: Placement) -> None:
        name = placement.agent_name
        if owner.session.wants(placement):
            self._start(owner, f"settle:{name}", lambda: self._dispatcher.settle(owner, name))
        if placement.state is PlacementState.VERIFIED and (identity := placement.identity):
            self._start_once(
                owner,
                f"attend:{identity}:{placement.verified_at}",
                lambda: self._aftercare.attend(owner, name, identity),
            )
            self._start(owner, f"pulse:{identity}", lambda: self._pulse.keep(owner, name, identity))
            if placement.leaves_at is not None:
                self._start(owner, f"relieve:{name}", lambda: self._aftercare.relieve(owner, name))
            if (replaced := placement.replacing) is not None:
                self._start(owner, f"replace:{replaced}", lambda: self._aftercare.replace(owner, name, replaced))
        if placement.state is PlacementState.CANCELLED:
            self._start_once(owner, f"dismiss:{name}:{placement.attempts_total}", lambda: self._aftercare.dismiss(owner, name))

    def done(self, owner: SessionOwner) -> bool:
        """Whether the session has ended and nothing is under way for it any more."""
        return owner.session.ended and not self._running.get(owner)

    def forget(self, sid: str) -> None:
        self._attended.pop(sid, None)

    def _start_once(self, owner: SessionOwner, piece: str, work: Work) -> None:
        attended = self._attended.setdefault(owner.sid, set())
        if piece not in attended:
            attended.add(piece)
            self._start(owner, piece, work)

    def _start(self, owner: SessionOwner, piece: str, work: Work) -> None:
        running = self._running.setdefault(owner, set())
        if piece not in running and not owner.stopped:
            running.add(piece)
            self._tasks.spawn(f"{owner.sid}:{piece}", self._run(owner, piece, work))

    async def _run(self, owner: SessionOwner, piece: str, work: Work) -> None:
        try:
            await work()
        except Exception:  # a guarded task's top: a defect in one piece must not leave its session without care
            log.exception("work_failed", sid=owner.sid, piece=piece)
            await self._clock.sleep(_AFTER_DEFECT)
        finally:
            running = self._running.get(owner, set())
            running.discard(piece)
            if not running:
                self._running.pop(owner, None)
        if not owner.stopped:
            self.react(owner)  # the record may have changed between the work's last look and its end
