"""One session as text: verdict, placements, attempts with the gaps between their steps, timeline, warnings, links."""

import shlex
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from orchestrator.client.answers import Attempt, Event, Placement, Session
from orchestrator.client.printing import STYLES, grid
from orchestrator.client.session_list import worst_first
from orchestrator.client.text import NOTHING, agent, ago, clock, gap, moment, printable, room


def session_page(session: Session, now: datetime, url: str) -> Group:
    """`url`: where the service answers, for the commands to copy."""
    parts: list[RenderableType] = [_head(session, now)]
    parts += [_placement(placement) for placement in worst_first(session)]
    if session.warnings:
        parts += [_title("Warnings"), *(Text(f"  {printable(warning)}", "yellow") for warning in session.warnings)]
    parts += [_title("Timeline (UTC)"), _indented(timeline(session))]
    parts += [_title("Links"), _indented(_links(session, url))]
    return Group(*parts)


def timeline(session: Session) -> Table:
    made = grid(5)
    before = session.started_at
    for event in session.timeline:
        made.add_row(*event_cells(event, before))
        before = event.at
    return made


def event_cells(event: Event, before: datetime) -> tuple[str, str, str, str, str]:
    """When, how long after what came before it, from where, what, and about whom."""
    about = [agent(event.agent_name)] if event.agent_name is not None else []
    about += [f"attempt {event.attempt}"] if event.attempt is not None else []
    # A name that holds the other is told once.
    about += [printable(part) for part in (event.identity, event.dispatch_id, event.cause, event.detail) if part]
    return clock(event.at), gap(before, event.at), event.source, event.event, ", ".join(about)


def _head(session: Session, now: datetime) -> Group:
    state = Text(session.state, STYLES.get(session.state, ""))
    if session.outcome:
        state.append(f" ({session.outcome})")
    lines = [
        Text.assemble((room(session.room), "bold"), "  ", printable(session.sid), "  ", state),
        Text(printable(session.verdict)),
        Text(f"Next: {printable(session.next)}") if session.next else Text("Next: nothing happens by itself."),
        Text(_span(session, now), "dim"),
    ]
    return Group(*lines)


def _span(session: Session, now: datetime) -> str:
    started = f"Started {moment(session.started_at)}"
    until = f"ended {moment(session.ended_at)}" if session.ended_at else f"{ago(session.started_at, now)} ago"
    return f"{started}, {until}; people in the room: {session.people}."


def _placement(placement: Placement) -> Group:
    title = Text.assemble(
        ("\nAgent " + agent(placement.agent_name), "bold"), "  ", (placement.state, STYLES.get(placement.state, ""))
    )
    told = grid(2)
    for label, value in _facts(placement):
        told.add_row(label, value)
    parts: list[RenderableType] = [title, _indented(told)]
    if placement.attempts:
        parts.append(_indented(_attempts(placement)))
    return Group(*parts)


def _facts(placement: Placement) -> Iterator[tuple[str, str]]:
    yield "proof", placement.proof
    if placement.identity:
        yield "identity", printable(placement.identity)
    if placement.served_by is not None:
        yield "served by", agent(placement.served_by)
    if placement.time_to_agent_ms is not None:
        yield "time to agent", f"{placement.time_to_agent_ms / 1000:.3f} s"
    if placement.pulse:
        rtt = "" if placement.pulse.rtt_ms is None else f", in {placement.pulse.rtt_ms:g} ms"
        yield "answered", f"{placement.pulse.age_s:g} s ago{rtt}"
    if placement.awaited:
        yield "waits for", placement.awaited
    if placement.cause:
        yield "cause", placement.cause
    if placement.fix:
        yield "fix", printable(placement.fix)


def _attempts(placement: Placement) -> Table:
    made = grid(2)
    for attempt in placement.attempts:
        made.add_row(f"attempt {attempt.number}", _outcome(attempt))
        made.add_row("", _steps(attempt))
        if ids := _ids(attempt):
            made.add_row("", ids)
    left_out = placement.attempts_total - len(placement.attempts)
    if left_out > 0:
        made.add_row("", f"({left_out} more in between are not kept)")
    return made


def _outcome(attempt: Attempt) -> str:
    parts = [f"of {agent(attempt.agent_name)}"]
    if attempt.adopted:
        parts.append("a dispatch of somebody else")
    parts.append(f"proof {attempt.proof}")
    if attempt.cause:
        parts.append(f"cause {attempt.cause}")
    return ", ".join(parts)


def _steps(attempt: Attempt) -> str:
    """Each step with the gap from the one before it."""
    told, before = [f"requested {clock(attempt.requested_at)}"], attempt.requested_at
    for name, at in (("accepted", attempt.accepted_at), ("joined", attempt.joined_at), ("ended", attempt.ended_at)):
        if at is not None:
            told.append(f"{name} {gap(before, at)}")
            before = at
    return ", ".join(told)


def _ids(attempt: Attempt) -> str:
    return " ".join(printable(part) for part in (attempt.dispatch_id, attempt.job_id, attempt.identity) if part)


def _links(session: Session, url: str) -> Table:
    address = f"{url}/sessions/{quote(session.sid, safe='')}"
    made = grid(2)
    made.add_row("session", address)
    if session.links.screen is not None:
        made.add_row("screen", absolute(session.links.screen, url))
    made.add_row("runbook", absolute(session.links.runbook, url) if session.links.runbook else NOTHING)
    made.add_row("curl", f'curl -H "Authorization: Bearer $ROLLCALL_API_TOKEN" {shlex.quote(address)}')
    made.add_row("lk", f"lk dispatch list {shlex.quote(printable(session.room))}")
    return made


def absolute(link: str, url: str) -> str:
    """A service that was not told its public address links by path alone."""
    return f"{url}{link}" if link.startswith("/") else printable(link)


def _indented(part: Table) -> Padding:
    return Padding(part, (0, 0, 0, 2), expand=False)


def _title(text: str) -> Text:
    return Text(f"\n{text}", "bold")
