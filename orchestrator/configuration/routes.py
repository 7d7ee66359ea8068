"""From the file's agents and routes to the core's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.configuration.entries import AgentEntry, PolicyEntry
from orchestrator.configuration.route_entries import RouteAgentEntry, RouteEntry
from orchestrator.core.fleet import Choice
from orchestrator.core.patterns import RoomPattern, glob, regex
from orchestrator.core.policy import Policy
from orchestrator.core.routing import Candidate, Route, Routes, Wanted
from orchestrator.core.templates import Template, encode, merge


def compile_routes(agents: Mapping[str, AgentEntry], routes: Sequence[RouteEntry], default: Policy) -> Routes:
    """The routes as the core asks them. The entries have passed their checks: every agent that is named exists."""
    return Routes(
        tuple(
            Route(
                label=label_of(index, route),
                wanted=tuple(_wanted(agents, route, entry, default) for entry in route.agents),
                room=pattern_of(route),
                room_metadata=route.room_metadata,
                priority=route.priority,
            )
            for index, route in enumerate(routes)
        )
    )


def label_of(index: int, route: RouteEntry) -> str:
    """What people know a route by: its place in the file, and its conditions."""
    conditions = [
        f"{name} {encode(text)}" for name, text in (("room", route.room), ("room_regex", route.room_regex)) if text is not None
    ]
    if route.room_metadata is not None:
        fields = ", ".join(f"{path}: {encode(value)}" for path, value in route.room_metadata.items())
        conditions.append(f"room_metadata {{{fields}}}")
    return f"routes[{index}] " + (" and ".join(conditions) or "every other room")


def pattern_of(route: RouteEntry) -> RoomPattern | None:
    if route.room is not None:
        return glob(route.room)
    return regex(route.room_regex) if route.room_regex is not None else None


def template_of(agent: AgentEntry, route: RouteEntry, entry: RouteAgentEntry) -> Template:
    """An agent's metadata in one place of one route."""
    return Template(merge(agent.metadata, route.metadata, entry.metadata))


def candidates_of(agents: Mapping[str, AgentEntry], entry: RouteAgentEntry) -> list[str]:
    """The names that can serve one entry of a route: the agent itself, then its fallbacks, without theirs.

    Of one that names several, those: what stands in the entry is the whole list, and their own fallbacks are not added.
    """
    if entry.any is not None:
        return list(entry.any)
    return [name for named in entry.names for name in (named, *agents[named].fallback)]


def policy_of(entry: PolicyEntry, default: Policy) -> Policy:
    """An agent's policy: what its entry says, and the default for the rest."""
    given = {name: getattr(entry, name) for name in PolicyEntry.model_fields}
    return replace(default, **{name: value for name, value in given.items() if value is not None})


def _wanted(agents: Mapping[str, AgentEntry], route: RouteEntry, entry: RouteAgentEntry, default: Policy) -> Wanted:
    candidates = candidates_of(agents, entry)
    # A fallback goes by the policy of the agent that it serves for; of several, each may turn out to be the first.
    own = {name: agents[name if entry.any is not None else candidates[0]].policy for name in candidates}
    return Wanted(
        tuple(Candidate(name, template_of(agents[name], route, entry), policy_of(own[name], default)) for name in candidates),
        None if entry.any is None else Choice(frozenset(entry.capabilities), entry.region),
    )
