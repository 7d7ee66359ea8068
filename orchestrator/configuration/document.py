"""A YAML file as data, together with the line on which each part of it stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from orchestrator.configuration.problems import ConfigurationError, Location, Problem, path_text

DEEPEST: Final = 50
"""How deeply a file may be nested: far beyond need, far below Python's recursion limit."""

_ANOTHER: Final = "Name the file that you mean, or set ROLLCALL_CONFIG to it."

_PLAIN: Final[Mapping[str, tuple[str, str]]] = {
    "found unexpected end of stream": ("A quote is opened here and never closed.", "Close it."),
    "found character '\\t' that cannot start any token": (
        "A tab stands here, and YAML knows only spaces.",
        "Indent with spaces.",
    ),
    "expected <block end>, but found '<block mapping start>'": (
        "It is indented otherwise than the lines that it belongs to.",
        "Begin it in the same column as they do.",
    ),
    "but found another document": ("A second document begins here.", "Keep one of them in the file."),
}
"""What PyYAML says of the slips that people make, in words for whoever wrote the file, and what to do."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file's data, which is always an object, and the lines of its parts."""

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[Location, int] = field(default_factory=dict)

    def where(self, location: Location) -> str:
        """`rollcall.yaml:12`: the line of this part, or of the nearest one around it that is written in the file."""
        while location and location not in self.lines:
            location = location[:-1]
        line = self.lines.get(location)
        return f"{self.name}:{line}" if line else self.name


def read(path: Path) -> Document:
    """Read a file. Raises ConfigurationError with file and line, also when there is no such file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError([Problem("There is no such file.", str(path), fix=_ANOTHER)]) from None
    except OSError as error:
        raise ConfigurationError([Problem(f"It cannot be read: {error.strerror}.", str(path), fix=_ANOTHER)]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([Problem("It is not UTF-8 text.", str(path), fix="Save it as UTF-8.")]) from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Document:
    """Read YAML text. Raises ConfigurationError."""
    try:
        node, data = _load(text)
        lines = dict(_lines(node, ())) if node else {}
    except _RefusedError as refused:
        where = f"{name}:{refused.line}"
        raise ConfigurationError([Problem(refused.message, where, path_text(refused.location), refused.fix)]) from None
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError([_unreadable(error, name)]) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigurationError([Problem(f"It is no YAML that can be read: {error}.", name)]) from None
    if not isinstance(data, dict):
        fix = "Start with agents: and routes: as in the example."
        raise ConfigurationError([Problem("It must consist of keys with values.", f"{name}:1", fix=fix)])
    return Document(name, data, lines)


class _Loader(yaml.SafeLoader):
    """YAML that becomes JSON: dates stay the text that they are."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _RefusedError(Exception):
    """It is YAML, but not of a form that says one thing clearly."""

    def __init__(self, node: yaml.Node, location: Location, message: str, fix: str) -> None:
        self.line = _line(node)
        self.location = location
        self.message = message
        self.fix = fix


def _load(text: str) -> tuple[yaml.Node | None, Any]:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return (node, loader.construct_document(node)) if node else (None, {})
    finally:
        loader.dispose()


def _lines(node: yaml.Node, location: Location) -> Iterator[tuple[Location, int]]:
    """Every part with its line. Raises _RefusedError for keys that YAML lets pass: not text, or there twice."""
    if len(location) > DEEPEST:
        raise _RefusedError(node, location[:3], f"It is nested deeper than {DEEPEST} levels.", "Flatten it.")
    yield location, _line(node)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _lines(item, (*location, index))
    elif isinstance(node, yaml.MappingNode):
        first_lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = _key(key_node, location)
            if key in first_lines:
                message = f'"{key}" is there twice, first on line {first_lines[key]}.'
                raise _RefusedError(key_node, location, message, "Keep one of them.")
            first_lines[key] = _line(key_node)
            yield from _lines(value_node, (*location, key))
            # Its key's line, where people look for it, instead of the line on which the value begins.
            yield (*location, key), _line(key_node)


def _key(node: yaml.Node, location: Location) -> str:
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str":
        return str(node.value)
    shown = node.value if isinstance(node, yaml.ScalarNode) else "this one"
    raise _RefusedError(
        node, location, f"A key must be text, and YAML takes {shown} for something else.", "Write it in quotes."
    )


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _unreadable(error: yaml.MarkedYAMLError, name: str) -> Problem:
    # A quote that is never closed is noticed at the end of the file; where it begins is what has to be put right.
    unclosed = error.problem == "found unexpected end of stream"
    mark = error.context_mark if unclosed else error.problem_mark or error.context_mark
    where = f"{name}:{mark.line + 1}" if mark else name
    if plain := _PLAIN.get(error.problem or ""):
        message, fix = plain
        return Problem(message, where, fix=fix)
    return Problem(f"It is no YAML: {error.problem or error.context}.", where, fix="Check indentation, colons and quotes.")
