"""One line that makes any agent one of Rollcall's: `roll = await worker.attach(ctx)`."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import TYPE_CHECKING

from orchestrator.contract import DONE_ATTRIBUTE, SESSION_ATTRIBUTE, WARNING_ATTRIBUTE
from worker.orchestrator import Orchestrator, OrchestratorClient
from worker.roll import InsteadOf, Resumed, answer_pulse, instead_of_in, key_of, report_ready, resumed_in
from worker.tracing import AgentTrace, begin_trace
from worker.transcripts import Transcript

if TYPE_CHECKING:
    from typing import Any

    from livekit import rtc
    from livekit.agents import AgentSession, JobContext

log = logging.getLogger("rollcall.worker")

TAKEOVER_PATIENCE = 20.0
"""Seconds that an agent waits for the one before it to leave: that one may introduce it first, and may have died."""

WARNING_LENGTH = 500
"""Characters of all warnings together: they stand in an attribute that goes to everybody in the room."""


async def attach(ctx: JobContext) -> Roll:
    """Answer the roll in this job's room from now on.

    It connects the job unless that is done already: whoever wants other options calls `ctx.connect(…)` first. Participant
    entrypoints must be added before either. SettingsError where ROLLCALL_URL or the token cannot be used.
    """
    client = Orchestrator.from_environment(os.environ).client()
    trace = begin_trace(ctx, os.environ)
    roll = Roll(ctx, client, trace)
    await ctx.connect()
    # At once, and before anything is awaited: the first pulse comes right after the agent has joined.
    answer_pulse(ctx.room)
    mine = ctx.room.local_participant.attributes
    missing = {name: value for name, value in roll.key.items() if mine.get(name) != value}
    if missing:
        await ctx.room.local_participant.set_attributes(missing)
    trace.joined()
    return roll


class Roll:
    """What an agent says to Rollcall, and what Rollcall has told it. Made by `attach`."""

    def __init__(self, ctx: JobContext, orchestrator: OrchestratorClient | None, trace: AgentTrace) -> None:
        """Without an orchestrator there are no transcripts, and all else is as it is with one."""
        self._ctx = ctx
        self._trace = trace
        self._warnings: list[str] = []
        self.orchestrator = orchestrator
        """The line to the orchestrator; None without ROLLCALL_URL."""
        self.key = key_of(ctx.job.attributes, ctx.job.metadata)
        """Our key of the dispatch, as attributes; empty when somebody else dispatched the agent."""
        self.session = self.key.get(SESSION_ATTRIBUTE) or ctx.job.room.sid
        """The room's sid, which is what a session is called."""

    @property
    def resumes(self) -> Resumed | None:
        """What this agent takes up after another one was lost; None when it begins anew."""
        return resumed_in(self._ctx.job.metadata)

    @property
    def instead_of(self) -> InsteadOf | None:
        """Whom this agent takes over from, and who is still there; None when it takes over from nobody."""
        return instead_of_in(self._ctx.job.metadata)

    async def ready(self) -> None:
        """Say that this agent can serve. One whose AgentSession has started need not: Rollcall sees that by itself."""
        await report_ready(self._ctx.room)

    async def warn(self, text: str) -> None:
        """Tell on-call, in a sentence, that this agent serves, but not as it was meant to."""
        sentence = " ".join(text.split())
        if not sentence or sentence in self._warnings:
            return
        self._warnings.append(sentence)
        warnings = " ".join(self._warnings)
        if len(warnings) > WARNING_LENGTH:
            warnings = f"{warnings[: WARNING_LENGTH - 1]}…"
        await self._ctx.room.local_participant.set_attributes({WARNING_ATTRIBUTE: warnings})

    def heard(self) -> None:
        """Say, for the session's trace, that people hear this agent from now on. One with an AgentSession need not."""
        self._trace.heard()

    async def done(self) -> None:
        """Say that this agent's work is finished: when it leaves then, it is not missed."""
        await self._ctx.room.local_participant.set_attributes({DONE_ATTRIBUTE: "true"})

    async def wait_for_turn(self) -> bool:
        """Keep silent until the agent that this one takes over from has left; False when it stayed for TAKEOVER_PATIENCE."""
        before = self.instead_of
        if before is None:
            return True
        left = await _gone(self._ctx.room, before.identity, patience=TAKEOVER_PATIENCE)
        if not left:
            log.warning("the agent before this one is still here", extra={"identity": before.identity})
        return left

    def record(self, session: AgentSession[Any]) -> None:
        """Hand what is said in this session over to the orchestrator, until the job ends. Call it before the session starts."""
        if self.orchestrator is None:
            log.info("no transcript is kept: ROLLCALL_URL is not set")
            return
        transcript = Transcript(self.orchestrator, session=self.session, agent_name=self._ctx.job.agent_name)
        session.on("conversation_item_added", transcript.add_event)
        self._ctx.add_shutdown_callback(transcript.finish)


async def _gone(room: rtc.Room, identity: str, *, patience: float) -> bool:
    gone = asyncio.Event()

    def on_leave(participant: rtc.RemoteParticipant) -> None:
        if participant.identity == identity:
            gone.set()

    room.on("participant_disconnected", on_leave)
    try:
        if identity not in room.remote_participants:
            return True
        async with asyncio.timeout(patience):
            await gone.wait()
    except TimeoutError:
        return False
    else:
        return True
    finally:
        room.off("participant_disconnected", on_leave)
