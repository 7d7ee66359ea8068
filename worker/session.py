"""One job, from the room's door to the greeting."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from livekit import rtc
from livekit.agents import JobContext

from orchestrator.contract import ATTEMPT_ATTRIBUTE
from worker.chime_voice import ChimeVoice
from worker.context import Context, read_context
from worker.openai_voice import OpenAIVoice
from worker.roll import answer_pulse, key_of, report_ready
from worker.settings import Settings
from worker.voice import Voice

log = logging.getLogger("rollcall.worker")


async def attend(ctx: JobContext, settings: Settings) -> None:
    """Join, answer the roll, get ready, say so, and greet everyone who is there or comes later."""
    ctx.log_context_fields = _log_fields(ctx)
    serving = asyncio.Event()
    voice = _voice(ctx, settings)

    async def welcome(_: JobContext, person: rtc.RemoteParticipant) -> None:
        await serving.wait()
        context = read_context(
            job=ctx.job.metadata,
            room=ctx.room.metadata,
            participant=person.metadata,
        )
        _report(context)
        await voice.greet(person, context)

    # Before connecting: livekit-agents calls it only for people it sees from then on.
    ctx.add_participant_entrypoint(welcome)
    await ctx.connect()
    answer_pulse(ctx.room)
    await voice.start()
    await report_ready(ctx.room)
    await _room_metadata(ctx.room, wait=settings.room_metadata_wait)
    serving.set()


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


def _voice(ctx: JobContext, settings: Settings) -> Voice:
    if settings.openai is None:
        return ChimeVoice(ctx.room)
    return OpenAIVoice(ctx, settings.openai)


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
