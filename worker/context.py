"""What an agent is told about its work, and by whom.

It is told in five places. The job's metadata is meant for this agent alone and wins; the room's metadata is for everybody
in it; the room's name may carry words that the operator's pattern names; a participant's metadata and attributes are about
that person. Metadata is text that somebody else wrote: what is not a JSON object is reported, and the rest is used all
the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from orchestrator.contract import RESERVED_KEY

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_STATUS_PREFIXES = ("lk.", f"{RESERVED_KEY}.")
"""Attributes with which LiveKit and Rollcall say how a participant is, and nothing about the work."""


class Source(StrEnum):
    """Where a value came from, the strongest first."""

    JOB = "job"
    ROOM = "room"
    ROOM_NAME = "room_name"
    PARTICIPANT = "participant"
    ATTRIBUTES = "attributes"


@dataclass(frozen=True, slots=True)
class Told:
    """One value, and where it came from."""

    value: Json
    source: Source


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Metadata that was there and could not be used. The reason never quotes it."""

    source: Source
    reason: str

    @property
    def sentence(self) -> str:
        """For on-call."""
        return f"The {self.source.value}'s metadata was not used: {self.reason}."


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that an agent was told: for each key the strongest source's value."""

    values: Mapping[str, Told]
    unreadable: tuple[Unreadable, ...] = ()

    def text(self, key: str, *, of: tuple[Source, ...] = tuple(Source)) -> str | None:
        """The value of `key` if it is a non-empty string that one of the sources `of` gave."""
        told = self.values.get(key)
        if told is None or told.source not in of or not isinstance(told.value, str):
            return None
        return told.value.strip() or None

    def keys_by_source(self) -> dict[str, list[str]]:
        """What was told by whom, without the values: safe to log."""
        return {
            source.value: keys
            for source in Source
            if (keys := sorted(k for k, told in self.values.items() if told.source is source))
        }


def read_context(
    *,
    job: str = "",
    room: str = "",
    room_name: Mapping[str, str] | None = None,
    participant: str = "",
    attributes: Mapping[str, str] | None = None,
) -> Context:
    """The context that the five places give: three metadata, the named parts of the room's name, and attributes.

    Empty metadata is no metadata.
    """
    fields: dict[Source, Mapping[str, Json]] = {}
    unreadable: list[Unreadable] = []
    for source, metadata in ((Source.JOB, job), (Source.ROOM, room), (Source.PARTICIPANT, participant)):
        match _readable(source, metadata):
            case str(reason):
                unreadable.append(Unreadable(source, reason))
            case parsed:
                fields[source] = parsed
    fields[Source.ROOM_NAME] = dict(room_name or {})
    fields[Source.ATTRIBUTES] = {k: v for k, v in (attributes or {}).items() if not k.startswith(_STATUS_PREFIXES)}
    values: dict[str, Told] = {}
    for source in Source:
        for key, value in _ours_left_out(source, fields.get(source, {})):
            values.setdefault(key, Told(value, source))
    return Context(values, tuple(unreadable))


def parse_object(metadata: str) -> dict[str, Json] | str:
    """The JSON object in `metadata` (none if it is blank), or the reason why there is none."""
    if not metadata.strip():
        return {}
    try:
        parsed: Json = json.loads(metadata)
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError) as error:
        return f"not usable as JSON: {type(error).__name__}"
    if not isinstance(parsed, dict):
        return f"JSON, but not an object: {type(parsed).__name__}"
    return parsed


def _readable(source: Source, metadata: str) -> dict[str, Json] | str:
    parsed = parse_object(metadata)
    if source is not Source.JOB or isinstance(parsed, str):
        return parsed
    # The orchestrator wraps a caller's metadata that is no object, as text under one key. A text that was meant to be an
    # object would pass for a plain sentence if nobody looked.
    wrapped = parsed.get("metadata")
    others = parsed.keys() - {"metadata", RESERVED_KEY}
    if others or not isinstance(wrapped, str) or not wrapped.lstrip().startswith("{"):
        return parsed
    meant = parse_object(wrapped)
    return meant if isinstance(meant, str) else parsed


def _ours_left_out(source: Source, fields: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Only the dispatch writes our key, so only the job's metadata reserves it."""
    for key, value in fields.items():
        if not (source is Source.JOB and key == RESERVED_KEY):
            yield key, value
