"""What every tool that generates a document does with it: write it, or check that it is current."""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


def write_or_check(document: Path, text: str, tool: str) -> int:
    """The exit code. With --check nothing is written, and a stale document is said to be so, with `tool` that renews it."""
    if "--check" not in sys.argv[1:]:
        document.write_text(text)
        return 0
    if document.exists() and document.read_text() == text:
        return 0
    sys.stderr.write(f"docs/{document.parent.name}/{document.name} is stale; run `make documents` (or `python -m {tool}`).\n")
    return 1


def cell(text: str) -> str:
    """Text as it stands in a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


def row(*cells: str) -> str:
    """A row of a table; cells without text are left empty."""
    return "|" + "|".join(f" {text} " if text else " " for text in cells) + "|"
