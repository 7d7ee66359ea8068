"""The generated pages are current, would be found stale, and leave nothing out."""

import re
from pathlib import Path
from typing import Any

import pytest

from deploy.tools import http_reference, runbooks, settings_reference
from orchestrator.core import alerts
from orchestrator.core.causes import Cause, runbook_anchor
from orchestrator.core.runbooks import OF_ALERTS, OF_CAUSES
from orchestrator.settings.model import Configuration


@pytest.mark.parametrize(
    ("tool", "name"),
    [(settings_reference, "DOCUMENT"), (http_reference, "DOCUMENT"), (runbooks, "DOCUMENT"), (runbooks, "CAUSES")],
)
def test_what_is_generated_is_current_and_would_be_found_stale(
    tool: Any, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["tool", "--check"])
    assert tool.main() == 0
    stale = tmp_path / "stale.md"
    stale.write_text(getattr(tool, name).read_text() + "\n")
    monkeypatch.setattr(tool, name, stale)
    assert tool.main() == 1
    assert "stale.md is stale" in capsys.readouterr().err


def test_every_setting_and_every_key_of_the_file_says_what_it_is_for() -> None:
    assert settings_reference.undescribed() == []
    page = settings_reference.DOCUMENT.read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) >= set(Configuration.model_fields)


def test_what_has_no_words_would_be_found() -> None:
    assert settings_reference._described({"type": "string"}, {"title": "TokenEntry"}, {"$defs": {}}) == ""


def test_a_duration_a_rate_and_a_size_are_shown_as_they_are_written() -> None:
    page = settings_reference.DOCUMENT.read_text()
    for row in (
        "| `session_memory` | `ROLLCALL_SESSION_MEMORY` | duration | `1d` |",
        "| `pulse_timeout` | `ROLLCALL_PULSE_TIMEOUT` | duration | `1.5s` |",
        "| `api_budget` | `ROLLCALL_API_BUDGET` | rate | `200/s`; Cloud (assumed): `10/s` |",
        "| `metadata_limit` | `ROLLCALL_METADATA_LIMIT` | size | `64KiB` |",
        "| `livekit_api_secret` | `LIVEKIT_API_SECRET`, `…_FILE` | secret text |",
        "| `routes` | only in the file | list of block |",
    ):
        assert row in page


def test_every_cause_and_every_alert_has_its_runbook_under_the_anchor_that_links_lead_to() -> None:
    anchors = [*map(runbook_anchor, Cause), *map(alerts.runbook_anchor, alerts.AlertType)]
    assert re.findall(r"^## (.+)$", runbooks.DOCUMENT.read_text(), re.MULTILINE) == anchors


@pytest.mark.parametrize("runbook", [*OF_CAUSES.values(), *OF_ALERTS.values()])
def test_a_runbook_has_all_its_parts(runbook: Any) -> None:
    assert runbook.look
    assert runbook.check
    for text in (runbook.callers, *runbook.check, runbook.mend, runbook.over, runbook.escalate):
        assert text.endswith((".", "?"))
        assert text.count("`") % 2 == 0
