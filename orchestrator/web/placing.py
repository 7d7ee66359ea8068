"""From an agent that a request names to the placement that a session gets, or to what the caller is told instead."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from orchestrator.configuration.requests import MetadataRefused, UnknownAgent
from orchestrator.core.facts import CandidateSpec, PlacementSpec
from orchestrator.core.naming import spelled
from orchestrator.web.problems import problem
from orchestrator.web.requests import Refused


class Placements(Protocol):
    def __call__(
        self,
        room: str,
        agent_name: str,
        *,
        metadata: str | Mapping[str, Any] | None,
        deployment: str,
        attributes: Mapping[str, str],
        routed: PlacementSpec | None,
    ) -> PlacementSpec:
        """Raises UnknownAgent and MetadataRefused."""
        ...


class Wanted(Protocol):
    """A placement, of a session or still of a route."""

    @property
    def agent_name(self) -> str: ...

    @property
    def candidates(self) -> Sequence[CandidateSpec]:
        """The agent itself, and then its fallbacks."""
        ...


def refuse_fallback(agent_name: str, wanted: Iterable[Wanted]) -> None:
    """One agent name comes into a room once. Raises Refused when it may come there in another agent's place."""
    for other in wanted:
        if other.agent_name != agent_name and any(candidate.agent_name == agent_name for candidate in other.candidates):
            detail = f"{spelled(agent_name)} may come to this room as a fallback of {spelled(other.agent_name)}."
            raise Refused(problem(409, "Conflict", detail))


def asked_placement(
    placements: Placements,
    room: str,
    agent_name: str,
    *,
    metadata: str | Mapping[str, Any] | None,
    deployment: str,
    attributes: Mapping[str, str],
    routed: PlacementSpec | None,
) -> PlacementSpec:
    """The placement of an agent that is asked for by name. Raises Refused for one that cannot be placed as it is asked for."""
    try:
        return placements(room, agent_name, metadata=metadata, deployment=deployment, attributes=attributes, routed=routed)
    except UnknownAgent as error:
        raise Refused(problem(422, "Unprocessable Content", str(error), near=list(error.near))) from error
    except MetadataRefused as error:
        raise Refused(problem(422, "Unprocessable Content", str(error))) from error
