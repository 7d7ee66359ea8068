"""An alert as the JSON that is sent: the same names as everywhere, and nothing that a type of alert does not have."""

import json
from datetime import UTC, datetime
from typing import Final

from orchestrator.core.alerts import Severity
from orchestrator.runtime.ports import Alert

WHOLE: Final = "unverified"
"""The type of alert that always has all members, null where there is nothing to say."""


def body(alert: Alert, severity: Severity) -> str:
    """The whole of it, on one line."""
    told: dict[str, object] = {
        "type": alert.type,
        "status": alert.status,
        "severity": severity,
        "incident": alert.incident,
        "at": _rfc3339(alert.at),
        "room": alert.room,
        "sid": alert.sid,
        "agent_name": alert.agent_name,
        "cause": alert.cause,
        "summary": alert.summary,
        "fix": alert.fix,
        "link": alert.link,
    }
    if alert.rooms is not None:
        told = {name: value for name, value in told.items() if name not in ("room", "sid")}
        told |= {"rooms": alert.rooms, "incidents": alert.incidents}
    if alert.sink is not None:
        told["sink"] = alert.sink
    if alert.type != WHOLE:
        told = {name: value for name, value in told.items() if value is not None}
    return json.dumps(told, separators=(",", ":"))


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
