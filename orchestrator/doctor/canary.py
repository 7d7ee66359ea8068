"""Does an agent come when it is dispatched? One is, by name, into a scratch room, and must be there and answer."""

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Final

from orchestrator.configuration.canaries import subject_of
from orchestrator.core import causes
from orchestrator.core.canary import Outcome, Tried
from orchestrator.core.quotation import quoted
from orchestrator.doctor.agents import Announced
from orchestrator.doctor.findings import Finding, failed, ok, warning
from orchestrator.doctor.scratch import ScratchRooms
from orchestrator.runtime.ports import Clock, LiveKit, LiveKitError
from orchestrator.runtime.trial import Trials
from orchestrator.settings import Settings

NAME: Final = "canary"

AT_ONCE: Final = 4
"""Canaries under way: a burst is what LiveKit loses."""

LATE: Final = 5.0
"""Seconds for which a room stays closed whose agent is still on its way: a job that waits for its process outlives its
room, and opens it anew when it joins."""


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
        """What came of one trial of this agent, in a room that is gone when it is said."""
        settings = self.settings
        subject = subject_of(agent_name, settings.agents, settings.compiled_routes, settings.default_policy)
        trials = Trials(
            self.livekit,
            self.clock,
            self.announced.state,
            pulse_timeout=settings.pulse_timeout,
            cloud=settings.cloud,
        )
        async with self._turns:
            try:
                # The dispatch goes with its room. Deleted before it, it would leave its job in LiveKit's Redis for good
                # (seen on 1.13.5).
                async with self.scratch.room() as room:
                    tried = await trials.make(subject, room, secrets.token_hex(8))
                if tried.on_its_way:
                    await self.scratch.keep_closed(room.name, LATE, self.clock.sleep)
                return [_finding(agent_name, tried)]
            except LiveKitError as error:
                message = f"LiveKit did not do what is needed for a canary: {quoted(str(error))}."
                return [failed(NAME, message, "Look into LiveKit's log at this moment.", subject=agent_name)]


def names(settings: Settings, only: tuple[str, ...]) -> tuple[str, ...]:
    """The agents to try: those that were asked for, else all of the configuration."""
    return tuple(dict.fromkeys(only)) or tuple(settings.agents)


def wanted(settings: Settings) -> tuple[str, ...]:
    """The agents that the routes name, fallbacks included."""
    candidates = (c for route in settings.compiled_routes.routes for wanted in route.wanted for c in wanted.candidates)
    return tuple(dict.fromkeys(candidate.agent_name for candidate in candidates))


def _finding(agent_name: str, tried: Tried) -> Finding:
    match tried.outcome:
        case Outcome.ANSWERING:
            return ok(NAME, tried.detail, subject=agent_name)
        case Outcome.UNKNOWN:
            return warning(NAME, tried.detail, "Try again; look into LiveKit's log.", subject=agent_name)
        case Outcome.FAILED:
            fix = "" if tried.cause is None else causes.fix(tried.cause, agent_name)
            return failed(NAME, tried.detail, fix, subject=agent_name)
