"""The commands that look again and again: one session's page, and one line per change of all sessions.

They ask, and do not listen: a restart of the service costs them one round.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final

from rich.live import Live

from orchestrator.client.answers import Event, Session, read
from orchestrator.client.changes import Change, changes
from orchestrator.client.errors import CommandFailed, Unreachable
from orchestrator.client.paging import pages
from orchestrator.client.printing import complain, console, show, show_json_line
from orchestrator.client.service import Service
from orchestrator.client.session_page import event_cells, session_page
from orchestrator.exits import ExitCode

LIVE_STATES: Final = ("unverified", "dispatching", "verified", "unrouted", "observed")
"""All but `ended`: what has ended is kept for a day, and changes no more."""

PERIOD: Final = 2.0
"""Seconds between two looks at all sessions; a verified agent is missed after 7 at the earliest."""
SESSION_PERIOD: Final = 1.0

_SHARE: Final = 3.0
"""The wait is so many times the look: ten thousand sessions must not keep a replica busy for one who watches."""

_MOST_GONE: Final = 100
"""Sessions that are asked for one by one in a round, because they are in no list any more."""


def watch_sessions(service: Service, *, as_json: bool, wait: Callable[[float], None] = time.sleep) -> ExitCode:
    """Until Ctrl-C. Raises CommandFailed when the first look fails; a later one is repeated."""
    known = _live(service)
    if not as_json:
        counts = Counter(session.state for session in known.values())
        told = ", ".join(f"{counts[state]} {state}" for state in LIVE_STATES if counts[state])
        show(f"{len(known)} live sessions{': ' + told if told else ''}. Ctrl-C ends.")
        _tell((change for change in changes({}, known) if change.state not in {"verified", "unrouted"}), as_json=as_json)
    took, away = 0.0, False
    while True:
        wait(max(PERIOD, _SHARE * took))
        begun = time.monotonic()
        try:
            live = _live(service)
            gone = [sid for sid in known if sid not in live][:_MOST_GONE]
            seen = live | {session.sid: session for sid in gone if (session := _again(service, sid))}
        except Unreachable as unreachable:
            if not away:
                complain(unreachable)
            away = True
            continue
        away = False
        took = time.monotonic() - begun
        _tell(changes(known, seen), as_json=as_json)
        left = {sid: session for sid, session in known.items() if sid not in seen and sid not in gone}
        known = left | {sid: session for sid, session in seen.items() if session.ended_at is None}


def watch_session(service: Service, room: str, *, as_json: bool, wait: Callable[[float], None] = time.sleep) -> ExitCode:
    """Until the session has ended, or Ctrl-C. Raises CommandFailed when the first look fails; a later one is repeated."""
    body = service.get("sessions", room)
    session = read(Session, body)
    out = console()
    if as_json or not out.is_terminal:
        return _follow(service, session, body, as_json=as_json, wait=wait)
    with Live(session_page(session, _now(), service.url), console=out, auto_refresh=False, vertical_overflow="crop") as live:
        while session.ended_at is None:
            wait(SESSION_PERIOD)
            try:
                session = read(Session, service.get("sessions", session.sid))
            except Unreachable as unreachable:
                complain(unreachable)
            live.update(session_page(session, _now(), service.url), refresh=True)
    # Whole, were it longer than the screen.
    show(session_page(session, _now(), service.url))
    return ExitCode.OK


def _follow(service: Service, session: Session, body: bytes, *, as_json: bool, wait: Callable[[float], None]) -> ExitCode:
    """The page, and then a line for each event; as JSON the session whenever it has changed."""
    if as_json:
        show_json_line(json.loads(body))
    else:
        show(session_page(session, _now(), service.url))
    while session.ended_at is None:
        wait(SESSION_PERIOD)
        before = session
        try:
            body = service.get("sessions", before.sid)
        except Unreachable as unreachable:
            complain(unreachable)
            continue
        session = read(Session, body)
        if as_json:
            if session.updated_at != before.updated_at:
                show_json_line(json.loads(body))
        else:
            _show_events(session, [event for event in session.timeline if event not in before.timeline])
            if session.state != before.state:
                show(f"{session.state}: {session.verdict}")
    return ExitCode.OK


def _show_events(session: Session, events: Iterable[Event]) -> None:
    for event in events:
        earlier = [other.at for other in session.timeline if other.at < event.at]
        show("  ".join(event_cells(event, max(earlier, default=session.started_at))))


def _tell(told: Iterable[Change], *, as_json: bool) -> None:
    for change in told:
        if as_json:
            show_json_line(change.json())
        else:
            console().print(change.line(), no_wrap=True, overflow="ellipsis")


def _live(service: Service) -> dict[str, Session]:
    found = (page.sessions for state in LIVE_STATES for page in pages(service, {"state": state}))
    return {session.sid: session for sessions in found for session in sessions}


def _again(service: Service, sid: str) -> Session | None:
    """A session that is in no list of live ones: it has ended, or changed its state between two lists."""
    try:
        return read(Session, service.get("sessions", sid))
    except Unreachable:
        raise
    except CommandFailed:
        return None


def _now() -> datetime:
    return datetime.now(UTC)
