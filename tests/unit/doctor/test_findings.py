"""One finding, one line: in columns for people, as JSON for programs, and never more of others' words than a line holds."""

import pytest

from orchestrator.core.quotation import quoted
from orchestrator.doctor.findings import all_well, failed, ok, skipped, warning
from orchestrator.doctor.report import Lines, conclusion, report_json

FINDINGS = [
    ok("redis", "Redis 7.2 answers in 0.3 ms."),
    warning("redis persistence", "There are snapshots only.", "Set `appendonly yes`."),
    failed("canary", "It did not come.", "Start a worker.", subject="mary"),
    skipped("agents", "No route wants an agent."),
]


def test_each_finding_is_one_line_in_columns_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(["redis persistence", "canary mary"])
    for finding in FINDINGS:
        lines.show(finding)
    lines.conclude(FINDINGS)

    assert capsys.readouterr().out.splitlines() == [
        "ok       redis              Redis 7.2 answers in 0.3 ms.",
        "warning  redis persistence  There are snapshots only. Set `appendonly yes`.",
        "failed   canary mary        It did not come. Start a worker.",
        "skipped  agents             No route wants an agent.",
        "Not well: 1 failed, 1 with a warning, 1 skipped, 1 ok.",
    ]


def test_programs_get_every_finding_and_whether_anything_failed() -> None:
    report = report_json(FINDINGS[2:3])

    assert report == {
        "ok": False,
        "findings": [
            {
                "check": "canary",
                "status": "failed",
                "message": "It did not come.",
                "fix": "Start a worker.",
                "subject": "mary",
            }
        ],
    }


def test_a_warning_is_no_failure_and_what_was_skipped_says_nothing() -> None:
    rest = [finding for finding in FINDINGS if finding.status != "failed"]

    assert all_well(rest)
    assert not all_well(FINDINGS)
    assert conclusion(rest) == "All well: 1 with a warning, 1 skipped, 1 ok."


def test_others_words_are_one_line_of_a_bounded_length_without_control_characters() -> None:
    assert quoted("a\x1b[31m\nb") == '"a [31m b"'
    assert len(quoted("x" * 1000)) < 130
