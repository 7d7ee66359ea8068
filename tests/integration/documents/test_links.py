"""Links between the documents lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.documents.fences import DOCUMENTS, FENCE, ROOT

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
EVERYWHERE = (*DOCUMENTS, ROOT / "ARCHITECTURE.md", ROOT / "AGENTS.md", ROOT / "CHANGELOG.md")


def links_in(text: str) -> list[str]:
    return [link for link in LINK.findall(FENCE.sub("", text)) if not re.match(r"[a-z]+:", link)]


def anchors_in(text: str) -> set[str]:
    """As GitHub makes them of headings: repeated ones are numbered."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
    return {anchor if not n else f"{anchor}-{n}" for anchor, last in found.items() for n in range(last + 1)}


def broken(document: Path) -> list[str]:
    return [link for link in links_in(document.read_text()) if not leads_somewhere(document, link)]


def leads_somewhere(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    if not target.exists():
        return False
    return not anchor or (target.suffix == ".md" and anchor in anchors_in(target.read_text()))


@pytest.mark.parametrize("document", EVERYWHERE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_page_and_a_heading_that_exist(document: Path) -> None:
    assert broken(document) == []


def test_a_link_that_leads_nowhere_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text("# A heading, of `code`\n")
    page = tmp_path / "page.md"
    page.write_text("[a](other.md#a-heading-of-code) [b](other.md#none) [c](gone.md) [d](https://elsewhere.example/x)\n")
    assert broken(page) == ["other.md#none", "gone.md"]


def test_every_page_is_reached_from_the_index() -> None:
    reached, to_read = set[Path](), [ROOT / "docs" / "README.md"]
    while to_read:
        page = to_read.pop().resolve()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            to_read += [page.parent / link.partition("#")[0] for link in links_in(page.read_text()) if not link.startswith("#")]
    assert [str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").rglob("*.md")) if page not in reached] == []
