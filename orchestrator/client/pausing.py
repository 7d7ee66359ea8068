"""The commands that stop and resume the dispatching of an agent."""

from collections.abc import Mapping

from orchestrator.client.agent_pages import pause_sentence
from orchestrator.client.done import shown
from orchestrator.client.outcomes import Paused
from orchestrator.client.service import Service
from orchestrator.client.text import agent
from orchestrator.core.naming import spelled
from orchestrator.exits import ExitCode


def pause(service: Service, name: str, body: Mapping[str, object], *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    reply = service.post("agents", spelled(name), "pause", body=body)
    shown(
        reply.body,
        as_json,
        Paused,
        lambda p: f"{agent(p.agent_name)} is paused{' ' + pause_sentence(p.paused) if p.paused else ''}.",
    )
    return ExitCode.OK


def resume(service: Service, name: str, body: Mapping[str, object], *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    reply = service.post("agents", spelled(name), "resume", body=body)
    shown(reply.body, as_json, Paused, lambda p: f"{agent(p.agent_name)} is dispatched again.")
    return ExitCode.OK
