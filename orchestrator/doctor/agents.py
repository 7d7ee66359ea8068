"""Whether anybody announces the names that the routes want. Only the service knows, and not every worker announces."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.core.fleet import Fleet, NameState, typo_of
from orchestrator.core.quotation import quoted
from orchestrator.doctor.findings import Finding, failed, ok, skipped, warning
from orchestrator.doctor.service import NoAnswer, NotAllowed, Service

NAME: Final = "agents"

_LIVE: Final = frozenset({NameState.SERVING, NameState.FULL, NameState.DRAINING})
_STOCK: Final = "stock workers do not; the canary tells"


class Announced:
    """What workers announce, as the service shows it; empty until it was asked."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seen = _Seen({}, Fleet())

    def state(self, agent_name: str) -> NameState:
        return self._seen.states.get(agent_name, NameState.UNANNOUNCED)

    async def examine(self, wanted: Collection[str], configured: Collection[str]) -> list[Finding]:
        """One finding per name that the routes want, if anything is known of any."""
        if not wanted:
            return [skipped(NAME, "No route wants an agent.")]
        if self._service.url is None:
            return [skipped(NAME, "What workers announce is known to the service, and none was found.")]
        try:
            self._seen = _seen(await self._service.agents())
        except NotAllowed:
            fix = "Set ROLLCALL_API_TOKEN to one of its tokens of scope read."
            return [skipped(NAME, f"The service at {self._service.url} does not tell us what workers announce.", fix)]
        except NoAnswer as error:
            return [skipped(NAME, f"The service at {self._service.url} does not tell what workers announce: {error}.")]
        known = self._seen.known
        if not known.live and not any(name in known.announced or name in known.joined for name in wanted):
            return [skipped(NAME, f"No worker has announced itself: {_STOCK}.")]
        return [_judged(name, self.state(name), known, configured) for name in wanted]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The answer of GET /agents."""

    states: Mapping[str, NameState]
    known: Fleet
    """Which names are live, were announced, or had an agent join: no more of it than the names."""


def _seen(agents: Sequence[Mapping[str, Any]]) -> _Seen:
    """A state of a later version claims nothing."""
    by_word = {state.value: state for state in NameState}
    states = {str(agent.get("agent_name")): by_word.get(str(agent.get("state")), NameState.UNANNOUNCED) for agent in agents}
    joined = {str(agent.get("agent_name")): 0.0 for agent in agents if agent.get("last_joined") is not None}
    known = Fleet(
        live={name: () for name, state in states.items() if state in _LIVE},
        announced={name: 0.0 for name, state in states.items() if state is not NameState.UNANNOUNCED},
        joined=joined,
    )
    return _Seen(states, known)


def _judged(name: str, state: NameState, known: Fleet, configured: Collection[str]) -> Finding:
    fix = f"Start a worker with exactly the agent name {quoted(name)}, or correct the name in rollcall.yaml."
    match state:
        case NameState.SERVING:
            return ok(NAME, "Workers announce this name, and have room.", subject=name)
        case NameState.FULL:
            return warning(NAME, "Every worker that announces this name is full.", "Add workers.", subject=name)
        case NameState.DRAINING:
            return warning(NAME, "Every worker that announces this name is draining.", "Start others.", subject=name)
        case NameState.OFFLINE:
            return failed(NAME, "The workers that announced this name are gone.", fix, subject=name)
        case NameState.UNANNOUNCED:
            return _unannounced(name, typo_of(known, name, configured), known)


def _unannounced(name: str, meant: str | None, known: Fleet) -> Finding:
    if meant is not None:
        message = f"No worker announces this name: it looks like a typo of {quoted(meant)}, which is announced."
        return failed(NAME, message, "Correct the name in rollcall.yaml, or that of the worker.", subject=name)
    if name in known.joined:
        message = "No worker announces this name, but an agent of it joined within 24 h: its worker is a stock one."
        return ok(NAME, message, subject=name)
    return skipped(NAME, f"No worker announces this name: {_STOCK}.", subject=name)
