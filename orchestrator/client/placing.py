"""The commands that say which agents a room is to have: each is one request, and says what came of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.client.answers import read
from orchestrator.client.done import once, shown
from orchestrator.client.outcomes import Placed
from orchestrator.client.printing import show, show_json
from orchestrator.client.service import PATIENCE, Service
from orchestrator.client.text import agent, printable, room
from orchestrator.core.naming import meant, spelled
from orchestrator.exits import ExitCode


@dataclass(frozen=True, slots=True)
class Wanted:
    """An agent that is asked for."""

    room: str
    agent_name: str
    metadata: str | None
    wait: float
    """Seconds until it must be verified; 0: the command does not wait for that."""


def add_agent(service: Service, wanted: Wanted, deployment: str, *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    body = {"agent_name": meant(wanted.agent_name), "metadata": _metadata(wanted.metadata), "deployment": deployment}
    return _place(service, wanted, "agents", body, as_json=as_json)


def switch(service: Service, wanted: Wanted, instead_of: str | None, grace: float, *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    body = {
        "agent_name": meant(wanted.agent_name),
        "instead_of": None if instead_of is None else meant(instead_of),
        "metadata": _metadata(wanted.metadata),
        "grace": grace,
    }
    return _place(service, wanted, "switch", body, as_json=as_json)


def remove_agent(service: Service, room: str, name: str, *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    service.delete("sessions", room, "agents", spelled(name))
    if as_json:
        show_json(json.dumps({"room": room, "agent_name": meant(name), "removed": True}).encode())
    else:
        show(f"{agent(name)} is taken out of {printable(room)}, and is not replaced.")
    return ExitCode.OK


def _place(service: Service, wanted: Wanted, verb: str, body: Mapping[str, object], *, as_json: bool) -> ExitCode:
    query = {"hold": "verified", "hold_seconds": f"{wanted.wait:g}"} if wanted.wait else None
    reply = service.post("sessions", wanted.room, verb, body=body, headers=once(), query=query, patience=PATIENCE + wanted.wait)
    shown(reply.body, as_json, Placed, _placed)
    waited_in_vain = wanted.wait and read(Placed, reply.body).state != "verified"
    return ExitCode.FAILED if waited_in_vain else ExitCode.OK


def _placed(placed: Placed) -> str:
    instead = f", in place of {agent(placed.instead_of)}" if placed.instead_of is not None else ""
    by = "".join(f", {printable(part)}" for part in (placed.dispatch_id, placed.identity) if part)
    return f"{agent(placed.agent_name)} is {placed.state} in {room(placed.room)} ({placed.sid}){instead}{by}."


def _metadata(text: str | None) -> Any:
    """A JSON object as one; whatever else is text."""
    if text is None:
        return None
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    return parsed if isinstance(parsed, dict) else text
