"""The runbook: one section for every cause that a link may lead to."""

import re

from orchestrator.core.causes import Cause, runbook_anchor
from orchestrator.web.runbook import page


def test_every_cause_has_its_section() -> None:
    assert re.findall(r'<h2 id="([^"]+)">', page()) == [runbook_anchor(cause) for cause in Cause]


def test_no_placeholder_is_left() -> None:
    assert "{" not in page()
