"""How bad an alert is, where its runbook is, and whether a sink is to hear of it: from what the operator wrote."""

from collections.abc import Mapping
from typing import Final

from orchestrator.configuration.alerts import AlertEntry, AlertPolicyEntry
from orchestrator.core import alerts, causes
from orchestrator.core.alerts import ABOUT, AlertType, Severity
from orchestrator.runtime.ports import Alert

_WORST_FIRST: Final = tuple(Severity)


class Telling:
    """What is said of every alert besides what it says itself."""

    def __init__(self, policy: Mapping[AlertType, AlertPolicyEntry], runbook: str) -> None:
        """`runbook`: the address of the page that has an anchor for each cause and each type of alert."""
        self._policy = policy
        self._runbook = runbook

    def severity(self, alert: Alert) -> Severity:
        kind = AlertType(alert.type)
        written = self._policy.get(kind)
        return (written and written.severity) or ABOUT[kind].severity

    def runbook(self, alert: Alert) -> str:
        """The cause's section where there is a cause: it says more."""
        anchor = causes.runbook_anchor(alert.cause) if alert.cause else alerts.runbook_anchor(AlertType(alert.type))
        return f"{self._runbook}#{anchor}"

    def wanted(self, entry: AlertEntry, alert: Alert) -> bool:
        """Whether the sink of this entry is to hear of it."""
        if alert.type == AlertType.WATCHDOG:
            return entry.watchdog
        bad_enough = _WORST_FIRST.index(self.severity(alert)) <= _WORST_FIRST.index(entry.severity)
        return bad_enough and entry.match.compiled.matches(alert)
