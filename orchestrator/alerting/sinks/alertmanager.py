"""Alerts into an Alertmanager, by its v2 API.

Alertmanager forgets what it is not told again: whoever fires an alert repeats it. Its own `resolve_timeout` (5 minutes)
is not left to end one, since our silence is no evidence: each alert names the time at which it would end, far ahead, and
an end is said. What an alert *is* are its labels, and so its incident is one of them; `group_by: [alertname, agent,
cause]` makes one notification of forty rooms.
"""

import json
from datetime import UTC, datetime
from typing import Any, Final

import aiohttp

from orchestrator.alerting.posting import post
from orchestrator.alerting.telling import Telling
from orchestrator.core.alerts import ABOUT, AlertType
from orchestrator.core.naming import spelled
from orchestrator.runtime.ports import Alert, Clock

AGAIN: Final = 60.0
"""Seconds between two tellings of what fires: an Alertmanager that was started anew knows it again by then."""

HOLD: Final = 3_600.0
"""Seconds after which Alertmanager may take an alert of which it has heard nothing more for resolved: long enough for an
outage of Redis or of us, and it ends what a lost store has forgotten."""

WATCHDOG_HOLD: Final = 240.0
"""Seconds without a Watchdog after which Alertmanager takes it for resolved, which is how its absence is noticed."""


class AlertmanagerSink:
    """Posts alerts to one Alertmanager. `redirects`: whether those are followed that ask for the same request."""

    def __init__(
        self, name: str, url: str, telling: Telling, http: aiohttp.ClientSession, clock: Clock, *, redirects: bool = False
    ) -> None:
        self._name = name
        self._url = f"{url}/api/v2/alerts"
        self._telling = telling
        self._http = http
        self._clock = clock
        self._redirects = redirects

    @property
    def name(self) -> str:
        return self._name

    @property
    def again(self) -> float:
        return AGAIN

    async def send(self, alert: Alert) -> None:
        content = json.dumps([posted(alert, self._telling, self._clock.now())], separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "rollcall"}
        await post(self._http, self._url, content, headers, redirects=self._redirects)


def posted(alert: Alert, telling: Telling, now: float) -> dict[str, Any]:
    """A postableAlert of Alertmanager's API v2. A label that is empty is none to Alertmanager, so it is left out."""
    return {
        "labels": _present(
            {
                "alertname": alertname(alert.type),
                "severity": telling.severity(alert).value,
                "agent": None if alert.agent_name is None else spelled(alert.agent_name),
                "cause": alert.cause.value if alert.cause else None,
                "room": alert.room,
                "sid": alert.sid,
                "sink": alert.sink,
                "incident": alert.incident,
            }
        ),
        "annotations": _present(
            {
                "summary": alert.summary,
                "description": alert.fix or ABOUT[AlertType(alert.type)].meaning,
                "runbook_url": telling.runbook(alert),
                "dashboard_url": alert.link,
            }
        ),
        **_times(alert, now),
        **({"generatorURL": alert.link} if alert.link and alert.link.startswith("http") else {}),
    }


def alertname(alert_type: str) -> str:
    """As the rules for Prometheus name theirs: the same trouble, told by both, is one group."""
    return "Rollcall" + alert_type.title().replace("_", "").replace("Livekit", "LiveKit")


def _times(alert: Alert, now: float) -> dict[str, str]:
    if alert.status == "resolved":
        since = alert.at if alert.since is None else alert.since
        return {"startsAt": _rfc3339(min(since, alert.at)), "endsAt": _rfc3339(min(alert.at, now))}
    hold = WATCHDOG_HOLD if alert.type == AlertType.WATCHDOG else HOLD
    return {"startsAt": _rfc3339(alert.at), "endsAt": _rfc3339(now + hold)}


def _present(values: dict[str, str | None]) -> dict[str, str]:
    """What has a value; half of a character, which JSON can hold and Alertmanager cannot, is replaced."""
    return {name: value.encode(errors="replace").decode() for name, value in values.items() if value}


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
