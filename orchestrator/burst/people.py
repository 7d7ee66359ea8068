"""Somebody in each room: a client of LiveKit's own, who says nothing and listens."""

import asyncio
from typing import Final

from livekit import rtc

from orchestrator.livekit.grants import GrantedTokens
from orchestrator.runtime.ports import Entrant

IDENTITY: Final = "burst-person"
TTL: Final = 600.0
"""Seconds that a token lives: longer than the longest burst."""


class Clients:
    """Whoever cannot enter is counted in `missing`: the agent may come all the same."""

    def __init__(self, url: str, key: str, secret: str) -> None:
        self._url = url
        self._tokens = GrantedTokens(key, secret, TTL)
        self._inside: list[rtc.Room] = []
        self.missing = 0

    async def enter(self, room: str) -> None:
        client = rtc.Room()
        self._inside.append(client)
        try:
            await client.connect(self._url, self._tokens.mint(Entrant(room, IDENTITY)))
        except rtc.ConnectError:
            self.missing += 1

    async def leave(self) -> None:
        await asyncio.gather(*(client.disconnect() for client in self._inside))
        self._inside.clear()
