"""The sinks that the operator wrote down, each with what it is to hear of."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Final

from aiohttp import ClientSession

from orchestrator.alerting.connecting import http_session
from orchestrator.alerting.ports import Sink
from orchestrator.alerting.sinks.alertmanager import AlertmanagerSink
from orchestrator.alerting.sinks.apprise import AppriseSink
from orchestrator.alerting.sinks.webhook import WebhookSink
from orchestrator.alerting.telling import Telling
from orchestrator.configuration.alerts import AlertEntry
from orchestrator.core.alerts import ABOUT, AlertType
from orchestrator.core.paging import Grouping
from orchestrator.runtime.ports import Alert, Clock
from orchestrator.settings import Settings

_DIGITS: Final = 8


class Sinks:
    """All of them. To be made inside a running event loop, and closed."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._policy = settings.alert_policy
        self.telling = Telling(settings.alert_policy, settings.runbook_url or f"{settings.base_url}/runbook")
        self._clock = clock
        self._guarded = http_session(anywhere=False)
        self._unguarded = http_session(anywhere=True)
        self._entries: dict[str, AlertEntry] = {}
        self.by_name: Mapping[str, Sink] = self._build(settings.alerts)

    def wants(self, sink: str, alert: Alert) -> bool:
        """Whether this sink is to hear of this alert; none hears of its own trouble."""
        return alert.sink != sink and self.telling.wanted(self._entries[sink], alert)

    @property
    def grouping(self) -> dict[str, Grouping]:
        """Those to which many rooms are one page."""
        return {name: grouping for name, entry in self._entries.items() if (grouping := entry.grouping)}

    @property
    def watched(self) -> bool:
        """Whether anybody asks for a Watchdog."""
        return any(entry.watchdog for entry in self._entries.values())

    def after(self, kind: AlertType) -> float:
        """Seconds for which something must have been so before it is told."""
        written = self._policy.get(kind)
        return written.after if written and written.after is not None else ABOUT[kind].after or 0.0

    async def close(self) -> None:
        await self._guarded.close()
        await self._unguarded.close()

    def _build(self, entries: tuple[AlertEntry, ...]) -> dict[str, Sink]:
        seen: Counter[str] = Counter()
        sinks: dict[str, Sink] = {}
        for entry in entries:
            kind, url = _address(entry)
            name = f"{kind}-{hashlib.sha256(url.encode()).hexdigest()[:_DIGITS]}"
            seen[name] += 1
            if seen[name] > 1:
                name = f"{name}-{seen[name]}"
            self._entries[name] = entry
            sinks[name] = self._sink(name, entry)
        return sinks

    def _sink(self, name: str, entry: AlertEntry) -> Sink:
        http: ClientSession = self._unguarded if entry.anywhere else self._guarded
        if entry.webhook is not None:
            return WebhookSink(
                name,
                entry.webhook.url,
                entry.webhook.secret.get_secret_value(),
                http,
                self._clock,
                severity=self.telling.severity,
                redirects=entry.anywhere,
            )
        if entry.alertmanager is not None:
            url = entry.alertmanager.url
            return AlertmanagerSink(name, url, self.telling, http, self._clock, redirects=entry.anywhere)
        return AppriseSink(name, _address(entry)[1], self.telling, anywhere=entry.anywhere)


def _address(entry: AlertEntry) -> tuple[str, str]:
    """The kind of a sink and its address, of which its name is made: it outlives restarts, and does not show the address."""
    if entry.webhook is not None:
        return "webhook", entry.webhook.url
    if entry.alertmanager is not None:
        return "alertmanager", entry.alertmanager.url
    assert entry.apprise is not None  # noqa: S101 - the entry's own check has seen to it
    return "apprise", entry.apprise.url.get_secret_value()
