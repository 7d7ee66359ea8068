"""The calls that go on while everything around them fails: some with a person in the room, some that wait for one."""

from __future__ import annotations

import asyncio
import random
from typing import Final

from livekit import api

from tests.e2e.harness.clients import Client
from tests.faults.scene import Scene

AT_ONCE: Final = 10
WITH_PEOPLE: Final = 4
"""Each person is a real client in this process, and costs as much as one."""
KINDS: Final = ("light", "light", "light", "slow", "process")
"""How often which agent is wanted."""

CLOSED: Final = (api.TwirpErrorCode.NOT_FOUND, api.TwirpErrorCode.UNAVAILABLE)
"""How LiveKit answers when a room is closed that is gone, or whose node is: then it is only listed."""


class Calls:
    """Rooms that should have their agents now; new ones replace the oldest, again and again."""

    def __init__(self, scene: Scene, chance: random.Random) -> None:
        self.opened = 0
        self._scene = scene
        self._chance = chance
        self._people: dict[str, Client | None] = {}

    def rooms(self) -> tuple[str, ...]:
        """All of them, oldest first."""
        return tuple(self._people)

    def with_people(self, kind: str = "") -> tuple[str, ...]:
        """Those that somebody is in; of one kind, or of all."""
        return tuple(room for room, person in self._people.items() if person and room.startswith(kind))

    async def go_on(self) -> None:
        """Close a few, and open as many as are lacking."""
        for room in self.rooms()[: max(0, len(self._people) - AT_ONCE + 3)]:
            await self._close(room)
        await asyncio.gather(*(self._open() for _ in range(AT_ONCE - len(self._people))))

    async def come_back(self) -> None:
        """After LiveKit was gone: everybody connects anew; rooms in which nobody was are closed."""
        for room, person in tuple(self._people.items()):
            if person is None:
                await self._close(room)
            else:
                await person.leave()
                self._people[room] = await self._join(room)

    async def end(self) -> None:
        """Everybody goes."""
        await asyncio.gather(*(person.leave() for person in self._people.values() if person))

    async def _open(self) -> None:
        self.opened += 1
        room = f"{self._chance.choice(KINDS)}-soak-{self.opened}"
        wanted = len(self.with_people()) < WITH_PEOPLE
        self._people[room] = None
        if wanted:
            self._people[room] = await self._join(room)
        else:
            await self._scene.create(room)

    async def _join(self, room: str) -> Client:
        person = Client(self._scene.server, room, "ann")
        await person.join(self._scene.server.token(room, "ann"))
        return person

    async def _close(self, room: str) -> None:
        if person := self._people.pop(room):
            await person.leave()
        async with self._scene.server.api() as livekit:
            try:
                await livekit.room.delete_room(api.DeleteRoomRequest(room=room))
            except api.TwirpError as error:
                if error.code not in CLOSED:
                    raise
