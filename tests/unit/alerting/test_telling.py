"""Which sink hears of what, and how bad it is said to be."""

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.alerting.telling import Telling
from orchestrator.configuration.alerts import AlertEntry, AlertPolicyEntry
from orchestrator.core.alerts import ABOUT, AlertType, Severity, runbook_anchor
from orchestrator.core.causes import Cause
from orchestrator.runtime.ports import Alert
from tests.unit.alerting.outbox import FIRING

SILENT = Alert("a", "webhooks_silent", "firing", "webhooks_silent/1", 0.0)
WATCHDOG = Alert("w", "watchdog", "firing", "watchdog", 0.0)
TELLING = Telling({}, "https://r")


def entry(**written: Any) -> AlertEntry:
    return AlertEntry.model_validate({"alertmanager": {"url": "http://am"}} | written)


@pytest.mark.parametrize(
    ("written", "alert", "wanted"),
    [
        ({}, FIRING, True),
        ({}, SILENT, True),
        ({"match": {"agent": "ma*"}}, FIRING, True),
        ({"match": {"agent": ["tom", "j*"]}}, FIRING, False),
        ({"match": {"agent": "*"}}, SILENT, False),
        ({"match": {"room": "support-*"}}, FIRING, True),
        ({"match": {"room": "sales-*"}}, FIRING, False),
        ({"match": {"cause": ["left", "not_taken"]}}, FIRING, True),
        ({"match": {"cause": "left"}}, FIRING, False),
        ({"match": {"cause": "left"}}, SILENT, False),
        ({"match": {"route": "*support-*"}}, replace(FIRING, route='routes[0] room "support-*"'), True),
        ({"match": {"route": "*support-*"}}, replace(FIRING, route="routes[1] every other room"), False),
        ({"match": {"type": "webhooks_silent"}}, SILENT, True),
        ({"match": {"type": "webhooks_silent"}}, FIRING, False),
        ({"match": {"type": "unverified", "agent": "tom"}}, FIRING, False),
        ({"severity": "critical"}, FIRING, True),
        ({"severity": "critical"}, SILENT, False),
        ({"severity": "warning"}, SILENT, True),
        ({"severity": "info"}, WATCHDOG, False),
        ({"watchdog": True, "severity": "critical", "match": {"agent": "tom"}}, WATCHDOG, True),
    ],
)
def test_a_sink_hears_of_what_its_entry_says(written: dict[str, Any], alert: Alert, wanted: bool) -> None:
    assert TELLING.wanted(entry(**written), alert) is wanted


def test_how_bad_something_is_may_be_said_otherwise() -> None:
    strict = Telling({AlertType.WEBHOOKS_SILENT: AlertPolicyEntry(severity=Severity.CRITICAL)}, "https://r")
    assert (TELLING.severity(SILENT), strict.severity(SILENT)) == (Severity.WARNING, Severity.CRITICAL)
    assert strict.wanted(entry(severity="critical"), SILENT)


def test_the_runbook_is_that_of_the_cause_or_else_of_the_type() -> None:
    assert TELLING.runbook(replace(FIRING, cause=Cause.LEFT)) == "https://r#left"
    assert TELLING.runbook(SILENT) == "https://r#alert-webhooks-silent"


def test_every_type_of_alert_is_explained_and_has_an_anchor_of_its_own() -> None:
    assert set(ABOUT) == set(AlertType)
    assert len({runbook_anchor(kind) for kind in AlertType} | {cause.value for cause in Cause}) == len(AlertType) + len(Cause)
