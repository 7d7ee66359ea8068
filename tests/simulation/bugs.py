"""Fourteen planted bugs: proof that the simulation can fail. Each puts one wrong part in the place of the right one.

They live here and nowhere else: what is replaced knows nothing of it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar, Final

from orchestrator.core import transitions
from orchestrator.core.belonging import evictions
from orchestrator.core.evidence import unproven
from orchestrator.core.facts import AgentJoined, Fact, JobStatus, PulseAnswered, RoomFinished, RoomOpened, Source
from orchestrator.core.listing import Look
from orchestrator.core.placement import Attempt
from orchestrator.core.session import Agent, Session
from orchestrator.livekit.webhook import Event, Ignored
from orchestrator.runtime import owner
from orchestrator.runtime.aftercare import Aftercare
from orchestrator.runtime.alarm import Alarm
from orchestrator.runtime.asking import Asker
from orchestrator.runtime.dispatcher import Dispatcher
from orchestrator.runtime.fencing import FencedLiveKit
from orchestrator.runtime.looking import Looker
from orchestrator.runtime.owner import SessionOwner, Superseded
from orchestrator.runtime.ports import LiveKit, Pulse, PulseReply
from tests.fakes.store import Line
from tests.fakes.store.server import Stored
from tests.simulation.audit import AuditedStore
from tests.simulation.planting import Bug, replaced
from tests.simulation.wish_bugs import (
    DispatchesThePaused,
    IsDeafBeforeRouting,
    KeepsTheLate,
    ReplacesTheRelieved,
    SwitchesBlindly,
)
from tests.simulation.world import World


class _NoFence(FencedLiveKit):
    def _check(self) -> None:
        """Whoever has lost its lease writes all the same."""


class DropsTheFence(Bug):
    name = "drop the fence"
    parts: ClassVar[Mapping[str, type]] = {"FencedLiveKit": _NoFence}


class _JobLooker(Looker):
    async def look(self, owner: SessionOwner) -> Look:
        look = await super().look(owner)
        present = {agent.identity for agent in owner.session.agents}
        for dispatch in look.dispatches:
            for job in dispatch.jobs:
                if job.status is JobStatus.RUNNING and job.identity and job.identity not in present:
                    now, name = self._clock.now(), dispatch.agent_name
                    await owner.record(AgentJoined(f"PA_{job.job_id}", job.identity, name, now, now, dispatch.key))
        return look


class TrustsRunningJobs(Bug):
    name = "trust JS_RUNNING"
    parts: ClassVar[Mapping[str, type]] = {"Looker": _JobLooker}


class _HastyLooker(Looker):
    async def finish_if_gone(self, owner: SessionOwner) -> None:
        await owner.record(RoomFinished(created_at=self._clock.now(), source=Source.LISTING))


class ActsOnAnEmptyListing(Bug):
    name = "act on an empty listing"
    parts: ClassVar[Mapping[str, type]] = {"Looker": _HastyLooker}


class _CountingStore(AuditedStore):
    def _next_epoch(self, stored: Stored) -> int:
        return stored.epoch + 1


class CountsEpochs(Bug):
    name = "plain INCR epoch"

    def store(self, line: Line, replica: str, world: World) -> AuditedStore:
        return _CountingStore(line, replica, world.judge)


class _BlindDispatcher(Dispatcher):
    async def _begin(self, owner: SessionOwner, name: str) -> Attempt | None:
        placement = owner.wanted(name)
        if placement is None or not await self._pacing.acquire(owner, placement, None):
            return None
        return await self._attempts.call(owner, name)


class DoesNotLook(Bug):
    name = "no look before create"
    parts: ClassVar[Mapping[str, type]] = {"Dispatcher": _BlindDispatcher}


class _ForgetfulAftercare(Aftercare):
    async def evict(self, owner: SessionOwner) -> None:
        try:
            await owner.until(lambda session: not evictions(session))
        except Superseded:
            return

    async def examine(self, owner: SessionOwner, extra: Agent) -> None:
        """Nobody knows that this one was given up."""


class HasNoRetiredList(Bug):
    name = "no retired list"
    parts: ClassVar[Mapping[str, type]] = {"Aftercare": _ForgetfulAftercare}


def _fold_blindly(session: Session | None, fact: Fact, now: float) -> Session:
    if session is not None and isinstance(fact, AgentJoined) and fact.source is Source.WEBHOOK:
        session = replace(session, agents=tuple(a for a in session.agents if a.participant_sid != fact.participant_sid))
    return transitions.fold(session, fact, now)


class TrustsWebhooksBlindly(Bug):
    """A `joined` is believed although its participant has left, and of whichever room has this name by now."""

    name = "webhooks trusted blindly"
    first = 90

    def __init__(self) -> None:
        self._newest: dict[str, RoomOpened] = {}

    def read(self, body: bytes) -> Event | Ignored:
        event = super().read(body)
        if isinstance(event, Ignored):
            return event
        newest = self._newest.get(event.opening.room, event.opening)
        newest = max(newest, event.opening, key=lambda opening: opening.started_at)
        self._newest[newest.room] = newest
        joined = any(isinstance(fact, AgentJoined) for fact in event.facts)
        return replace(event, opening=newest) if joined else event

    @contextmanager
    def in_place(self) -> Iterator[None]:
        self._newest.clear()
        with replaced(owner, {"fold": _fold_blindly}):
            yield


class _CredulousAsker(Asker):
    async def ask_the_unproven(self, owner: SessionOwner) -> dict[str, Pulse]:
        agents = unproven(owner.session)
        if agents:
            await owner.record(*(PulseAnswered(agent.identity, 0.0) for agent in agents))
        return {agent.participant_sid: Pulse.ALIVE for agent in agents}


class TrustsListings(Bug):
    name = "listing trusted without a pulse"
    parts: ClassVar[Mapping[str, type]] = {"Asker": _CredulousAsker}


class _ForgetfulAlarm(Alarm):
    async def queue(self, owner: SessionOwner) -> None:
        await super().queue(owner)
        await self._clock.sleep(15.0)
        session = owner.session
        for placement in session.placements:
            for incident in placement.incidents:
                if incident.firing_queued and incident.resolved_at is None:
                    await self._alerts.queue(self._alert(session, placement, incident, "resolved"))


class ResolvesOnSilence(Bug):
    name = "resolve on silence"
    parts: ClassVar[Mapping[str, type]] = {"Alarm": _ForgetfulAlarm}


class _Impatient:
    """LiveKit's API; whatever keeps an answer away is taken for the agent's silence."""

    def __init__(self, livekit: LiveKit) -> None:
        self._livekit = livekit

    def __getattr__(self, name: str) -> Any:
        return getattr(self._livekit, name)

    async def pulse(self, room: str, identity: str, *, timeout: float) -> PulseReply:
        reply = await self._livekit.pulse(room, identity, timeout=timeout)
        return reply if reply.pulse is Pulse.ALIVE else PulseReply(Pulse.SILENT, reply.rtt_ms)


class TakesTheServerForTheAgent(Bug):
    name = "silence of the server taken for an agent's"

    def livekit(self, livekit: LiveKit) -> LiveKit:
        impatient: Any = _Impatient(livekit)
        return impatient  # type: ignore[no-any-return]


BUGS: Final[Mapping[str, Bug]] = {
    bug.name: bug
    for bug in (
        DropsTheFence(),
        TrustsRunningJobs(),
        ActsOnAnEmptyListing(),
        CountsEpochs(),
        DoesNotLook(),
        HasNoRetiredList(),
        TrustsWebhooksBlindly(),
        TrustsListings(),
        ResolvesOnSilence(),
        TakesTheServerForTheAgent(),
        ReplacesTheRelieved(),
        KeepsTheLate(),
        IsDeafBeforeRouting(),
        SwitchesBlindly(),
        DispatchesThePaused(),
    )
}
