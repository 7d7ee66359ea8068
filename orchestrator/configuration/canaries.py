"""Canaries in rollcall.yaml: how often which agents are tried out, and what each of them goes by."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from orchestrator.configuration.entries import AgentEntry, Entry
from orchestrator.configuration.routes import policy_of
from orchestrator.configuration.values import SomeSeconds
from orchestrator.core.canary import Subject
from orchestrator.core.policy import Policy
from orchestrator.core.routing import Routes
from orchestrator.core.templates import Template

_SHORTEST: Final = 10.0
"""Seconds. A canary that fails takes longer than that, and each costs some tens of API calls."""


def _long_enough(seconds: float) -> float:
    if seconds < _SHORTEST:
        raise PydanticCustomError("canary", "it must be at least {least} s", {"least": f"{_SHORTEST:g}"})
    return seconds


class CanaryEntry(Entry):
    """Which agents are dispatched into a scratch room every now and then, before a caller meets what is wrong with them."""

    every: Annotated[SomeSeconds, AfterValidator(_long_enough)] = 300.0
    """Between two canaries of one agent; 10s at the least."""
    agents: tuple[str, ...] | None = None
    """Those of this list; left out: all."""
    after: int = Field(default=2, ge=1)
    """So many of one agent that fail in a row are an alert."""

    def scheduled(self, configured: Iterable[str]) -> tuple[str, ...]:
        """The agent names, each once."""
        return tuple(dict.fromkeys(configured if self.agents is None else self.agents))


def subject_of(agent_name: str, agents: Mapping[str, AgentEntry], routes: Routes, default: Policy) -> Subject:
    """With the metadata of the first route that wants it, so that a worker which needs it finds it."""
    entry = agents.get(agent_name)
    candidates = (c for route in routes.routes for wanted in route.wanted for c in wanted.candidates)
    otherwise = Template(entry.metadata if entry else {})
    metadata = next((candidate.metadata for candidate in candidates if candidate.agent_name == agent_name), otherwise)
    return Subject(agent_name, metadata, policy_of(entry.policy, default) if entry else default)
