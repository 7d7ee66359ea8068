"""YAML of which one still knows, after reading it, on which line a value stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import yaml

Location: TypeAlias = tuple[str | int, ...]
"""Keys and places in lists, from the outside in."""


class YamlError(ValueError):
    """The text is no YAML that can be used."""

    def __init__(self, reason: str, line: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class Document:
    """What the YAML says, and where."""

    data: object
    lines: dict[tuple[str, ...], int]

    def line(self, location: Location) -> int | None:
        """The line of the value there, or of the nearest one around it."""
        path = tuple(map(str, location))
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def read_yaml(text: str) -> Document:
    """The document; YamlError where it is malformed, or says one thing twice."""
    try:
        # The loader constructs plain data only; it is SafeLoader that makes safe_load safe.
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return Document(None, {})
        lines = dict(_lines(node, ()))
        return Document(loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise YamlError(
            f"not YAML: {error.problem}: mend it there, or in the line above", mark.line + 1 if mark else None
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError(f"not YAML: {type(error).__name__}", None) from error


def _lines(node: yaml.Node, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    yield at, node.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _lines(value, (*at, str(number)))
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            if name in seen:
                raise YamlError(f"`{name}` stands there twice: keep one of the two", key.start_mark.line + 1)
            seen.add(name)
            yield from _lines(value, (*at, name))
            # A key names the line better than its value, which may begin on a later one.
            yield (*at, name), key.start_mark.line + 1
