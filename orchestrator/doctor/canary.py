"""Does an agent come when it is dispatched? One is, by name, into a scratch room, and must be there and answer."""

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import Final

from orchestrator import contract
from orchestrator.configuration.routes import policy_of
from orchestrator.core import causes
from orchestrator.core.belonging import same_name
from orchestrator.core.causes import Cause
from orchestrator.core.duplicates import SETTLED_AFTER
from orchestrator.core.evidence import cause_so_far
from orchestrator.core.facts import CandidateSpec
from orchestrator.core.fleet import NameState
from orchestrator.core.listing import ListedDispatch, ListedParticipant, ListedRoom, Look
from orchestrator.core.placement import Attempt
from orchestrator.core.policy import Policy
from orchestrator.core.proof import Key
from orchestrator.core.templates import ROOM_PART, Template
from orchestrator.doctor.agents import Announced
from orchestrator.doctor.findings import Finding, failed, ok, quoted, warning
from orchestrator.doctor.scratch import ScratchRooms
from orchestrator.runtime.ports import Clock, LiveKit, LiveKitError, Pulse, PulseReply
from orchestrator.settings import Settings

NAME: Final = "canary"

AT_ONCE: Final = 4
"""Canaries under way: a burst is what LiveKit loses."""

LATE: Final = 5.0
"""Seconds for which a room stays closed whose agent is still on its way: a job that waits for its process outlives its
room, and opens it anew when it joins."""

_LOOK: Final = 0.25
_LOOK_ON_CLOUD: Final = 1.0
"""Seconds between two listings; on LiveKit Cloud calls are counted."""

_QUESTIONS: Final = 3
"""To an agent of which LiveKit cannot say at once whether it answers: its data channel opens a moment after it joined."""


@dataclass(frozen=True, slots=True)
class Canaries:
    """The check of each agent name, with what it needs."""

    settings: Settings
    livekit: LiveKit
    scratch: ScratchRooms
    announced: Announced
    clock: Clock
    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def examine(self, agent_name: str) -> list[Finding]:
        async with self._turns:
            try:
                # The dispatch goes with its room. Deleted before it, it would leave its job in LiveKit's Redis for good
                # (seen on 1.13.5).
                async with self.scratch.room() as room:
                    trial = await self._dispatched(agent_name, room)
                if trial.taken:
                    await self.scratch.keep_closed(room.name, LATE, self.clock.sleep)
                return [trial.finding]  # noqa: TRY300 - the last of what may fail stands above it
            except LiveKitError as error:
                message = f"LiveKit did not do what is needed for a canary: {quoted(str(error))}."
                return [failed(NAME, message, "Look into LiveKit's log at this moment.", subject=agent_name)]

    async def _dispatched(self, agent_name: str, room: ListedRoom) -> "_Trial":
        key = Key(session=room.sid, placement=agent_name, attempt=1, attempt_id=secrets.token_hex(8))
        began = self.clock.monotonic()
        dispatch_id = await self.livekit.create_dispatch(room.name, self._candidate(agent_name, room.name, key), key)
        return await self._watched(agent_name, room.name, dispatch_id, began)

    def _candidate(self, agent_name: str, room: str, key: Key) -> CandidateSpec:
        """With the metadata of the first route that wants it, so that a worker which needs it finds it."""
        template = _template(self.settings, agent_name)
        parts = dict.fromkeys(template.parts, "scratch") | {ROOM_PART: room}
        mine = {contract.RESERVED_KEY: {**key.reserved(), "scratch": True}}
        return CandidateSpec(agent_name, json.dumps({**json.loads(template.render(parts)), **mine}, separators=(",", ":")))

    # --- waiting ---

    async def _watched(self, agent_name: str, room: str, dispatch_id: str, began: float) -> "_Trial":
        policy = _policy(self.settings, agent_name)
        every = _LOOK_ON_CLOUD if self.settings.cloud else _LOOK
        look_at = max(policy.accept_window, SETTLED_AFTER) if policy.accept_window else policy.join_window
        while (waited := self.clock.monotonic() - began) < policy.join_window:
            agent = await self._agent(agent_name, room)
            if agent is not None:
                seconds = self.clock.monotonic() - began
                return _Trial(_answered(agent_name, seconds, await self._asked(room, agent.identity)))
            if waited >= look_at:
                look_at = policy.join_window
                trial = await self._given_up(agent_name, room, dispatch_id, waited, final=False)
                if trial is not None:
                    return trial
            await self.clock.sleep(every)
        trial = await self._given_up(agent_name, room, dispatch_id, policy.join_window, final=True)
        return trial or _Trial(_missing(agent_name, Cause.UNKNOWN, policy.join_window), taken=True)

    async def _agent(self, agent_name: str, room: str) -> ListedParticipant | None:
        participants = await self.livekit.participants(room)
        return next((p for p in participants if p.is_agent and p.active and same_name(agent_name, p.agent_name)), None)

    async def _asked(self, room: str, identity: str) -> PulseReply:
        for _ in range(_QUESTIONS - 1):
            reply = await self.livekit.pulse(room, identity, timeout=self.settings.pulse_timeout)
            if reply.pulse is not Pulse.UNKNOWN:
                return reply
            await self.clock.sleep(_LOOK)
        return await self.livekit.pulse(room, identity, timeout=self.settings.pulse_timeout)

    async def _given_up(self, agent_name: str, room: str, dispatch_id: str, waited: float, *, final: bool) -> "_Trial | None":
        """What the dispatch shows of why nobody came; None while somebody still may."""
        dispatches = await self.livekit.dispatches(room)
        dispatch = next((d for d in dispatches if d.dispatch_id == dispatch_id), None)
        attempt = _attempt(agent_name, dispatch_id, dispatch)
        cause = cause_so_far(attempt, Look(self.clock.now(), (), dispatches), final=final)
        if cause is None:
            return None
        if cause is Cause.NOT_TAKEN:
            cause = _CAUSES.get(self.announced.state(agent_name), cause)
        said = next((job.error for job in dispatch.jobs if job.error), "") if dispatch else ""
        return _Trial(_missing(agent_name, cause, waited, said), taken=attempt.job_has_identity)


@dataclass(frozen=True, slots=True)
class _Trial:
    """What came of one canary."""

    finding: Finding
    taken: bool = False
    """A worker has the job, and its agent did not come: it may yet."""


_CAUSES: Final = {
    NameState.OFFLINE: Cause.NO_WORKER,
    NameState.FULL: Cause.WORKER_FULL,
    NameState.DRAINING: Cause.WORKER_FULL,
}
"""What workers announce tells more than LiveKit's API."""


def names(settings: Settings, only: tuple[str, ...]) -> tuple[str, ...]:
    """The agents to try: those that were asked for, else all of the configuration."""
    return tuple(dict.fromkeys(only)) or tuple(settings.agents)


def wanted(settings: Settings) -> tuple[str, ...]:
    """The agents that the routes name, fallbacks included."""
    candidates = (c for route in settings.compiled_routes.routes for wanted in route.wanted for c in wanted.candidates)
    return tuple(dict.fromkeys(candidate.agent_name for candidate in candidates))


def _template(settings: Settings, agent_name: str) -> Template:
    candidates = (c for route in settings.compiled_routes.routes for wanted in route.wanted for c in wanted.candidates)
    entry = settings.agents.get(agent_name)
    otherwise = Template(entry.metadata if entry else {})
    return next((candidate.metadata for candidate in candidates if candidate.agent_name == agent_name), otherwise)


def _policy(settings: Settings, agent_name: str) -> Policy:
    entry = settings.agents.get(agent_name)
    return policy_of(entry.policy, settings.default_policy) if entry else settings.default_policy


def _attempt(agent_name: str, dispatch_id: str, dispatch: ListedDispatch | None) -> Attempt:
    """The canary as an attempt of the core, which knows what evidence means."""
    job = next(iter(dispatch.jobs), None) if dispatch else None
    return Attempt(
        number=1,
        agent_name=agent_name,
        requested_at=0.0,
        dispatch_id=dispatch_id,
        job_id=job.job_id if job else None,
        job_status=job.status if job else None,
        job_has_identity=bool(job and job.identity),
    )


def _answered(agent_name: str, seconds: float, reply: PulseReply) -> Finding:
    joined = f"It joined {seconds:.2f} s after its dispatch"
    match reply.pulse:
        case Pulse.ALIVE:
            return ok(NAME, f"{joined}, and answered in {reply.rtt_ms:g} ms.", subject=agent_name)
        case Pulse.UNSUPPORTED:
            return ok(NAME, f"{joined}; this server cannot ask it whether it answers.", subject=agent_name)
        case Pulse.UNKNOWN:
            message = f"{joined}; LiveKit could not say whether it answers."
            return warning(NAME, message, "Try again; look into LiveKit's log.", subject=agent_name)
        case Pulse.SILENT:
            return failed(NAME, f"{joined}, but it answers nothing.", causes.fix(Cause.SILENT, agent_name), subject=agent_name)
        case Pulse.NOT_THERE:
            cause = Cause.JOINED_THEN_LEFT
            return failed(NAME, f"{joined}, and was gone when it was asked.", causes.fix(cause, agent_name), subject=agent_name)


def _missing(agent_name: str, cause: Cause, waited: float, said: str = "") -> Finding:
    message = f"It did not come within {waited:.0f} s ({cause}). {causes.sentence(cause, agent_name)}"
    if said:
        message += f" The job says {quoted(said)}."
    return failed(NAME, message, causes.fix(cause, agent_name), subject=agent_name)
