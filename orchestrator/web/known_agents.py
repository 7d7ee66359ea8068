"""Which agent name a request is about, where nothing is done for one of which nothing is known."""

from collections.abc import Collection
from typing import Protocol

from aiohttp import web

from orchestrator.core.fleet import Fleet, near_names
from orchestrator.web.agent_view import known_names
from orchestrator.web.agents import agent_not_found
from orchestrator.web.requests import Refused, agent_asked_for


class FleetLook(Protocol):
    async def look(self) -> Fleet:
        """Raises StoreUnavailable."""
        ...


async def known_agent(request: web.Request, fleet: FleetLook, known: Collection[str]) -> str:
    """The agent name. Raises Refused for one of which nothing is known: it would be a typing error.

    `known`: names beside those that the fleet knows.
    """
    name = agent_asked_for(request)
    names = known_names(await fleet.look(), known)
    if name not in names:
        raise Refused(agent_not_found(name, near_names(name, names)))
    return name
