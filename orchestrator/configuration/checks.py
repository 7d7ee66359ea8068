"""What agents and routes say about each other: names that exist, nobody twice in one room, parts that a route binds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.configuration.entries import AgentEntry
from orchestrator.configuration.problems import Finding, Location, Severity, did_you_mean, listed
from orchestrator.configuration.route_entries import RouteAgentEntry, RouteEntry
from orchestrator.configuration.routes import candidates_of, label_of, pattern_of, template_of
from orchestrator.core.patterns import Glob
from orchestrator.core.templates import ROOM_PART, Template, encode

Agents = Mapping[str, AgentEntry]


@dataclass(frozen=True, slots=True)
class MetadataLimits:
    """Bytes of the metadata of one dispatch."""

    warning: int
    refusal: int


def check(agents: Agents, routes: Sequence[RouteEntry], limits: MetadataLimits) -> Iterator[Finding]:
    """All that is wrong between entries that are right by themselves."""
    yield from _names(agents, routes)
    yield from _circles(agents)
    # What follows asks what a route comes to, which an agent that does not exist leaves open.
    known = [(index, route) for index, route in enumerate(routes) if all(_known(agents, entry) for entry in route.agents)]
    for index, route in known:
        yield from _twice(agents, index, route)
        yield from dict.fromkeys(_unbound(agents, index, route))
        yield from _size(agents, index, route, limits)
    yield from _never_matched(routes)


def _known(agents: Agents, entry: RouteAgentEntry) -> bool:
    return all(name in agents for name in entry.names) and set(candidates_of(agents, entry)) <= agents.keys()


# --- names ----------------------------------------------------------------------------------------------------------


def _names(agents: Agents, routes: Sequence[RouteEntry]) -> Iterator[Finding]:
    for name, agent in agents.items():
        for index, fallback in enumerate(agent.fallback):
            if fallback not in agents:
                yield no_such_agent(("agents", name, "fallback", index), fallback, agents)
    for number, route in enumerate(routes):
        for index, entry in enumerate(route.agents):
            for place, name in enumerate(entry.names):
                if name not in agents:
                    inside = () if entry.any is None else ("any", place)
                    yield no_such_agent(("routes", number, "agents", index, *inside), name, agents)


def no_such_agent(location: Location, name: str, agents: Agents) -> Finding:
    """What is said of a name that stands where one of the agents must stand."""
    fix = did_you_mean(name, agents) or f"Add it under agents:, or name one of those that are there: {listed(agents)}."
    return Finding(location, f'There is no agent "{name}".', fix)


def _circles(agents: Agents) -> Iterator[Finding]:
    reported: set[frozenset[str]] = set()
    for name in agents:
        circle = _circle(agents, name)
        if circle and frozenset(circle) not in reported:
            reported.add(frozenset(circle))
            message = f"The fallbacks go round in a circle: {' -> '.join([*circle, name])}."
            if len(circle) == 1:
                message = f'"{name}" is its own fallback.'
            yield Finding(("agents", name, "fallback"), message, "Take one of them out.")


def _circle(agents: Agents, name: str) -> list[str] | None:
    """The way from an agent through fallbacks back to itself."""
    ways = [[name]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for fallback in agents[way[-1]].fallback:
            if fallback == name:
                return way
            if fallback in agents and fallback not in seen:
                seen.add(fallback)
                ways.append([*way, fallback])
    return None


def _twice(agents: Agents, number: int, route: RouteEntry) -> Iterator[Finding]:
    """Two placements of one name in one room could not be told apart: an agent proves itself by its name."""
    first: dict[str, str] = {}
    for index, entry in enumerate(route.agents):
        for name in candidates_of(agents, entry):
            place = f"agents[{index}]" if name in entry.names else f"a fallback of agents[{index}]"
            if name in first:
                message = f'"{name}" would be twice in one room: as {first[name]} and as {place}.'
                yield Finding(("routes", number, "agents", index), message, "Name each agent once, fallbacks included.")
            first.setdefault(name, place)


# --- metadata -------------------------------------------------------------------------------------------------------


def _templates(agents: Agents, route: RouteEntry) -> Iterator[tuple[int, str, Template]]:
    """What each agent of a route would be told: the place of its entry, its name, its metadata."""
    for index, entry in enumerate(route.agents):
        for name in candidates_of(agents, entry):
            yield index, name, template_of(agents[name], route, entry)


def _unbound(agents: Agents, number: int, route: RouteEntry) -> Iterator[Finding]:
    pattern = pattern_of(route)
    bound = {ROOM_PART} | (pattern.parts if pattern else frozenset())
    for index, name, template in _templates(agents, route):
        for key, value in template.value.items():
            for part in sorted(Template({key: value}).parts - bound):
                message = f"It uses {{{part}}}, which {label_of(number, route)} does not bind."
                hint = did_you_mean(part, bound) or "Bind it in the route's pattern."
                fix = f"{hint} For the braces themselves write {{{{{part}}}}}."
                yield Finding(_written_at(key, name, number, route, index), message, fix)


def _written_at(key: str, name: str, number: int, route: RouteEntry, index: int) -> Location:
    """Where a key of the merged metadata comes from: the entry is laid over the route, and the route over the agent."""
    if key in route.agents[index].metadata:
        return ("routes", number, "agents", index, "metadata", key)
    return ("routes", number, "metadata", key) if key in route.metadata else ("agents", name, "metadata", key)


def _size(agents: Agents, number: int, route: RouteEntry, limits: MetadataLimits) -> Iterator[Finding]:
    for index, name, template in _templates(agents, route):
        size = len(encode(dict(template.value)).encode())
        message = f'The metadata for "{name}" has {size} bytes'
        location = ("routes", number, "agents", index)
        if size > limits.refusal:
            fix = "Let the worker fetch what is large, and give it the address."
            yield Finding(location, f"{message}; more than {limits.refusal} are refused.", fix)
        elif size > limits.warning:
            message = f"{message}, which every dispatch carries to LiveKit and to the worker."
            yield Finding(location, message, severity=Severity.WARNING)


# --- conditions -----------------------------------------------------------------------------------------------------


def _never_matched(routes: Sequence[RouteEntry]) -> Iterator[Finding]:
    if not routes:
        message = "There are no routes, so no room gets an agent."
        fix = "Add one: `routes: [{agents: [mary]}]` gives mary to every room."
        yield Finding(("routes",), message, fix, Severity.WARNING)
    taker = next((index for index, route in enumerate(routes) if _takes_every_room(route)), len(routes))
    for index in range(taker + 1, len(routes)):
        message = f"It never matches: {label_of(taker, routes[taker])} takes every room before it."
        yield Finding(("routes", index), message, "Move it up.", Severity.WARNING)


def _takes_every_room(route: RouteEntry) -> bool:
    pattern = pattern_of(route)
    return route.room_metadata is None and (pattern is None or (isinstance(pattern, Glob) and pattern.matches_all))
