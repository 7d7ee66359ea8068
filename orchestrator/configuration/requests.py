"""From an agent that somebody asks for by name to the placement that a session gets: as the file says, and what they add."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from orchestrator.configuration.entries import AgentEntry
from orchestrator.configuration.routes import policy_of
from orchestrator.contract import RESERVED_KEY
from orchestrator.core.facts import CandidateSpec, PlacementSpec
from orchestrator.core.policy import Policy
from orchestrator.core.quotation import quoted
from orchestrator.core.templates import ROOM_PART, Json, Template, encode, merge

WRAPPED: Final = "metadata"
"""The key under which metadata arrives that is no JSON object."""

_NEAR: Final = 3


class UnknownAgent(ValueError):
    """No such agent is configured. `near` are configured names that look like it."""

    def __init__(self, agent_name: str, configured: Mapping[str, object]) -> None:
        self.near = tuple(difflib.get_close_matches(agent_name, configured, n=_NEAR))
        super().__init__(f"No agent {quoted(agent_name)} is configured in rollcall.yaml.")


class MetadataRefused(ValueError):
    """The metadata cannot be handed to a worker; the message says why, and never quotes it."""


def requested_placement(
    agents: Mapping[str, AgentEntry],
    default: Policy,
    largest_metadata: int,
    room: str,
    agent_name: str,
    *,
    metadata: str | Mapping[str, Json] | None = None,
    deployment: str = "",
    attributes: Mapping[str, str] | None = None,
    routed: PlacementSpec | None = None,
) -> PlacementSpec:
    """The placement of an agent that is asked for by name: the file's metadata for it, and the request's over it.

    Its fallbacks get what the request says, too, over their own. `routed` is what the room's route has for this agent
    itself: the request's metadata is then laid over that. `largest_metadata` is in bytes, of the whole. Raises
    UnknownAgent and MetadataRefused.
    """
    entry = agents.get(agent_name)
    if entry is None:
        raise UnknownAgent(agent_name, agents)
    asked = _object(metadata)
    carried = tuple(sorted((attributes or {}).items()))
    if routed is None:
        routed = PlacementSpec(
            tuple(CandidateSpec(name, _own(room, agents[name])) for name in (agent_name, *entry.fallback)),
            policy_of(entry.policy, default),
        )
    candidates = tuple(
        CandidateSpec(
            candidate.agent_name,
            _laid_over(candidate.metadata, asked, largest_metadata),
            deployment if candidate.agent_name == agent_name else "",
            carried,
        )
        for candidate in routed.candidates
    )
    return replace(routed, candidates=candidates)


def _object(metadata: str | Mapping[str, Json] | None) -> dict[str, Json]:
    match metadata:
        case None | "":
            return {}
        case str():
            fields = _parsed(metadata)
        case _:
            fields = dict(metadata)
    if RESERVED_KEY in fields:
        raise MetadataRefused(f"The key {RESERVED_KEY} of the metadata is reserved for what Rollcall tells the worker.")
    return fields


def _parsed(metadata: str) -> dict[str, Json]:
    try:
        parsed = json.loads(metadata)
    except (ValueError, RecursionError):
        parsed = metadata
    return parsed if isinstance(parsed, dict) else {WRAPPED: metadata}


def _own(room: str, agent: AgentEntry) -> str:
    """What the file says of an agent. Parts of the room's name that only a route could tell are empty."""
    return Template(agent.metadata).render(_OnlyTheRoom({ROOM_PART: room}))


def _laid_over(own: str, asked: Mapping[str, Json], largest: int) -> str:
    """What was asked for is no template."""
    try:
        text = encode(merge(json.loads(own), asked))
        size = len(text.encode())
    except (ValueError, RecursionError) as error:  # UnicodeEncodeError is a ValueError: half of a character
        raise MetadataRefused("The metadata holds what JSON cannot say.") from error
    if size > largest:
        raise MetadataRefused(f"The metadata is {size} bytes long; {largest} are allowed.")
    return text


class _OnlyTheRoom(dict[str, str]):
    def __missing__(self, part: str) -> str:
        return ""
