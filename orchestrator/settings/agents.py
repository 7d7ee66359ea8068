"""Which agents there are, which rooms want them, what each goes by, and who is told."""

import dataclasses
from functools import cached_property
from typing import Final

from pydantic import Field

from orchestrator.configuration.alerts import AlertEntry, AlertPolicyEntry
from orchestrator.configuration.canaries import CanaryEntry
from orchestrator.configuration.entries import Agent, Entry, KeyEntry, VerifyAt
from orchestrator.configuration.route_entries import RouteEntry
from orchestrator.configuration.routes import compile_routes
from orchestrator.configuration.screen import ScreenEntry
from orchestrator.configuration.token import TokenEntry
from orchestrator.configuration.values import Seconds, SomeSeconds
from orchestrator.core.alerts import AlertType
from orchestrator.core.policy import OnLeave, Policy
from orchestrator.core.routing import Routes

_POLICY: Final = Policy()


class AgentSettings(Entry):
    """A part of `Configuration`."""

    agents: dict[str, Agent] = Field({}, description="By agent_name. The empty name is nameless dispatch.")
    routes: tuple[RouteEntry, ...] = Field((), description="The first that matches a room wins; all of its agents are placed.")
    alerts: tuple[AlertEntry, ...] = Field((), description="Who is told when a room lacks its agent.")
    alert_policy: dict[AlertType, AlertPolicyEntry] = Field(
        {}, description="How bad each type of alert is, and after how long it is told, where it differs from the default."
    )
    keys: tuple[KeyEntry, ...] = Field((), description="Further API keys whose webhooks are accepted, while keys are rotated.")
    token: TokenEntry = Field(TokenEntry(), description="Who may ask for tokens with which people join rooms, and for which.")

    screen: ScreenEntry = Field(ScreenEntry(), description="Who gets to the screen without logging in by an API token.")
    canary: CanaryEntry | None = Field(
        None, description="How often which agents are tried out in a scratch room. Default: not at all."
    )

    # --- the policy of every agent that does not say otherwise ---
    attempts: int = Field(_POLICY.attempts, ge=1, description="Attempts before the fallbacks, and then a person, are asked.")
    accept_window: Seconds = Field(
        _POLICY.accept_window,
        description="From the call until a job must be listed: the server may need 5 s to learn that a worker exists,"
        " and asks it for 3 s. Off (0s) on LiveKit Cloud, where this is not measured.",
    )
    join_window: SomeSeconds = Field(
        _POLICY.join_window,
        description="From the call until the agent must be there: a worker that took the job must start a process. A"
        " shorter one makes the second agent that it should prevent.",
    )
    deadline: SomeSeconds = Field(_POLICY.deadline, description="From when an agent was wanted until a person must know.")
    verify_at: VerifyAt = Field(
        _POLICY.verify_at,
        description="The proof that counts: joined, answering or ready.",
        json_schema_extra={"default": _POLICY.verify_at.label},
    )
    on_leave: OnLeave = Field(_POLICY.on_leave, description="Whether an agent that leaves while people are there is replaced.")
    goodbye_grace: Seconds = Field(
        _POLICY.goodbye_grace,
        description="From an agent's goodbye until it is replaced: people hang up after one, and nobody is needed.",
    )
    replacements: int = Field(_POLICY.replacements, ge=0, description="Lost agents of one name replaced in one session.")
    keep_trying: Seconds = Field(
        _POLICY.keep_trying,
        description="Between attempts while unverified and people are there: LiveKit does not give an old dispatch to a"
        " worker that registers later. 0s: no more attempts.",
    )
    wait_for_people: bool = Field(
        _POLICY.wait_for_people, description="Whether nothing is dispatched before somebody is there."
    )
    backoff: SomeSeconds = Field(
        _POLICY.backoff, description="The longest wait after the first failed attempt; doubled after each, with full jitter."
    )
    backoff_cap: SomeSeconds = Field(_POLICY.backoff_cap, description="The longest wait between two attempts.")

    @property
    def default_policy(self) -> Policy:
        """The policy of an agent whose entry says nothing."""
        return Policy(**{field.name: getattr(self, field.name) for field in dataclasses.fields(Policy)})

    @cached_property
    def compiled_routes(self) -> Routes:
        """What the routes come to. Only of a configuration whose findings hold no error."""
        return compile_routes(self.agents, self.routes, self.default_policy)
