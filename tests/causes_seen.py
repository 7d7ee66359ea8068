"""docs/reference/causes-seen.md: what `rollcall explain` says of each cause that a test makes happen.

A test shows its row to `seen`, which holds the page against it, or, with `--write-causes`, writes it there:

pytest --write-causes tests/e2e/test_causes.py tests/integration/documents/test_causes_seen.py
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from orchestrator.core.causes import Cause

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "causes-seen.md"

HEAD = """# Causes, as they are seen

Each cause was made to happen by a test, and this is what `rollcall explain` said. What differs from run to run is left out:
ids, times, and the agent's name, for which `mary` stands. **Where**: on a real livekit-server with real workers; or, what such
a server cannot be made to do in seconds, on the stand-in of the tests. What a cause means in general is in
[causes.md](causes.md), what to do in the [runbooks](../runbooks/README.md).

Written by `pytest --write-causes tests/e2e/test_causes.py tests/integration/documents/test_causes_seen.py`; without the option
the same tests compare it with what they see.

| cause | made to happen by | where | verdict | evidence | fix |
|---|---|---|---|---|---|
"""

Where = Literal["real server", "stand-in"]

ROW = re.compile(r"^\| `(?P<cause>\w+)` \| (?P<how>[^|]+) \|")


def row_of(explained: Mapping[str, Any], agent: str, how: str, where: Where) -> str:
    told = (explained["verdict"], explained["evidence"], explained["fix"])
    cells = (f"`{explained['cause']}`", how, where, *(_stable(str(text), agent) for text in told))
    return f"| {' | '.join(cells)} |"


def _stable(text: str, agent: str) -> str:
    text = re.sub(rf"\b{re.escape(agent)}\b", "mary", text)
    text = re.sub(r"\b(AJ|AD|RM)_\w+", r"\1_…", text)
    return re.sub(r"\d+(?:\.\d+)? (?=(?:ms|s|min)\b)", "… ", text)


def rows() -> list[str]:
    return [line for line in PAGE.read_text().splitlines() if ROW.match(line)] if PAGE.exists() else []


def seen(row: str, *, write: bool) -> None:
    """Hold the page against a row, or put the row in the place of that of the same cause and way."""
    if not write:
        assert row in rows(), f"docs/reference/causes-seen.md does not say:\n{row}"
        return
    kept = {_key(line): line for line in rows()} | {_key(row): row}
    PAGE.write_text(HEAD + "".join(f"{kept[key]}\n" for key in sorted(kept)))


def _key(row: str) -> tuple[int, str]:
    found = ROW.match(row)
    assert found, row
    return list(Cause).index(Cause(found["cause"])), found["how"]
