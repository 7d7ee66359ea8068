"""The model's way to hear which sessions change."""

import asyncio
from collections.abc import Callable

from tests.fakes.store.server import Follower, Line


class MemoryChanges:
    def __init__(self, line: Line) -> None:
        self._server = line.server

    async def follow(self, on_change: Callable[[str], None], on_begin: Callable[[], None]) -> None:
        follower = Follower(on_change, on_begin)
        self._server.followers.append(follower)
        try:
            on_begin()
            await asyncio.get_running_loop().create_future()  # for ever
        finally:
            self._server.followers.remove(follower)
