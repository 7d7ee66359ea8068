"""Writes the placement's state diagram into ARCHITECTURE.md from the transition table, or checks that it is current.

python -m deploy.tools.state_diagram            writes it
python -m deploy.tools.state_diagram --check    fails when it is stale
"""

import sys
from collections import defaultdict
from pathlib import Path

from orchestrator.core.lifecycle import TRANSITIONS, PlacementEvent
from orchestrator.core.placement import PlacementState

DOCUMENT = Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"
BEGIN, END = "<!-- state diagram: begin -->", "<!-- state diagram: end -->"


def diagram() -> str:
    """The table as a Mermaid state diagram; events that lead the same way share an arrow."""
    arrows: dict[tuple[PlacementState, PlacementState], list[PlacementEvent]] = defaultdict(list)
    for (state, event), target in TRANSITIONS.items():
        arrows[state, target].append(event)
    lines = [
        "stateDiagram-v2",
        f"    [*] --> {PlacementState.WAITING}",
        *(f"    {a} --> {b}: {', '.join(events)}" for (a, b), events in arrows.items() if a is not b),
        f"    {PlacementState.ENDED} --> [*]",
    ]
    return "\n".join(["```mermaid", *lines, "```"])


def updated(text: str) -> str:
    """The document with the present diagram in it."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{diagram()}\n{END}{after}"


def main() -> int:
    text = DOCUMENT.read_text()
    if "--check" in sys.argv[1:]:
        if updated(text) != text:
            sys.stderr.write("ARCHITECTURE.md: the state diagram is stale; run `python -m deploy.tools.state_diagram`.\n")
            return 1
        return 0
    DOCUMENT.write_text(updated(text))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
