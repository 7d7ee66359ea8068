"""What stands between fences in the documents: which language, under which heading, and of a console which commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]

DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), ROOT / "worker" / "README.md")

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
REMARK = re.compile(r"\s{2,}# .*$")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    document: str
    """Its path in the repository."""
    line: int
    language: str
    text: str
    heading: str
    """The one above it."""

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command of a console, as it is typed, and what is shown to come of it."""

    block: Block
    text: str
    shown: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.block}: {self.text}"


def blocks_in(path: Path) -> Iterator[Block]:
    text = path.read_text()
    name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
    for fence in FENCE.finditer(text):
        indent = len(fence["indent"])
        body = "\n".join(line[indent:] for line in fence["text"].splitlines())
        above = HEADING.findall(FENCE.sub("", text[: fence.start()]))
        yield Block(name, text.count("\n", 0, fence.start()) + 1, fence["language"], body, above[-1] if above else "")


def commands_in(block: Block) -> Iterator[Command]:
    """A line that begins with `$ ` is a command, and goes on after a backslash; what follows is its output."""
    typed: list[str] = []
    shown: list[str] = []
    for line in block.text.splitlines():
        if typed and typed[-1].endswith("\\"):
            typed[-1] = typed[-1][:-1].rstrip()
            typed.append(line.strip())
        elif line.startswith("$ "):
            if typed:
                yield Command(block, " ".join(typed), tuple(shown))
            typed, shown = [REMARK.sub("", line[2:])], []
        elif typed:
            shown.append(line)
        else:
            message = f"{block}: a console begins with a command, after `$ `"
            raise ValueError(message)
    if typed:
        yield Command(block, " ".join(typed), tuple(shown))


def blocks(language: str) -> list[Block]:
    """All of this language, in all documents."""
    return [block for path in DOCUMENTS for block in blocks_in(path) if block.language == language]
