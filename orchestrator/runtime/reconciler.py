"""What LiveKit lists, against what we hold: so that no lost webhook costs more than time.

One round after the other, by one replica at a time. Whatever a round finds is a fact, and goes through the same door as
a webhook: the session's owner, wherever it runs, folds it and does what follows.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from orchestrator.core.alerts import AlertType
from orchestrator.core.facts import RoomFinished, RoomListed, RoomOpened, Source
from orchestrator.core.listing import ListedRoom, Look
from orchestrator.core.reconciling import Listening, Round, Silence, abandoned, doubtful, listed_differences, urgency
from orchestrator.core.session import Session
from orchestrator.runtime.asking import Asker
from orchestrator.runtime.intake import Intake
from orchestrator.runtime.looking import GONE_TWICE
from orchestrator.runtime.ports import (
    Clock,
    Hearing,
    Leases,
    LiveKit,
    LiveKitError,
    Randomness,
    Rounds,
    SessionStore,
    StoreCorrupt,
    StoreUnavailable,
)
from orchestrator.runtime.standing import Standing

log = structlog.get_logger()

WEBHOOKS_SILENT: Final = AlertType.WEBHOOKS_SILENT

_SILENCE_FIX: Final = (
    "Look at LiveKit's webhook settings: the URL must be this service's /webhooks/livekit, the API key one that we know"
    " (LIVEKIT_API_KEY or keys), no filter may drop room and participant events, and no firewall stand between."
)

_AFTER_FAILURE: Final = 5.0
"""Seconds before a round that failed is tried again."""


@dataclass(frozen=True, slots=True)
class ReconcilerTimes:
    """How often, and how much at once. Seconds."""

    period: float = 15.0
    jitter: float = 0.2
    looks: int = 375
    """Rooms that one round looks into at most, two calls each: the rest has its turn in the next ones."""
    parallel: int = 16
    adopt: bool = False
    """Whether what lived before us is dispatched to, as what comes later is."""


class Reconciler:
    """Compares, round after round."""

    def __init__(
        self,
        *,
        replica: str,
        livekit: LiveKit,
        asker: Asker,
        store: SessionStore,
        rounds: Rounds,
        leases: Leases,
        hearing: Hearing,
        intake: Intake,
        standing: Standing,
        claim: Callable[[str, str], Awaitable[None]],
        clock: Clock,
        randomness: Randomness,
        times: ReconcilerTimes,
        on_round: Callable[[Round], None] = lambda _: None,
    ) -> None:
        """`claim(sid, owner)` drives a session here whose owner is gone."""
        self._replica = replica
        self._livekit = livekit
        self._asker = asker
        self._store = store
        self._rounds = rounds
        self._leases = leases
        self._hearing = hearing
        self._intake = intake
        self._standing = standing
        self._claim = claim
        self._clock = clock
        self._randomness = randomness
        self._times = times
        self._on_round = on_round
        self._looked: dict[str, float] = {}
        self._made_at = clock.monotonic()
        self._know_the_fleet = False
        """Whether a complete round has been made on this store, as far as this process knows."""

    async def run(self) -> None:
        """Round after round, for ever; returns at once when reconciling is switched off."""
        if self._times.period <= 0:
            return
        pause = self._times.period * self._times.jitter * self._randomness.fraction()
        while True:
            await self._clock.sleep(pause)
            shortest = self._times.period * (1 - self._times.jitter)
            pause = shortest + 2 * self._times.period * self._times.jitter * self._randomness.fraction()
            try:
                if await self._rounds.begin(self._replica, shortest):
                    self._on_round(await self.round())
            except (StoreUnavailable, LiveKitError) as error:
                log.warning("round_failed", replica=self._replica, error=str(error))
                pause = _AFTER_FAILURE

    def look_at_everything(self) -> None:
        """Trust nothing that was seen so far: the next rounds look into every room."""
        self._looked.clear()

    async def round(self) -> Round:
        """One comparison of everything. Raises StoreUnavailable, and LiveKitError when there is no listing."""
        begun_at = self._clock.monotonic()
        requested_at = self._clock.now()
        found = Round()
        listed = {room.sid: room for room in await self._livekit.rooms()}
        found.rooms = len(listed)
        live = await self._leases.live()
        started_at = requested_at - (self._clock.monotonic() - self._made_at)
        listening = Listening(requested_at, await self._hearing.last(), since=started_at)
        unknown = dict(listed)
        doubted: list[str] = []
        to_look: list[tuple[int, float, str]] = []
        async for portion in self._store.held():
            for held in portion:
                unknown.pop(held.sid, None)
                if abandoned(held, live, requested_at):
                    await self._claim(held.sid, held.owner)
                    found.claimed += 1
                if doubtful(held, listed, requested_at):
                    doubted.append(held.sid)
                if room := listed.get(held.sid):
                    listening.add(held, room)
                    looked_at = self._looked.get(held.sid, 0.0)
                    if (urgent := urgency(held, room, looked_at, requested_at)) is not None:
                        to_look.append((urgent, looked_at, held.sid))
        before_us = started_at if await self._is_the_first() else 0.0
        await self._all(self._adopt(room, requested_at, before_us, found) for room in unknown.values())
        most_urgent = [listed[sid] for _, _, sid in sorted(to_look)[: self._times.looks]]
        await self._all(self._look_into(room, found) for room in most_urgent)
        if doubted:
            await self._clock.sleep(max(requested_at + GONE_TWICE - self._clock.now(), 0.0))
            await self._all(self._end_if_gone(sid, found) for sid in sorted(doubted)[: self._times.looks])
        self._looked = {sid: at for sid, at in self._looked.items() if sid in listed}
        await self._rounds.complete()
        self._know_the_fleet = True
        found.silence = listening.result
        await self._tell_of_silence(found.silence)
        found.seconds = self._clock.monotonic() - begun_at
        return found

    async def _is_the_first(self) -> bool:
        """Whether no round was ever completed on this store: only then rooms are found that lived before us."""
        return not (self._times.adopt or self._know_the_fleet or await self._rounds.completed())

    async def _adopt(self, room: ListedRoom, requested_at: float, before_us: float, found: Round) -> None:
        """A room whose start we never heard; one that is older than `before_us` is observed."""
        opening = RoomOpened(room.name, room.sid, room.created_at, room.metadata)
        fact = RoomListed(requested_at, observed=room.created_at < before_us)
        await self._intake.receive(opening, [fact], event_id=None)
        found.adopted += 1

    async def _look_into(self, room: ListedRoom, found: Round) -> None:
        requested_at = self._clock.now()
        try:
            participants, dispatches = await asyncio.gather(
                self._livekit.participants(room.name), self._livekit.dispatches(room.name)
            )
        except LiveKitError as error:  # unknown, never absent
            log.info("room_not_looked_into", room=room.name, sid=room.sid, error=str(error))
            return
        self._looked[room.sid] = requested_at
        found.looked += 1
        session = await self._read(room.sid)
        if session is None or session.ended:
            return
        look = Look(requested_at, participants, dispatches)
        differences = listed_differences(session, look, await self._store.people(room.sid))
        facts = await self._asker.without_the_living(room.name, differences)
        if facts and await self._still_lives(room):
            found.differing += 1
            await self._intake.receive(_opening(session), facts, event_id=None)

    async def _still_lives(self, room: ListedRoom) -> bool:
        """Whether it was this room that was looked into, and not by now another one of its name."""
        try:
            now = await self._livekit.room(room.name)
        except LiveKitError:
            return False  # unknown: the next round looks again
        return now is not None and now.sid == room.sid

    async def _end_if_gone(self, sid: str, found: Round) -> None:
        """A room that the listing lacked is asked for by its name before that counts."""
        session = await self._read(sid)
        if session is None or session.ended:
            return
        asked_at = self._clock.now()
        try:
            room = await self._livekit.room(session.room)
            # A listing may be empty by mistake; then somebody may still be seen in the room.
            somebody = room is None and await self._livekit.participants(session.room)
        except LiveKitError as error:
            log.info("room_not_confirmed_gone", room=session.room, sid=sid, error=str(error))
            return
        if not somebody and (room is None or room.sid != sid):
            finished = RoomFinished(created_at=asked_at, source=Source.LISTING)
            await self._intake.receive(_opening(session), [finished], event_id=None)
            found.ended += 1

    async def _tell_of_silence(self, silence: Silence) -> None:
        if silence.silent:
            last = await self._hearing.last()
            when = "none ever came" if last is None else f"the last one came {self._clock.now() - last:.0f} s ago"
            summary = f"LiveKit lists {silence.unheard} rooms of which no webhook came; of all webhooks, {when}."
            await self._standing.fire(WEBHOOKS_SILENT, summary, _SILENCE_FIX)
        else:
            await self._standing.resolve(WEBHOOKS_SILENT, "LiveKit's webhooks arrive again.")

    async def _read(self, sid: str) -> Session | None:
        try:
            return await self._store.read(sid)
        except StoreCorrupt:
            log.warning("session_unreadable", sid=sid)
            return None

    async def _all(self, work: Iterable[Awaitable[None]]) -> None:
        """Do all of it, so many pieces at once; `work` makes each when it is begun. Raises the first error."""
        pieces = iter(work)

        async def worker() -> None:
            for piece in pieces:
                await piece

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(self._times.parallel):
                    workers.create_task(worker())
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures


def _opening(session: Session) -> RoomOpened:
    return RoomOpened(session.room, session.sid, session.started_at)
