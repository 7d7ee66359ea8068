"""Canaries that nobody sends: what came of each is what the test says."""

from collections.abc import Mapping
from dataclasses import replace

from orchestrator.core.canary import By, Canary, Outcome
from orchestrator.core.causes import Cause
from orchestrator.runtime.ports import RollcallError

WELL = Canary(
    "mary",
    Outcome.ANSWERING,
    "It joined 0.27 s after its dispatch, and answered in 3 ms.",
    None,
    "rollcall-scratch-1",
    1_000_000.0,
    0.27,
    0.2751,
    By.OPERATOR,
)
ILL = replace(
    WELL,
    outcome=Outcome.FAILED,
    detail="It did not come within 6 s (not_taken). No worker took the job of mary.",
    cause=Cause.NOT_TAKEN,
    joined=None,
    answered=None,
)


class ScriptedCanaries:
    """A CanarySender, and the canaries that it remembers."""

    def __init__(self, result: Canary | RollcallError = WELL) -> None:
        self.result = result
        self.sent: list[str] = []
        self._last: dict[str, Canary] = {}

    async def send(self, agent_name: str, by: By) -> Canary:
        self.sent.append(agent_name)
        if isinstance(self.result, RollcallError):
            raise self.result
        canary = self._last[agent_name] = replace(self.result, agent_name=agent_name, by=by)
        return canary

    async def last(self) -> Mapping[str, Canary]:
        return dict(self._last)
