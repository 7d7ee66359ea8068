"""The runbook: one section for every cause that a link may lead to."""

import re

from orchestrator.core import alerts
from orchestrator.core.causes import Cause, runbook_anchor
from orchestrator.web.runbook import page


def test_every_cause_and_every_alert_has_its_section() -> None:
    anchors = [*(runbook_anchor(cause) for cause in Cause), *(alerts.runbook_anchor(kind) for kind in alerts.AlertType)]
    assert re.findall(r'<h2 id="([^"]+)">', page()) == anchors


def test_no_placeholder_is_left() -> None:
    assert "{" not in page()
