"""One job, from the room's door to the goodbye."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeAlias

from livekit import rtc
from livekit.agents import JobContext
from livekit.agents.job import DEFAULT_PARTICIPANT_KINDS

from orchestrator.contract import ATTEMPT_ATTRIBUTE
from worker.attachment import Roll, attach
from worker.chime_voice import ChimeVoice
from worker.context import Context, read_context
from worker.models import models_of
from worker.persona import Briefing, brief
from worker.personas import Persona, Provider
from worker.roll import key_of
from worker.settings import Settings
from worker.talking_voice import TalkingVoice
from worker.tools import Desk, tools_of
from worker.voice import Voice

log = logging.getLogger("rollcall.worker")

Voices: TypeAlias = "Callable[[Persona, Roll, Desk], Voice]"
"""Makes a voice that a persona can speak with."""


async def attend(ctx: JobContext, settings: Settings) -> None:
    """Join, answer the roll, get ready, say so, and greet whoever is there or comes later."""
    ctx.log_context_fields = _log_fields(ctx)

    def voice_of(persona: Persona, roll: Roll, desk: Desk) -> Voice:
        if settings.models.provider_of(persona) is Provider.NONE:
            return ChimeVoice(ctx.room, roll.heard)
        return TalkingVoice(
            ctx.room,
            models_of=lambda persona: models_of(persona, settings.models),
            tools_of=lambda persona: tools_of(persona, desk),
            failed=lambda: ctx.shutdown(reason="the model service failed"),
            record=roll.record,
        )

    visit = Visit(ctx, settings, voice_of)
    # Before connecting: livekit-agents calls it only for people it sees from then on.
    ctx.add_participant_entrypoint(visit.welcome)
    await visit.begin(await attach(ctx))


class Visit:
    """An agent in a room: who it is there, for whom, and what it knows; each may change while it is there."""

    def __init__(self, ctx: JobContext, settings: Settings, voice_of: Voices) -> None:
        self._ctx = ctx
        self._settings = settings
        self._voice_of = voice_of
        self._serving = asyncio.Event()
        # Changes of who the agent is come from several events; one after the other they leave it in one piece.
        self._changing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._warned: set[str] = set()
        self._person: rtc.RemoteParticipant | None = None
        self._roll: Roll
        self._desk: Desk
        self._briefing: Briefing
        self._voice: Voice

    async def begin(self, roll: Roll) -> None:
        """Get ready, say so, and serve once it is this agent's turn."""
        ctx, room = self._ctx, self._ctx.room
        self._roll = roll
        self._desk = Desk(
            agent_name=ctx.job.agent_name,
            session=roll.session,
            line=roll.orchestrator,
            context=lambda: self._briefing.context,
            leave=self._leave,
        )
        self._briefing = self._brief(None)
        self._voice = self._voice_of(self._briefing.persona, roll, self._desk)
        await self._voice.start(self._briefing)
        await roll.ready()
        room.on("room_metadata_changed", lambda *_: self._spawn(self._refresh()))
        room.on("participant_metadata_changed", lambda person, *_: self._on_change(person))
        room.on("participant_attributes_changed", lambda _, person: self._on_change(person))
        room.on("participant_disconnected", self._on_leave)
        if roll.instead_of is None:
            await _room_metadata(room, wait=self._settings.room_metadata_wait)
        else:
            await roll.wait_for_turn()
        async with self._changing:
            await self._warn(self._briefing)
        self._serving.set()

    async def welcome(self, _: JobContext, person: rtc.RemoteParticipant) -> None:
        """Greet a person who has come, as whoever the agent is for that person."""
        await self._serving.wait()
        if self._talks_with_another(person):
            # A second person must not break into the talk of the first.
            _report(self._read(person))
            return
        self._person = person
        await self._refresh(always=True)
        await self._voice.greet(person, self._briefing)

    async def _refresh(self, *, always: bool = False) -> None:
        """Read again what is told, and be what it says. `always`: report it even where nothing is new."""
        async with self._changing:
            briefing = self._brief(self._person)
            if briefing == self._briefing and not always:
                return
            _report(briefing.context)
            before, self._briefing = self._briefing, briefing
            await self._warn(briefing)
            if before.persona != briefing.persona:
                log.info("persona", extra={"persona": briefing.persona.name})
            if self._kind(before) == self._kind(briefing):
                await self._voice.update(briefing)
                return
            await self._voice.close()
            self._voice = self._voice_of(briefing.persona, self._roll, self._desk)
            await self._voice.start(briefing)
        if not always and self._person is not None and self._serving.is_set():
            await self._voice.greet(self._person, briefing)

    async def _warn(self, briefing: Briefing) -> None:
        """Tell on-call what is not as it was meant to be; the roll tells nothing twice."""
        if briefing.warning and briefing.warning not in self._warned:
            self._warned.add(briefing.warning)
            log.warning("persona not known", extra={"reason": briefing.warning})
        for sentence in (briefing.warning, *(unreadable.sentence for unreadable in briefing.context.unreadable)):
            if sentence:
                await self._roll.warn(sentence)

    def _brief(self, person: rtc.RemoteParticipant | None) -> Briefing:
        return brief(
            self._settings.personas,
            self._read(person),
            agent_name=self._ctx.job.agent_name,
            taking_over=self._roll.instead_of is not None,
        )

    def _read(self, person: rtc.RemoteParticipant | None) -> Context:
        room, pattern = self._ctx.room, self._settings.room_pattern
        return read_context(
            job=self._ctx.job.metadata,
            room=room.metadata,
            room_name=pattern.parts(room.name) if pattern else None,
            participant=person.metadata if person else "",
            attributes=person.attributes if person else None,
        )

    def _kind(self, briefing: Briefing) -> tuple[bool, bool]:
        """What a voice cannot change while it lives: whether it has models, and whether what is said is written down."""
        return self._settings.models.provider_of(briefing.persona) is not Provider.NONE, briefing.persona.transcripts

    def _talks_with_another(self, person: rtc.RemoteParticipant) -> bool:
        partner = self._person.identity if self._person else None
        return self._talks and partner in self._ctx.room.remote_participants and partner != person.identity

    @property
    def _talks(self) -> bool:
        return self._kind(self._briefing)[0]

    async def _leave(self, reason: str) -> None:
        # An agent that leaves without having said so is missed, and replaced; one that says so and stays is not alone for long.
        try:
            await self._roll.done()
        finally:
            self._ctx.shutdown(reason=reason)

    def _on_change(self, person: rtc.Participant) -> None:
        if self._person is not None and person.identity == self._person.identity:
            self._spawn(self._refresh())

    def _on_leave(self, person: rtc.RemoteParticipant) -> None:
        """Whoever waited beside the person who has left is the next."""
        if self._person is None or person.identity != self._person.identity:
            return
        self._person = None
        others = self._ctx.room.remote_participants.values()
        if self._talks and (following := next((other for other in others if other.kind in DEFAULT_PARTICIPANT_KINDS), None)):
            self._spawn(self.welcome(self._ctx, following))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work, name="rollcall visit")
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a change could not be applied", exc_info=error)


async def _room_metadata(room: rtc.Room, *, wait: float) -> None:
    """Wait until the room has metadata: one that CreateDispatch had to create starts without, and gets it after us."""
    if room.metadata:
        return
    came = asyncio.Event()

    def on_change(_old: str, new: str) -> None:
        if new:
            came.set()

    room.on("room_metadata_changed", on_change)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait):
                await came.wait()
    finally:
        room.off("room_metadata_changed", on_change)


def _log_fields(ctx: JobContext) -> dict[str, str]:
    """The words under which the orchestrator logs the same session."""
    fields = {
        "room": ctx.job.room.name,
        "sid": ctx.job.room.sid,
        "dispatch_id": ctx.job.dispatch_id,
        "job_id": ctx.job.id,
    }
    attempt = key_of(ctx.job.attributes, ctx.job.metadata).get(ATTEMPT_ATTRIBUTE)
    return {**fields, "attempt": attempt} if attempt else fields


def _report(context: Context) -> None:
    """Say what was told and by whom; never the values, which may be about a person."""
    log.info("context read", extra={"told": context.keys_by_source()})
    for unreadable in context.unreadable:
        log.warning("metadata not used", extra={"source": unreadable.source.value, "reason": unreadable.reason})
