"""Whether anybody announces the names that the routes want. Only the service knows, and not every worker announces."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from orchestrator.core.fleet import NameState, near_names
from orchestrator.doctor.findings import Finding, failed, ok, quoted, skipped, warning
from orchestrator.doctor.service import NoAnswer, NotAllowed, Service

NAME: Final = "agents"

_LIVE: Final = frozenset({NameState.SERVING, NameState.FULL, NameState.DRAINING})
_STOCK: Final = "stock workers do not; the canary tells"


class Announced:
    """What workers announce, as the service shows it; empty until it was asked."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._states: dict[str, NameState] = {}

    def state(self, agent_name: str) -> NameState:
        return self._states.get(agent_name, NameState.UNANNOUNCED)

    async def examine(self, wanted: Collection[str], configured: Collection[str]) -> list[Finding]:
        """One finding per name that the routes want, if anything was announced at all."""
        if not wanted:
            return [skipped(NAME, "No route wants an agent.")]
        if self._service.url is None:
            return [skipped(NAME, "What workers announce is known to the service, and none was found.")]
        try:
            self._states = _states(await self._service.agents())
        except NotAllowed:
            fix = "Set ROLLCALL_API_TOKEN to one of its tokens of scope read."
            return [skipped(NAME, f"The service at {self._service.url} does not tell us what workers announce.", fix)]
        except NoAnswer as error:
            return [skipped(NAME, f"The service at {self._service.url} does not tell what workers announce: {error}.")]
        live = [name for name, state in self._states.items() if state in _LIVE]
        if not live and not any(self.state(name) is NameState.OFFLINE for name in wanted):
            return [skipped(NAME, f"No worker has announced itself: {_STOCK}.")]
        strangers = [name for name in live if name not in configured]
        return [_judged(name, self.state(name), strangers) for name in wanted]


def _states(agents: Sequence[Mapping[str, Any]]) -> dict[str, NameState]:
    """By agent name. A state of a later version claims nothing."""
    known = {state.value: state for state in NameState}
    return {str(agent.get("agent_name")): known.get(str(agent.get("state")), NameState.UNANNOUNCED) for agent in agents}


def _judged(name: str, state: NameState, strangers: Sequence[str]) -> Finding:
    """`strangers` are announced names that the configuration does not have."""
    fix = f"Start a worker with exactly the agent name {quoted(name)}, or correct the name in rollcall.yaml."
    match state:
        case NameState.SERVING:
            return ok(NAME, "Workers announce this name, and have room.", subject=name)
        case NameState.FULL:
            return warning(NAME, "Every worker that announces this name is full.", "Add workers.", subject=name)
        case NameState.DRAINING:
            return warning(NAME, "Every worker that announces this name is draining.", "Start others.", subject=name)
        case NameState.OFFLINE:
            return failed(NAME, "Workers that announced this name are gone.", fix, subject=name)
        case NameState.UNANNOUNCED:
            near = near_names(name, strangers)
            if near:
                message = f"No worker announces this name: it looks like a typo of {quoted(near[0])}, which one announces."
                return failed(NAME, message, "Correct the name in rollcall.yaml, or that of the worker.", subject=name)
            return skipped(NAME, f"No worker announces this name: {_STOCK}.", subject=name)
