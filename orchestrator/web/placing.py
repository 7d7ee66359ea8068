"""From an agent that a request names to the placement that a session gets, or to what the caller is told instead."""

from collections.abc import Mapping
from typing import Any, Protocol

from orchestrator.configuration.requests import MetadataRefused, UnknownAgent
from orchestrator.core.facts import PlacementSpec
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
