"""Whether an output looks as a document shows it: the same words, other numbers, times, identifiers and widths."""

from __future__ import annotations

import re

LIKE = (
    (r"\b(?:RM|AJ|AD|PA|EV|AW)_\w+", r"\w+"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", r"\S+"),
    (r"\b[0-9a-f]{12}\b", r"[0-9a-f]{12}"),
    (r"(?:https?|wss?|redis)://[\w.:-]+", r"\S+?"),
    (r"(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?(?:ms|s)\b", r"\S+"),
    (r"\b\d+ (?:agent|route)s?\b", r"\d+ (?:agent|route)s?"),
    (r"\d+(?:[.,]\d+)*", r"[\d.,]+"),
)
"""What differs from run to run, and by what it may be replaced; the first that fits counts."""

ANYTHING = "…"

TOKEN = re.compile(
    "|".join([f"(?P<p{n}>{pattern})" for n, (pattern, _) in enumerate(LIKE)] + [r"(?P<more>…)", r"(?P<gap>\s+)"])
)


def pattern_of(line: str) -> re.Pattern[str]:
    """What a shown line stands for."""
    parts, end = [], 0
    for token in TOKEN.finditer(line.strip()):
        parts.append(re.escape(line.strip()[end : token.start()]))
        parts.append(_stands_for(token))
        end = token.end()
    return re.compile("".join(parts) + re.escape(line.strip()[end:]))


def _stands_for(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "gap":
            return r"\s+"
        case "more":
            return ".*"
        case group:
            return LIKE[int((group or "p0")[1:])][1]


def missing(shown: tuple[str, ...], output: str) -> str | None:
    """The first shown line that the output does not have, in this order; a line of `…` stands for any number of lines.

    A document may break a long line, and indent the rest of it.
    """
    whole = unbroken(shown)
    return first_lost(shown, output) and first_lost(whole, output)


def unbroken(shown: tuple[str, ...]) -> tuple[str, ...]:
    lines: list[str] = []
    for line in shown:
        if line.startswith("   ") and lines:
            lines[-1] = f"{lines[-1]} {line.strip()}"
        else:
            lines.append(line)
    return tuple(lines)


def first_lost(shown: tuple[str, ...], output: str) -> str | None:
    lines = iter([line.strip() for line in output.splitlines()])
    for line in shown:
        if line.strip() and line.strip() != ANYTHING:
            wanted = pattern_of(line)
            if not any(wanted.fullmatch(found) for found in lines):
                return line
    return None
