"""What other replicas tell this one: facts wait for a session of yours, a slot came free, a worker arrived.

A wake-up saves waiting, and nothing depends on it: what is published while nobody listens is lost, hence `on_reconnect`.
"""

from collections.abc import Awaitable, Callable

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys
from orchestrator.store.listening import Listening


class Wakes:
    """Of one replica."""

    def __init__(
        self,
        connection: Connection,
        keys: Keys,
        replica: str,
        *,
        on_session: Callable[[str], None],
        on_slots: Callable[[str], None],
        on_worker: Callable[[str], None],
        on_reconnect: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """`on_reconnect` is called whenever listening begins, the first time included."""
        callbacks = {
            keys.wake_channel(replica): on_session,
            keys.slots_channel: on_slots,
            keys.workers_channel: on_worker,
        }
        self._listening = Listening(connection, callbacks, on_begin=on_reconnect, sleep=sleep)

    async def run(self) -> None:
        """Listen for ever."""
        await self._listening.run()
