"""Nobody has run this on LiveKit Cloud yet: whatever the documents say of it, they say that it is assumed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.integration.documents.fences import DOCUMENTS, FENCE, ROOT

MARKED_AS_A_WHOLE = ROOT / "docs" / "how-to" / "livekit-cloud.md"
"""It begins with what this test asks for, and marks each sentence besides."""

CLAIM = re.compile(r"\bCloud\b")
LINK = re.compile(r"\[[^\]]*\]\([^)]*\)")


def passages(text: str) -> list[str]:
    """Rows of tables, items of lists, paragraphs; no headings, and no links, which only name pages."""
    plain = LINK.sub("", FENCE.sub("", text))
    whole = re.sub(r"\n(?=\||\d+\. |- )", "\n\n", plain)
    return [part for part in whole.split("\n\n") if not part.lstrip().startswith("#")]


def unmarked(text: str) -> list[str]:
    return [part for part in passages(text) if CLAIM.search(part) and not re.search(r"assum", part)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_said_of_livekit_cloud_is_marked_as_assumed(document: Path) -> None:
    text = document.read_text()
    if document == MARKED_AS_A_WHOLE:
        assert "Nothing here has been run on LiveKit Cloud yet" in text
    else:
        assert unmarked(text) == []


def test_a_claim_that_is_not_marked_would_be_found() -> None:
    assert unmarked("LiveKit Cloud honours it.\n\nOn Cloud (assumed) it is slow.\n") == ["LiveKit Cloud honours it."]
