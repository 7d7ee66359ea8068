"""Patterns of room names: globs with named parts, and regular expressions.

A glob matches the whole name, case-sensitively:

    *        any run of characters, the empty one and `/` included
    ?        one character
    {name}   any run of at least one character, bound to that name
    [a-z]    one character of a set, [!a-z] one that is not in it; `[*]`, `[{]` and so on stand for the character itself

Runs are as short as the rest of the pattern lets them be: `support-{team}-*` binds team to "a" in "support-a-b-c".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

REGEX_NAME_LIMIT: Final = 256
"""Characters of a name that a regular expression is tried on at most: LiveKit's own default limit of a room's name.
Python's `re` goes back and forth, and with nested repeats it can take very long even on such a name. Globs never do."""

_PART_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Parts = Mapping[str, str]
"""What the named parts of a pattern stand for in one name."""


class PatternError(ValueError):
    """The pattern cannot be read; the message says why and how to write it."""


class RoomPattern(Protocol):
    @property
    def parts(self) -> frozenset[str]:
        """The names that a match binds."""
        ...

    def match(self, name: str) -> Parts | None:
        """The parts when the whole name matches, else None."""
        ...


# --- globs ----------------------------------------------------------------------------------------------------------

_OneCharacter = Callable[[str], bool]
_Fixed = tuple[str | _OneCharacter, ...]
"""A stretch of known length: each element a literal character, or a question to the character at its place."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch of any length: `*`, or a named part."""

    part: str | None

    @property
    def shortest(self) -> int:
        return 0 if self.part is None else 1


@dataclass(frozen=True, slots=True)
class Glob:
    """A compiled glob: `head`, then runs that are each followed by a fixed stretch, the last of which ends the name.

    The earliest place of each stretch leaves the most room to those behind it, so no place is ever tried twice: a match
    takes at most the name's length times the pattern's.
    """

    head: _Fixed
    tail: tuple[tuple[_Run, _Fixed], ...]

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(run.part for run, _ in self.tail if run.part is not None)

    @property
    def matches_all(self) -> bool:
        """Whether it is nothing but stars."""
        return not self.head and bool(self.tail) and all(run.part is None and not fixed for run, fixed in self.tail)

    def match(self, name: str) -> Parts | None:
        """What the named parts stand for in this name; None when it does not match."""
        if not _stands_at(self.head, name, 0):
            return None
        if not self.tail:
            return {} if len(name) == len(self.head) else None
        parts: dict[str, str] = {}
        start = len(self.head)
        for run, fixed in self.tail[:-1]:
            found = _find(fixed, name, start + run.shortest)
            if found is None:
                return None
            _bind(parts, run, name[start:found])
            start = found + len(fixed)
        run, fixed = self.tail[-1]
        last = len(name) - len(fixed)
        if last < start + run.shortest or not _stands_at(fixed, name, last):
            return None
        _bind(parts, run, name[start:last])
        return parts


def glob(pattern: str) -> Glob:
    """Compile a glob. Raises PatternError."""
    stretches: list[list[str | _OneCharacter]] = [[]]
    runs: list[_Run] = []
    for element in _elements(pattern):
        if isinstance(element, _Run):
            _refuse_twice(element, runs)
            runs.append(element)
            stretches.append([])
        else:
            stretches[-1].append(element)
    head, *rest = (tuple(stretch) for stretch in stretches)
    return Glob(head, tuple(zip(runs, rest, strict=True)))


def _elements(pattern: str) -> Iterator[str | _OneCharacter | _Run]:
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "*":
            yield _Run(None)
        elif character == "?":
            yield lambda _: True
        elif character == "{":
            part, position = _part(pattern, position)
            yield _Run(part)
        elif character == "[":
            one, position = _set(pattern, position)
            yield one
        elif character == "}":
            raise PatternError("it has a } without a {: write [}] for the character itself")
        else:
            yield character


def _part(pattern: str, position: int) -> tuple[str, int]:
    end = pattern.find("}", position)
    if end < 0:
        raise PatternError("it has a { without a }: write {name} for a named part, or [{] for the character itself")
    part = pattern[position:end]
    if not _PART_NAME.fullmatch(part):
        raise PatternError(f"{{{part}}} is no name of a part: use letters, digits and _, not starting with a digit")
    if part == "room":
        raise PatternError("a part cannot be called {room}: that is the whole room name already")
    return part, end + 1


def _set(pattern: str, position: int) -> tuple[_OneCharacter, int]:
    negated = pattern[position : position + 1] == "!"
    first = position + negated
    # As in a shell, a ] in the first place is a member of the set.
    end = pattern.find("]", first + 1)
    if end < 0:
        raise PatternError("it has a [ without a ]: write [[] for the character itself")
    ranges = tuple(_ranges(pattern[first:end]))
    return lambda character: any(low <= character <= high for low, high in ranges) is not negated, end + 1


def _ranges(members: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(members):
        low = high = members[position]
        if members[position + 1 : position + 2] == "-" and position + 2 < len(members):
            high = members[position + 2]
            position += 2
        if high < low:
            raise PatternError(f"the set [{low}-{high}] is empty: write [{high}-{low}]")
        yield low, high
        position += 1


def _refuse_twice(run: _Run, earlier: list[_Run]) -> None:
    if run.part is not None and run in earlier:
        raise PatternError(f"the part {{{run.part}}} is there twice: give each its own name")


def _stands_at(fixed: _Fixed, name: str, place: int) -> bool:
    if len(name) < place + len(fixed):
        return False
    return all(
        name[place + offset] == wanted if isinstance(wanted, str) else wanted(name[place + offset])
        for offset, wanted in enumerate(fixed)
    )


def _find(fixed: _Fixed, name: str, start: int) -> int | None:
    return next((place for place in range(start, len(name) - len(fixed) + 1) if _stands_at(fixed, name, place)), None)


def _bind(parts: dict[str, str], run: _Run, text: str) -> None:
    if run.part is not None:
        parts[run.part] = text


# --- regular expressions --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Regex:
    """A regular expression that must match the whole name; its named groups are the parts."""

    expression: re.Pattern[str]

    @property
    def parts(self) -> frozenset[str]:
        return frozenset(self.expression.groupindex)

    def match(self, name: str) -> Parts | None:
        """A name over the limit is not tried and does not match. A group that took no part is the empty string."""
        if len(name) > REGEX_NAME_LIMIT:
            return None
        found = self.expression.fullmatch(name)
        return None if found is None else found.groupdict(default="")


def regex(pattern: str) -> Regex:
    """Compile a regular expression. Raises PatternError."""
    try:
        compiled = Regex(re.compile(pattern))
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternError(f"it is no regular expression: {error}") from error
    if "room" in compiled.parts:
        raise PatternError("a group cannot be called room: that is the whole room name already")
    return compiled
