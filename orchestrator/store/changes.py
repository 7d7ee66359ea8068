"""Which sessions change, whichever replica changes them."""

from collections.abc import Awaitable, Callable

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.listening import Listening


class Changes:
    """What the scripts that write records publish. It costs them nothing that can be measured when nobody listens."""

    def __init__(self, connection: Connection, keys: Keys, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._connection = connection
        self._channel = keys.changes_channel
        self._sleep = sleep

    async def follow(self, on_change: Callable[[str], None], on_begin: Callable[[], None]) -> None:
        """Call `on_change` with the sid of each session of which a record was written, for ever.

        `on_begin` is called whenever listening begins: what changed before is not told.
        """
        listening = Listening(self._connection, {self._channel: on_change}, on_begin=on_begin, sleep=self._sleep)
        await listening.run()
