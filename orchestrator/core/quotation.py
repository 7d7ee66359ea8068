"""Somebody else's words in a sentence of ours."""

from typing import Final

_QUOTED: Final = 120
"""Characters."""


def quoted(text: str) -> str:
    """As one line of a bounded length without control characters."""
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return f'"{line[:_QUOTED]}…"' if len(line) > _QUOTED else f'"{line}"'
