"""Tokens for people: what they may do in their room is written here, and nobody who asks for one can change it."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from livekit.api.access_token import AccessToken, VideoGrants
from livekit.protocol.agent_dispatch import JRP_NEVER, RoomAgentDispatch
from livekit.protocol.room import RoomConfiguration

from orchestrator.core.facts import CandidateSpec
from orchestrator.runtime.ports import Entrant

CARRIED_METADATA: Final = 2048
"""Bytes of room metadata that a token carries at most: it travels in a URL, and proxies refuse those beyond 8 KiB."""


class GrantedTokens:
    """Signs tokens that live for `ttl` seconds."""

    def __init__(self, key: str, secret: str, ttl: float) -> None:
        self._key = key
        self._secret = secret
        self._ttl = timedelta(seconds=ttl)

    def mint(self, entrant: Entrant, *, room_metadata: str = "", agents: Sequence[CandidateSpec] = ()) -> str:
        """A token for this person and this room.

        It carries the room's metadata as well: a room that nobody enters ends after its empty_timeout, which may be
        before the token does, and whoever then comes makes it anew.
        """
        token = (
            AccessToken(self._key, self._secret)
            .with_ttl(self._ttl)
            .with_identity(entrant.identity)
            .with_name(entrant.name)
            .with_metadata(entrant.metadata)
            .with_grants(_grants(entrant.room))
        )
        if entrant.attributes:
            token = token.with_attributes(dict(entrant.attributes))
        carried = room_metadata if len(room_metadata.encode()) <= CARRIED_METADATA else ""
        if carried or agents:
            asked = [asked_agent(agent) for agent in agents]
            token = token.with_room_config(RoomConfiguration(metadata=carried, agents=asked))
        return token.to_jwt()


def asked_agent(agent: CandidateSpec) -> RoomAgentDispatch:
    """An agent as CreateRoom and a token's room_config ask for it."""
    return RoomAgentDispatch(
        agent_name=agent.agent_name,
        metadata=agent.metadata,
        deployment=agent.deployment,
        attributes=dict(agent.attributes),
        restart_policy=JRP_NEVER,  # whether another one is needed is for us to see: two would come
    )


def _grants(room: str) -> VideoGrants:
    """Of somebody who speaks and listens. What is not named here is not granted."""
    return VideoGrants(
        room_join=True,
        room=room,
        can_publish=True,
        can_subscribe=True,
        can_publish_data=True,
        can_update_own_metadata=False,
    )
