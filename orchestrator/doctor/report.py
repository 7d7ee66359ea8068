"""The findings as people and programs read them."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console

from orchestrator.doctor.findings import Finding, Status, all_well

_STYLES: Final = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "red", Status.SKIPPED: "dim"}
_COUNTED: Final = {
    Status.FAILED: "failed",
    Status.WARNING: "with a warning",
    Status.SKIPPED: "skipped",
    Status.OK: "ok",
}
"""The worst first."""

_STATUS_WIDTH: Final = max(len(status) for status in Status)


class Lines:
    """One line per finding, in columns, coloured where a terminal shows it (rich honours NO_COLOR)."""

    def __init__(self, labels: Iterable[str]) -> None:
        """`labels` are those of the checks to come, which set the column's width."""
        # Names of agents are text, never markup, and lines are not broken at the eightieth column.
        self._console = Console(markup=False, highlight=False, soft_wrap=True)
        self._width = max(map(len, labels), default=0)

    def show(self, finding: Finding) -> None:
        sentence = " ".join(part for part in (finding.message, finding.fix) if part)
        self._console.print(f"{finding.status:<{_STATUS_WIDTH}}", style=_STYLES[finding.status], end="  ")
        self._console.print(f"{finding.label:<{self._width}}  {sentence}")

    def conclude(self, findings: Sequence[Finding]) -> None:
        self._console.print(conclusion(findings), style="bold")


def conclusion(findings: Sequence[Finding]) -> str:
    """How many of each, the worst first."""
    counts = {words: sum(finding.status is status for finding in findings) for status, words in _COUNTED.items()}
    told = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    return f"All well: {told}." if all_well(findings) else f"Not well: {told}."


def report_json(findings: Sequence[Finding]) -> dict[str, object]:
    """`ok` says whether nothing failed; the keys of a finding keep their names and meaning."""
    return {"ok": all_well(findings), "findings": [dataclasses.asdict(finding) for finding in findings]}
