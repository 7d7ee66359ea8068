"""Who may ask for which token: the rules of the `token:` block, applied to one request."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from orchestrator.configuration.token import Allowed, TokenEntry
from orchestrator.runtime.ports import Entrant
from orchestrator.web.callers import Caller
from orchestrator.web.holding import read_hold
from orchestrator.web.problems import problem
from orchestrator.web.requests import Refused
from orchestrator.web.token_request import AskedAgent, TokenRequest, refuse_reserved

AGENT_PREFIX: Final = "agent-"
"""Identities that livekit-server gives to agents: a person with one could be taken for an agent."""

NEW_ROOM: Final = "room-"
NEW_PERSON: Final = "user-"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that is allowed, with the names that it left open."""

    entrant: Entrant
    metadata: str | None
    """Of the room; None: the caller does not mention it."""
    agents: tuple[AskedAgent, ...]


class Rules:
    def __init__(self, entry: TokenEntry, random: Callable[[], str]) -> None:
        """`random` makes letters and digits that nobody can guess."""
        self._entry = entry
        self._random = random

    def allowed(self, caller: Caller, sent: TokenRequest) -> Asked:
        """Raises Refused."""
        config = sent.room_config
        agents = (config.agents or ()) if config is not None else ()
        if agents and not self._entry.room_config_agents:
            raise _forbidden("Callers may not name agents here.", "room_config.agents")
        refuse_reserved(sent.participant_attributes, "participant_attributes")
        for index, agent in enumerate(agents):
            refuse_reserved(agent.attributes, f"room_config.agents.{index}.attributes")
        entrant = Entrant(
            room=self._room(caller, sent),
            identity=self._identity(caller, sent),
            name=sent.participant_name or "",
            metadata=sent.participant_metadata or "",
            attributes=tuple((sent.participant_attributes or {}).items()),
        )
        return Asked(entrant, None if config is None else config.metadata, agents)

    def allow_agent(self, caller: Caller, room: str) -> None:
        """Whether a caller may have an agent sent into a room by its name. Raises Refused."""
        if not self._entry.room_config_agents:
            raise _forbidden("Callers may not name agents here.", "agent_name")
        if not self._entry.rooms_allowed.allows(room, caller.claims):
            raise _forbidden("This caller may not ask for this room.", "room")

    def hold(self, request: web.Request) -> float | None:
        """For how many seconds the answer waits for the agent; None: not at all. Raises Refused."""
        return read_hold(request, usual=self._entry.hold, longest=self._entry.hold)

    def _room(self, caller: Caller, sent: TokenRequest) -> str:
        allowed = self._entry.rooms_allowed
        if not sent.room_name:
            return self._made_up(caller, allowed, NEW_ROOM, "room_name")
        if not allowed.allows(sent.room_name, caller.claims):
            raise _forbidden("This caller may not ask for this room.", "room_name")
        return sent.room_name

    def _identity(self, caller: Caller, sent: TokenRequest) -> str:
        """Whose a JWT is, is its subject; others are, unless they say who, somebody new."""
        allowed = self._entry.identities_allowed(caller.claims)
        identity = sent.participant_identity
        if not identity and caller.subject is not None and allowed.allows(caller.subject, caller.claims):
            identity = caller.subject
        if not identity:
            identity = self._made_up(caller, allowed, NEW_PERSON, "participant_identity")
        if identity.startswith(AGENT_PREFIX):
            raise _forbidden(f"Identities that begin with {AGENT_PREFIX} are for agents.", "participant_identity")
        if not allowed.allows(identity, caller.claims):
            raise _forbidden("This caller may not ask for this identity.", "participant_identity")
        return identity

    def _made_up(self, caller: Caller, allowed: Allowed, prefix: str, field: str) -> str:
        part = self._random()
        name = f"{prefix}{part}" if allowed.text == "*" else allowed.example(part, caller.claims)
        if name is None:
            raise Refused(problem(400, "Bad Request", f"{field}: say which one; it cannot be made up here.", field=field))
        return name


def _forbidden(detail: str, field: str) -> Refused:
    return Refused(problem(403, "Forbidden", f"{field}: {detail}", field=field))
