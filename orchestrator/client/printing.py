"""Where the command writes: colour only where a terminal shows it (rich honours NO_COLOR), whole lines everywhere else."""

import json
from typing import Final

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.table import Table

from orchestrator.client.answers import read
from orchestrator.client.errors import CommandFailed

_UNBROKEN: Final = 100_000
"""Columns for what is no terminal: grep and awk want a row on one line."""

_BETWEEN: Final = 2
"""Spaces between two columns."""
_LEAST: Final = 4
"""To fewer characters no column is cut."""

STYLES: Final = {
    "verified": "green",
    "serving": "green",
    "dispatching": "yellow",
    "waiting": "yellow",
    "lost": "yellow",
    "full": "yellow",
    "draining": "yellow",
    "unverified": "bold red",
    "offline": "bold red",
    "ended": "dim",
    "cancelled": "dim",
}
"""Of states. The word is always there, too: colour alone tells nobody anything."""


def console(*, stderr: bool = False) -> Console:
    # Names of rooms are text, never markup.
    made = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made.width = _UNBROKEN
    return made


def width() -> int:
    """Of the terminal; a pipe takes whatever comes."""
    return console().width


def show(*parts: RenderableType) -> None:
    out = console()
    for part in parts:
        if out.is_terminal:
            out.print(part)
            continue
        with out.capture() as printed:
            out.print(part)
        # Columns are filled up with spaces, the last one, too, which nobody who reads a pipe wants.
        print("\n".join(line.rstrip() for line in printed.get().splitlines()), flush=True)  # noqa: T201  # it is rendered already


def show_json(body: bytes) -> None:
    """An answer as it came, indented; nothing else goes to standard output. Raises CommandFailed for what is no JSON."""
    print(json.dumps(read(dict, body), indent=2, ensure_ascii=False))  # noqa: T201  # rich would wrap it


def show_json_line(value: object) -> None:
    """One of many, for programs that read along."""
    print(json.dumps(value, ensure_ascii=False), flush=True)  # noqa: T201  # rich would wrap it


def complain(failed: CommandFailed) -> None:
    """What is wrong and what to do, on standard error."""
    out = console(stderr=True)
    out.print("error:", style="red", end=" ")
    out.print(" ".join(part for part in (failed.message, failed.fix) if part), soft_wrap=True)


def table(*headings: str) -> Table:
    """Columns without lines: readable, and a copy of it is text."""
    made = Table(
        box=None, pad_edge=False, show_edge=False, header_style="bold", padding=(0, _BETWEEN, 0, 0), collapse_padding=True
    )
    for heading in headings:
        made.add_column(heading, no_wrap=True, overflow="ellipsis")
    return made


def fit(made: Table, width: int, *cut: str) -> Table:
    """Where the terminal is narrow, only these columns are cut: of a row that is longer, nobody sees the end."""
    widths = {column.header: max(cell_len(str(cell)) for cell in (column.header, *column.cells)) for column in made.columns}
    while sum(widths.values()) + _BETWEEN * (len(widths) - 1) > width:
        widest = max(cut, key=lambda heading: widths[heading])
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
    for column in made.columns:
        column.width = widths[column.header]
    return made


def grid(columns: int) -> Table:
    """Columns without headings. The last one takes several lines where it must."""
    made = Table.grid(padding=(0, _BETWEEN, 0, 0), collapse_padding=True)
    for _ in range(columns - 1):
        made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    return made
