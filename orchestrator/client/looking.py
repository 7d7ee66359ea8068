"""The commands that look: sessions, one session, agents, what was said."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from rich.text import Text

from orchestrator.client.agent_pages import agent_page, agent_table
from orchestrator.client.answers import Agent, AgentDetail, Agents, Session, Transcript, read
from orchestrator.client.errors import CommandFailed
from orchestrator.client.explanation import explain, explanation_page, worst_placement
from orchestrator.client.paging import pages
from orchestrator.client.printing import grid, show, show_json, width
from orchestrator.client.service import Service
from orchestrator.client.session_list import session_table
from orchestrator.client.session_page import absolute, session_page
from orchestrator.client.text import agent, clock, printable
from orchestrator.core.naming import spelled
from orchestrator.exits import ExitCode


def list_sessions(service: Service, filters: Mapping[str, str], limit: int, *, as_json: bool) -> ExitCode:
    """The newest first, over as many pages as it takes. Raises CommandFailed."""
    found: list[Session] = []
    told: list[object] = []
    cursor: str | None = None
    for page in pages(service, filters, limit):
        found += page.sessions
        told += page.told
        cursor = page.cursor
    if as_json:
        show_json(json.dumps({"sessions": told, "cursor": cursor}).encode())
        return ExitCode.OK
    show(session_table(found, _now(), width()) if found else "No session.")
    if cursor is not None:
        show(Text(f"There are more: --cursor {cursor}, or a higher --limit.", "dim"))
    return ExitCode.OK


def show_session(service: Service, room: str, *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    body = service.get("sessions", room)
    if as_json:
        show_json(body)
    else:
        show(session_page(read(Session, body), _now(), service.url))
    return ExitCode.OK


def explain_session(service: Service, room: str, *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    session = read(Session, service.get("sessions", room))
    explained = explain(session, _fleet(service, session))
    if as_json:
        show_json(json.dumps(explained.json()).encode())
    else:
        more = f"rollcall show {session.sid}" if explained.runbook is None else absolute(explained.runbook, service.url)
        show(explanation_page(explained, more))
    return ExitCode.OK


def list_agents(service: Service, *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    body = service.get("agents")
    if as_json:
        show_json(body)
    else:
        agents = read(Agents, body).agents
        show(agent_table(agents, _now(), width()) if agents else "No agent name is known.")
    return ExitCode.OK


def show_agent(service: Service, name: str, *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    body = service.get("agents", spelled(name))
    if as_json:
        show_json(body)
    else:
        show(agent_page(read(AgentDetail, body), _now()))
    return ExitCode.OK


def show_transcript(service: Service, room: str, *, as_json: bool) -> ExitCode:
    """Raises CommandFailed."""
    body = service.get("sessions", room, "transcript")
    if as_json:
        show_json(body)
        return ExitCode.OK
    transcript = read(Transcript, body)
    if not transcript.items:
        show("Nothing was said, or the agent's persona tells nothing.")
        return ExitCode.OK
    said = grid(3)
    for item in transcript.items:
        speaker = agent(item.agent_name) if item.role == "assistant" else item.role
        said.add_row(clock(item.at), speaker, printable(item.text) + (" (interrupted)" if item.interrupted else ""))
    show(said)
    return ExitCode.OK


def _fleet(service: Service, session: Session) -> Agent | None:
    """What workers announce of the agent that is missing; an explanation without it is better than none."""
    placement = worst_placement(session)
    if placement is None or placement.state == "verified" or session.ended_at is not None:
        return None
    try:
        return read(Agent, service.get("agents", spelled(placement.agent_name)))
    except CommandFailed:
        return None


def _now() -> datetime:
    return datetime.now(UTC)
