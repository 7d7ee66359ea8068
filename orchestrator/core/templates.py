"""Job metadata as the configuration writes it: JSON whose strings may hold `{part}` of the room's name, or `{room}`.

Parts are put into the decoded strings and the whole is encoded as JSON afterwards. So no room name, whoever chose it,
can change the structure of the metadata.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

ROOM_PART: Final = "room"
"""The part that every template may use: the whole room name."""

_MARK: Final = re.compile(r"\{\{|\}\}|\{(?P<part>[A-Za-z_][A-Za-z0-9_]*)\}|[{}]")


class TemplateError(ValueError):
    """The template cannot be read; the message says why and how to write it."""


@dataclass(frozen=True, slots=True)
class Template:
    """A JSON object with its parts still to be filled in. Keys are taken as they are written."""

    value: Mapping[str, Json]

    @property
    def parts(self) -> frozenset[str]:
        """The parts that it needs. Raises TemplateError."""
        return _parts(dict(self.value))

    def render(self, parts: Mapping[str, str]) -> str:
        """Compact JSON text. Raises KeyError for a part that is not there."""
        return encode(_filled(dict(self.value), parts))


def merge(*layers: Mapping[str, Json]) -> dict[str, Json]:
    """One object, key by key: a later layer's value replaces an earlier one's as a whole."""
    return {key: value for layer in layers for key, value in layer.items()}


def encode(value: Json) -> str:
    """Compact JSON text, which is what LiveKit counts and a worker decodes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def parts_of(text: str) -> frozenset[str]:
    """The parts that one string needs. Raises TemplateError for a brace that is neither a part's nor doubled."""
    found = set()
    for mark in _MARK.finditer(text):
        if mark["part"] is not None:
            found.add(mark["part"])
        elif len(mark[0]) == 1:
            raise TemplateError(f"the {mark[0]} stands alone: write {mark[0] * 2} for the character itself")
    return frozenset(found)


def _parts(value: Json) -> frozenset[str]:
    match value:
        case str():
            return parts_of(value)
        case list():
            return frozenset().union(*map(_parts, value))
        case dict():
            return frozenset().union(*map(_parts, value.values()))
        case _:
            return frozenset()


def _filled(value: Json, parts: Mapping[str, str]) -> Json:
    match value:
        case str():
            return _MARK.sub(lambda mark: _replacement(mark, parts), value)
        case list():
            return [_filled(item, parts) for item in value]
        case dict():
            return {key: _filled(item, parts) for key, item in value.items()}
        case _:
            return value


def _replacement(mark: re.Match[str], parts: Mapping[str, str]) -> str:
    return mark[0][0] if mark["part"] is None else parts[mark["part"]]
