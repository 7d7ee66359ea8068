"""The commands that operate sessions: each says what was done."""

import json
from collections.abc import Mapping

from orchestrator.client.answers import read
from orchestrator.client.done import confirm, once, shown
from orchestrator.client.outcomes import Done, ManyDone
from orchestrator.client.printing import show, show_json
from orchestrator.client.service import OPERATE, Service
from orchestrator.client.text import agent, room
from orchestrator.exits import ExitCode


def act(service: Service, room: str, verb: str, body: Mapping[str, object], *, as_json: bool) -> ExitCode:
    """Redispatch, cancel or resolve. Raises CommandFailed."""
    reply = service.post("sessions", room, verb, body=body, headers=once())
    shown(reply.body, as_json, Done, _done)
    return ExitCode.OK


def redispatch_many(service: Service, filters: Mapping[str, str], reason: str, *, yes: bool, as_json: bool) -> ExitCode:
    """All sessions of the filters, over as many requests as it takes. Raises CommandFailed."""
    confirm("Redispatch all sessions with " + ", ".join(f"{k}={v}" for k, v in filters.items()), yes=yes)
    cursor: str | None = None
    matched = taken = skipped = 0
    sessions: list[object] = []
    while True:
        query = {**filters} | ({"cursor": cursor} if cursor else {})
        reply = service.send("POST", "/redispatch", scope=OPERATE, body=json.dumps({"reason": reason}).encode(), query=query)
        done = read(ManyDone, reply.body)
        matched, taken, skipped = matched + done.matched, taken + done.taken, skipped + done.skipped
        sessions += json.loads(reply.body)["sessions"]
        if not as_json:
            for session in done.sessions:
                show(_done(session))
        cursor = done.cursor
        if cursor is None:
            break
    if as_json:
        summed = {"matched": matched, "taken": taken, "skipped": skipped, "sessions": sessions, "cursor": None}
        show_json(json.dumps(summed).encode())
    else:
        show(f"{taken} of {matched} redispatched, {skipped} skipped.")
    return ExitCode.OK


def _done(done: Done) -> str:
    agents = ", ".join(f"{agent(taken.agent_name)}{f' (was {taken.was})' if taken.was else ''}" for taken in done.taken)
    return f"{room(done.room)} ({done.sid}): {agents or 'nothing was to be done'}."
