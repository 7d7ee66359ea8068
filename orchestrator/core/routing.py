"""From a room's name and metadata to the agents that it should have, with the trace of why.

The first route that matches wins, and all of its agents are placed. A room that no route matches is unrouted, and so is
one whose route wants no agent. Where a route names several agents of which one is to serve, what their workers announce
decides which one it is, now; the others are its fallbacks.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from orchestrator.core.facts import CandidateSpec, PlacementSpec, Routed
from orchestrator.core.fleet import NOTHING_KNOWN, Choice, Fleet, ranked
from orchestrator.core.naming import spelled
from orchestrator.core.patterns import REGEX_NAME_LIMIT, Parts, Regex, RoomPattern
from orchestrator.core.policy import Policy
from orchestrator.core.templates import ROOM_PART, Json, Template, encode

NO_ROUTE: Final = "no route matched"
"""The label of the routing of a room that nothing in the configuration is meant for."""

Scalar = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent that can serve, with what its metadata would be: its own, the route's and the entry's, merged."""

    agent_name: str
    metadata: Template
    policy: Policy


@dataclass(frozen=True, slots=True)
class Wanted:
    """One agent of a route: the agent itself, then its fallbacks in order; with a choice, all of whom one is to serve."""

    candidates: tuple[Candidate, ...]
    choice: Choice | None = None

    def by(self, fleet: Fleet) -> tuple[Candidate, ...]:
        """The candidates in the order in which they are to be tried: the first one's policy holds for the placement."""
        if self.choice is None:
            return self.candidates
        named = {candidate.agent_name: candidate for candidate in self.candidates}
        return tuple(named[name] for name in ranked(fleet, tuple(named), self.choice))


@dataclass(frozen=True, slots=True)
class Route:
    """One entry of the configuration's routes. A condition that it lacks is met by every room."""

    label: str
    """What people know it by: `routes[0] room "support-*"`."""
    wanted: tuple[Wanted, ...]
    room: RoomPattern | None = None
    room_metadata: Mapping[str, Scalar] | None = None
    """Fields of the room's JSON metadata, nested ones by a dotted path, and the values that they must have."""
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Considered:
    """One route that was looked at, and why it matched or did not. Holds nothing of the room's metadata."""

    route: str
    matched: bool
    why: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """One choice that a route left open: between whom, by what, and in which order they are tried."""

    of: tuple[str, ...]
    choice: Choice
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Routing:
    """What the routes answer for one room."""

    placements: tuple[PlacementSpec, ...]
    route: str
    trace: tuple[Considered, ...] = ()
    warnings: tuple[str, ...] = ()
    choices: tuple[Chosen, ...] = ()

    @property
    def routed(self) -> Routed:
        """The fact: what a session remembers of it."""
        turned = [_named(chosen.order) for chosen in self.choices if chosen.order != chosen.of]
        why = f"; in the order {' and '.join(turned)}, by what workers announce" if turned else ""
        return Routed(self.placements, f"{self.route}{why}", self.warnings)


@dataclass(frozen=True, slots=True)
class Routes:
    """The compiled routes, in the order in which they are asked."""

    routes: tuple[Route, ...] = ()

    def route(self, room: str, metadata: str, fleet: Fleet = NOTHING_KNOWN) -> Routing:
        """Ask each route in turn. `metadata` is the room's own, of any form: it need not be JSON."""
        about = _Room(room, metadata)
        trace: list[Considered] = []
        warnings: list[str] = []
        for route in self.routes:
            if route.room_metadata is not None and about.warning and about.warning not in warnings:
                warnings.append(about.warning)
            parts, why = _match(route, about)
            trace.append(Considered(route.label, parts is not None, why))
            if parts is not None:
                return _routing(route, {**parts, ROOM_PART: room}, fleet, tuple(trace), tuple(warnings))
        return Routing((), NO_ROUTE, tuple(trace), tuple(warnings))


class _Room:
    """A room as the routes see it. Its metadata is decoded when the first route asks for it, and only then."""

    def __init__(self, name: str, metadata: str) -> None:
        self.name = name
        self._metadata = metadata

    @property
    def fields(self) -> Mapping[str, Json]:
        return self._decoded[0]

    @property
    def warning(self) -> str | None:
        return self._decoded[1]

    @cached_property
    def _decoded(self) -> tuple[Mapping[str, Json], str | None]:
        if not self._metadata:
            return {}, None
        try:
            value = json.loads(self._metadata)
        except (ValueError, RecursionError):
            return {}, "The room's metadata is not JSON, so no route could look at its fields."
        if not isinstance(value, dict):
            return {}, "The room's metadata is JSON but no object, so no route could look at its fields."
        return value, None


def _match(route: Route, room: _Room) -> tuple[Parts | None, str]:
    """The parts when the route matches, else None; and why."""
    parts, why = _match_name(route.room, room.name)
    if parts is None or route.room_metadata is None:
        return parts, why
    for path, wanted in route.room_metadata.items():
        missed = _missed(path, wanted, room)
        if missed:
            return None, missed
    met = "the room's metadata has " + " and ".join(
        f"{path} = {encode(wanted)}" for path, wanted in route.room_metadata.items()
    )
    return parts, met if route.room is None else f"{why}, and {met}"


def _match_name(pattern: RoomPattern | None, name: str) -> tuple[Parts | None, str]:
    if pattern is None:
        return {}, "it has no condition: it takes every room that comes to it"
    if isinstance(pattern, Regex) and len(name) > REGEX_NAME_LIMIT:
        return (
            None,
            f"the name is longer than {REGEX_NAME_LIMIT} characters, and a room_regex is not tried on such names",
        )
    parts = pattern.match(name)
    if parts is None:
        return None, "the name does not match"
    bound = ", ".join(f"{part} = {encode(text)}" for part, text in parts.items())
    return parts, f"the name matches, with {bound}" if bound else "the name matches"


def _missed(path: str, wanted: Scalar, room: _Room) -> str | None:
    """Why the room's metadata does not have this value at this path; None when it has it."""
    if room.warning:
        return f"{path} should be {encode(wanted)}, but the room's metadata is no JSON object"
    found, value = _field(room.fields, path)
    if not found:
        return f"the room's metadata has no {path}; it should be {encode(wanted)}"
    # Python takes True for 1; JSON does not.
    if isinstance(value, bool) is not isinstance(wanted, bool) or value != wanted:
        return f"{path} of the room's metadata is not {encode(wanted)}"
    return None


def _field(fields: Mapping[str, Json], path: str) -> tuple[bool, Json]:
    """The value at a dotted path. A key that itself holds the dots comes first."""
    if path in fields:
        return True, fields[path]
    head, _, rest = path.partition(".")
    inner = fields.get(head)
    return _field(inner, rest) if rest and isinstance(inner, dict) else (False, None)


def _routing(route: Route, parts: Parts, fleet: Fleet, trace: tuple[Considered, ...], warnings: tuple[str, ...]) -> Routing:
    placements: list[PlacementSpec] = []
    choices: list[Chosen] = []
    for wanted in route.wanted:
        candidates = wanted.by(fleet)
        specs = tuple(CandidateSpec(c.agent_name, c.metadata.render(parts)) for c in candidates)
        placements.append(PlacementSpec(specs, candidates[0].policy, route.priority))
        if wanted.choice is not None:
            written = tuple(c.agent_name for c in wanted.candidates)
            choices.append(Chosen(written, wanted.choice, tuple(c.agent_name for c in candidates)))
    return Routing(tuple(placements), route.label, trace, warnings, tuple(choices))


def _named(names: tuple[str, ...]) -> str:
    return ", ".join(map(spelled, names))
