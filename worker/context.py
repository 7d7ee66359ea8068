"""What an agent is told about its work, and by whom.

Metadata reaches an agent in three places. The job's is meant for this agent alone and wins; the room's is for everybody
in it; a participant's is about that person. All three are text that somebody else wrote: what is not a JSON object is
reported, and the other two are read all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from orchestrator.contract import RESERVED_KEY

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


class Source(StrEnum):
    """Where a value came from, the strongest first."""

    JOB = "job"
    ROOM = "room"
    PARTICIPANT = "participant"


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


def read_context(*, job: str = "", room: str = "", participant: str = "") -> Context:
    """The context that the metadata of the three places gives; empty metadata is no metadata."""
    values: dict[str, Told] = {}
    unreadable: list[Unreadable] = []
    for source, metadata in ((Source.JOB, job), (Source.ROOM, room), (Source.PARTICIPANT, participant)):
        match parse_object(metadata):
            case str(reason):
                unreadable.append(Unreadable(source, reason))
            case fields:
                for key, value in _ours_left_out(source, fields):
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


def _ours_left_out(source: Source, fields: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    """Only the dispatch writes our key, so only the job's metadata reserves it."""
    for key, value in fields.items():
        if not (source is Source.JOB and key == RESERVED_KEY):
            yield key, value
