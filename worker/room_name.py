"""What a room's name says: a pattern such as `support-{team}-*` whose named parts become values of the context."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WILDCARD = re.compile(r"\{([^{}]*)\}|\*")


class PatternError(ValueError):
    """The pattern cannot be used; the message says why, and what to write instead."""


@dataclass(frozen=True, slots=True)
class RoomPattern:
    """Plain text and, between it, parts: `{name}` is one character or more under that name, `*` anything or nothing."""

    literals: tuple[str, ...]
    """One more than there are parts: before, between and after them."""
    names: tuple[str | None, ...]
    """None is a `*`."""

    @classmethod
    def parse(cls, written: str) -> RoomPattern:
        """The pattern that is written; PatternError if it is ambiguous or malformed."""
        literals: list[str] = []
        names: list[str | None] = []
        start = 0
        for match in _WILDCARD.finditer(written):
            literals.append(written[start : match.start()])
            names.append(None if match.group() == "*" else match.group(1))
            start = match.end()
        literals.append(written[start:])
        named = [name for name in names if name is not None]
        for name in named:
            if not name.isidentifier():
                raise PatternError(f"{{{name}}} is no name: letters, digits and underscores, as in {{team}}")
        if len(set(named)) < len(named):
            raise PatternError("a name stands in it twice: give each part a name of its own")
        if any("{" in literal or "}" in literal for literal in literals):
            raise PatternError("a brace is left open: a named part is written {team}")
        if "" in literals[1:-1]:
            raise PatternError("two parts touch, and nobody can tell where one ends: put text between them")
        return cls(tuple(literals), tuple(names))

    def parts(self, name: str) -> dict[str, str]:
        """The named parts of this room's name, each as short as can be; none if the pattern does not fit."""
        if not name.startswith(self.literals[0]):
            return {}
        at = len(self.literals[0])
        found: dict[str, str] = {}
        for number, part in enumerate(self.names):
            literal = self.literals[number + 1]
            shortest = at + (part is not None)
            if number < len(self.names) - 1:
                end = name.find(literal, shortest)
            else:
                end = len(name) - len(literal) if name.endswith(literal) else -1
            if end < shortest:
                return {}
            if part is not None:
                found[part] = name[at:end]
            at = end + len(literal)
        return found if at == len(name) else {}
