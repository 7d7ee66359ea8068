"""What other replicas tell this one: facts wait for a session of yours, a slot came free, a worker arrived.

A wake-up saves waiting, and nothing depends on it: what is published while nobody listens is lost, hence `on_reconnect`.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from orchestrator.store.connection import Connection
from orchestrator.store.keys import Keys

log = structlog.get_logger()

_QUIET: Final = 2.0
"""Seconds without a message after which the connection is asked for a sign of life."""

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
"""Seconds between attempts to connect: doubled from the first to the longest."""


class Wakes:
    """Listens on a connection of its own, and connects again for as long as it runs."""

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
        self._client = connection.client
        self._on_reconnect = on_reconnect
        self._sleep = sleep
        self._callbacks = {
            keys.wake_channel(replica).encode(): on_session,
            keys.slots_channel.encode(): on_slots,
            keys.workers_channel.encode(): on_worker,
        }

    async def run(self) -> None:
        """Listen for ever."""
        pause = _FIRST_PAUSE
        while True:
            pubsub = self._client.pubsub()
            try:
                await self._subscribe(pubsub)
                pause = _FIRST_PAUSE
                self._on_reconnect()
                while True:
                    await self._hear(pubsub)
            except (RedisError, OSError) as error:
                if pause == _FIRST_PAUSE:  # once per outage
                    log.warning("wakes_disconnected", error=f"{type(error).__name__}: {error}")
            finally:
                await pubsub.aclose()  # type: ignore[no-untyped-call]
            await self._sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _subscribe(self, pubsub: PubSub) -> None:
        await pubsub.subscribe(*self._callbacks)
        for _ in self._callbacks:
            if await pubsub.get_message(timeout=_QUIET) is None:
                raise TimeoutError("no answer to SUBSCRIBE")

    async def _hear(self, pubsub: PubSub) -> None:
        message = await pubsub.get_message(timeout=_QUIET)
        if message is None:
            # Half of a cut connection stays open for hours: only a question shows that nobody is there.
            await pubsub.ping()
            message = await pubsub.get_message(timeout=_QUIET)
        if message is None:
            raise TimeoutError("no answer to PING")
        if message["type"] == "message":
            self._callbacks[message["channel"]](message["data"].decode())
        elif message["type"] == "subscribe":
            raise ConnectionResetError("redis-py connected anew")  # what was published meanwhile is lost: say so
