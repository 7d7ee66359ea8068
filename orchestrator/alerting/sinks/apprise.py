"""Alerts as messages to people, by whatever service apprise knows: Slack, PagerDuty, mail and a hundred others."""

import asyncio
import socket
from datetime import UTC, datetime
from typing import Final

from orchestrator.alerting.connecting import any_forbidden
from orchestrator.alerting.ports import NotAccepted
from orchestrator.alerting.telling import Telling
from orchestrator.configuration.apprise_url import notifier
from orchestrator.core.alerts import Severity
from orchestrator.core.naming import spelled
from orchestrator.runtime.ports import Alert

TIMEOUT: Final = 15.0
"""Seconds: apprise gives a service 4 s to connect and 4 s to answer, and some are asked twice."""

_KINDS: Final = {Severity.CRITICAL: "failure", Severity.WARNING: "warning", Severity.INFO: "info"}


class AppriseSink:
    """Sends to one URL of apprise, which is a secret. Redirects are followed only when `anywhere` is set.

    Apprise makes its connections by itself: a host that the URL names is looked up before each message, and nothing is
    sent while one of its addresses is link-local or a cloud's metadata.
    """

    again: Final = None

    def __init__(self, name: str, url: str, telling: Telling, *, anywhere: bool = False) -> None:
        self._name = name
        self._sender = notifier(url, redirects=anywhere)
        self._telling = telling
        self._anywhere = anywhere

    @property
    def name(self) -> str:
        return self._name

    async def send(self, alert: Alert) -> None:
        """It was accepted when every service that the URL means has taken it."""
        severity = self._telling.severity(alert)
        kind = "success" if alert.status == "resolved" else _KINDS[severity]
        try:
            async with asyncio.timeout(TIMEOUT):
                if not self._anywhere:
                    await self._check_hosts()
                accepted = await self._sender.async_notify(
                    title=title(alert), body=text(alert, self._telling), notify_type=kind
                )
        except TimeoutError as error:
            raise NotAccepted(f"no answer within {TIMEOUT:g} s") from error
        except OSError as error:  # by its kind alone: texts may hold what is in the URL
            raise NotAccepted(type(error).__name__) from error
        if not accepted:
            raise NotAccepted("apprise could not deliver it")

    async def _check_hosts(self) -> None:
        for service in self._sender:
            if host := getattr(service, "host", None):
                infos = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
                if any_forbidden(infos):
                    raise NotAccepted("its address is link-local or a cloud's metadata, which `anywhere` would allow")


def title(alert: Alert) -> str:
    """What a telephone shows: what, who, where and why."""
    words = [alert.type.replace("_", " ")]
    if alert.agent_name is not None:
        words.append(spelled(alert.agent_name))
    if alert.room is not None:
        words.append(f"in {alert.room}")
    if alert.rooms is not None:
        words.append("in 1 room" if alert.rooms == 1 else f"in {alert.rooms} rooms")
    if alert.cause is not None:
        words.append(f"({alert.cause})")
    if alert.rooms is not None:
        since = datetime.fromtimestamp(alert.at if alert.since is None else alert.since, UTC)
        words.append(f"since {since:%H:%M}Z")
    return f"{alert.status}: {' '.join(words)}"


def text(alert: Alert, telling: Telling) -> str:
    lines = [alert.summary, alert.fix, alert.link, f"Runbook: {telling.runbook(alert)}"]
    return "\n".join(line for line in lines if line)
