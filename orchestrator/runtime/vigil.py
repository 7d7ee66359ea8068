"""Alerts about the service that somebody must look for: LiveKit's silence, open breakers, missing workers, deaf sinks.

What one replica sees need not be so for another. So each says in the store what it sees for itself, an incident stands
while anybody does, and it ends by the evidence of one who sees that it is over.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from orchestrator.core.alerts import ABOUT, AlertType
from orchestrator.core.fleet import Fleet, NameState
from orchestrator.core.naming import spelled
from orchestrator.runtime.answering import Answering
from orchestrator.runtime.ports import Clock, Incidents, StoreUnavailable
from orchestrator.runtime.standing import Standing

PERIOD: Final = 5.0

_STALE: Final = 3 * PERIOD
"""Seconds after which what another replica saw counts no more: it is dead, or sees it no more."""

_UNKNOWN_FOR: Final = 60.0
"""Seconds for which nobody may have seen anything of what is no longer configured, before its incident is closed."""

_SUBJECTS: Final = frozenset(
    {AlertType.BREAKER_OPEN, AlertType.NO_WORKER_ANNOUNCED, AlertType.CANARY_FAILED, AlertType.SINK_DOWN}
)
"""Types of which there may be several incidents: each has behind a colon what it is about."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What this replica sees of one thing that may be wrong."""

    type: AlertType
    wrong: bool | None
    """None: it cannot tell."""
    summary: str
    """What is wrong, or that it is over."""
    agent_name: str | None = None
    sink: str | None = None

    @property
    def kind(self) -> str:
        about = self.sink if self.agent_name is None else self.agent_name
        return self.type.value if about is None else f"{self.type.value}:{about}"


class SinkFailure(Protocol):
    @property
    def reason(self) -> str: ...


class SinkHealth(Protocol):
    """What this replica knows of the receivers of alerts."""

    @property
    def failing(self) -> Mapping[str, SinkFailure]: ...

    @property
    def accepted(self) -> Iterable[str]:
        """Those of which the last that was sent from here was accepted."""
        ...


Counts = Mapping[str, tuple[int, int, int, bool]]
"""Per agent name: slots in use, limit, waiting, breaker open."""


class Vigil:
    """Looks for ever. `after` says for how long each type must have been so before it is told."""

    def __init__(
        self,
        replica: str,
        standing: Standing,
        incidents: Incidents,
        clock: Clock,
        after: Callable[[AlertType], float],
        look: Callable[[], Awaitable[Iterable[Sight]]],
    ) -> None:
        self._replica = replica
        self._standing = standing
        self._incidents = incidents
        self._clock = clock
        self._after = after
        self._look = look
        self._since: dict[str, float] = {}
        self._unknown_since: dict[str, float] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            with suppress(StoreUnavailable):  # of that `alerting.blackout` tells
                await self.keep()
            await self._clock.sleep(PERIOD)

    async def keep(self) -> None:
        """One look, and what it means. Raises StoreUnavailable."""
        open_kinds = await self._incidents.kinds()
        sights = {sight.kind: sight for sight in await self._look()}
        for sight in sights.values():
            if sight.wrong:
                await self._wrong(sight)
            elif sight.wrong is False:
                await self._right(sight, is_open=sight.kind in open_kinds)
            else:
                self._since.pop(sight.kind, None)  # its complaint grows stale by itself
        await self._close_what_nobody_knows(open_kinds - sights.keys())

    async def _wrong(self, sight: Sight) -> None:
        now = self._clock.now()
        if now - self._since.setdefault(sight.kind, now) < self._after(sight.type):
            return
        await self._incidents.complain(sight.kind, self._replica, now)
        fix = ABOUT[sight.type].fix
        await self._standing.fire(sight.kind, sight.summary, fix, agent_name=sight.agent_name, sink=sight.sink)

    async def _right(self, sight: Sight, *, is_open: bool) -> None:
        if self._since.pop(sight.kind, None) is not None:
            await self._incidents.content(sight.kind, self._replica)
        if is_open and not await self._incidents.complaints(sight.kind, self._clock.now() - _STALE):
            await self._standing.resolve(sight.kind, sight.summary, agent_name=sight.agent_name, sink=sight.sink)

    async def _close_what_nobody_knows(self, kinds: Iterable[str]) -> None:
        """An agent or a sink that was taken out of the configuration, or has another address now, can recover no more."""
        unknown = {kind for kind in kinds if kind.partition(":")[0] in _SUBJECTS}
        now = self._clock.now()
        self._unknown_since = {kind: self._unknown_since.get(kind, now) for kind in unknown}
        for kind, since in self._unknown_since.items():
            if now - since >= _UNKNOWN_FOR and not await self._incidents.complaints(kind, now - _STALE):
                kind_of, _, about = kind.partition(":")
                is_sink = kind_of == AlertType.SINK_DOWN
                await self._standing.resolve(
                    kind,
                    f"{spelled(about)} is no longer configured.",
                    agent_name=None if is_sink else about,
                    sink=about if is_sink else None,
                )


# --- what can be seen -------------------------------------------------------------------------------------------------


def livekit(answering: Answering, now: float) -> Iterator[Sight]:
    since = answering.failing_since
    if since is not None:
        summary = f"LiveKit's API has answered nothing for {now - since:.0f} s."
        yield Sight(AlertType.LIVEKIT_UNREACHABLE, wrong=True, summary=summary)
    else:
        recently = answering.answered_at is not None and now - answering.answered_at < _UNKNOWN_FOR
        summary = "LiveKit's API answers again."
        yield Sight(AlertType.LIVEKIT_UNREACHABLE, wrong=False if recently else None, summary=summary)


def breakers(counts: Counts, configured: Iterable[str]) -> Iterator[Sight]:
    for name in {*counts, *configured}:
        if name not in counts:
            yield Sight(AlertType.BREAKER_OPEN, wrong=None, summary="", agent_name=name)
            continue
        _, _, waiting, is_open = counts[name]
        lost = f"Dispatches of {spelled(name)} are lost; one at a time probes, {waiting} rooms wait."
        summary = lost if is_open else f"An agent of {spelled(name)} has joined: dispatching goes on."
        yield Sight(AlertType.BREAKER_OPEN, wrong=is_open, summary=summary, agent_name=name)


def workers(fleet: Fleet, configured: Iterable[str]) -> Iterator[Sight]:
    """Nobody has heard of an agent whose workers announce nothing: of that there is nothing to tell."""
    for name in configured:
        state = fleet.state(name)
        missing = {NameState.OFFLINE: True, NameState.UNANNOUNCED: None}.get(state, False)
        gone = f"No worker answers to the name {spelled(name)}: those that announced themselves under it are gone."
        summary = gone if missing else f"A worker of {spelled(name)} is there again."
        yield Sight(AlertType.NO_WORKER_ANNOUNCED, wrong=missing, summary=summary, agent_name=name)


def canaries(scheduled: Iterable[str]) -> Iterator[Sight]:
    """Nothing is seen of them here: a canary tells by itself when it fails. But those that are sent can end what they told."""
    for name in scheduled:
        yield Sight(AlertType.CANARY_FAILED, wrong=None, summary="", agent_name=name)


def sinks(health: SinkHealth, names: Iterable[str]) -> Iterator[Sight]:
    failing, accepted = health.failing, frozenset(health.accepted)
    for name in names:
        if name in failing:
            summary = f"The alert sink {name} accepts nothing: {failing[name].reason}."
            yield Sight(AlertType.SINK_DOWN, wrong=True, summary=summary, sink=name)
        else:
            summary = f"The alert sink {name} accepts alerts again."
            yield Sight(AlertType.SINK_DOWN, wrong=False if name in accepted else None, summary=summary, sink=name)
