"""Hearing what other replicas publish, on a connection of its own, for as long as it runs.

What is published while nobody listens is lost, hence `on_begin`.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from orchestrator.store.connection import Connection

log = structlog.get_logger()

_QUIET: Final = 2.0
"""Seconds without a message after which the connection is asked for a sign of life."""

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
"""Seconds between attempts to connect: doubled from the first to the longest."""


class Listening:
    """Calls, for each message on a channel, what stands under its name."""

    def __init__(
        self,
        connection: Connection,
        callbacks: Mapping[str, Callable[[str], None]],
        *,
        on_begin: Callable[[], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """`on_begin` is called whenever listening begins, the first time included."""
        self._client = connection.client
        self._callbacks = {channel.encode(): callback for channel, callback in callbacks.items()}
        self._on_begin = on_begin
        self._sleep = sleep

    async def run(self) -> None:
        """Listen for ever."""
        pause = _FIRST_PAUSE
        while True:
            pubsub = self._client.pubsub()
            try:
                await self._subscribe(pubsub)
                pause = _FIRST_PAUSE
                self._on_begin()
                while True:
                    await self._hear(pubsub)
            except (RedisError, OSError) as error:
                if pause == _FIRST_PAUSE:  # once per outage
                    log.warning("listening_interrupted", error=f"{type(error).__name__}: {error}")
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
