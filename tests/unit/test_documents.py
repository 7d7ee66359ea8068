"""What the documents promise exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`")


DOCUMENTS = [ROOT / "ARCHITECTURE.md", ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def named_tests() -> list[tuple[str, str]]:
    return sorted({named for document in DOCUMENTS for named in NAMED.findall(document.read_text())})


def test_every_invariant_is_held_by_something() -> None:
    rows = re.findall(r"^\| (I\d+) \|.*\| (.*) \|$", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    assert [number for number, _ in rows] == [f"I{n}" for n in range(1, 26)]
    assert all(NAMED.search(held) for _, held in rows)


@pytest.mark.parametrize(("path", "name"), named_tests(), ids=lambda part: part.rpartition("/")[2])
def test_a_test_that_a_document_names_exists(path: str, name: str) -> None:
    text = (ROOT / path).read_text()
    assert not name or f"def {name}(" in text
