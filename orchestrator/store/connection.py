"""The way to Redis: calls made at the same moment leave as one pipeline, and every failure is StoreUnavailable.

A lone call costs redis-py 95 µs of CPU, a call in a pipeline 27. So a call only queues its commands; what one turn of
the event loop has queued is sent together. The pipeline is no transaction: each command succeeds or fails by itself,
and a caller that is cancelled takes nobody else with it. redis-py's own retries are off: it would run a script again
whose reply was lost.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from redis.exceptions import RedisError, ResponseError

from orchestrator.runtime.ports import StoreUnavailable
from orchestrator.store.client import close_client, open_client

T = TypeVar("T")

Argument = bytes | str | int | float
Command = tuple[Argument, ...]
Reply = Any
"""What Redis answers: bytes, int, None, or lists of these."""

_IN_FLIGHT: Final = 4
"""Pipelines under way at once; what comes meanwhile waits and leaves together."""

_BATCH: Final = 256
"""Callers per pipeline, so that the first of them does not wait for the replies of thousands."""


class Spawn(Protocol):
    """How a task is started: `Tasks.spawn` of the runtime."""

    def __call__(self, name: str, work: Coroutine[Any, Any, T], /) -> asyncio.Task[T]: ...


@dataclass(frozen=True, slots=True)
class _Call:
    commands: tuple[Command, ...]
    replies: asyncio.Future[list[Reply]]


class Connection:
    """One Redis for the whole process. Every call raises StoreUnavailable within `timeout` seconds of being sent."""

    def __init__(self, url: str, spawn: Spawn, *, timeout: float = 2.0) -> None:
        """Does not connect yet. Raises ValueError for a URL that is none of redis, rediss, unix, redis+sentinel."""
        self.client = open_client(url, timeout)
        self._spawn = spawn
        self._timeout = timeout
        self._waiting: list[_Call] = []
        self._scheduled = False
        self._in_flight = 0

    async def call(self, *command: Argument) -> Reply:
        """One command."""
        return (await self.calls(command))[0]

    async def calls(self, *commands: Command) -> list[Reply]:
        """Several commands, executed in this order, though not as one; raises for the first that failed."""
        replies = await self.replies(*commands)
        for command, reply in zip(commands, replies, strict=True):
            if isinstance(reply, ResponseError):
                raise refused(command, reply) from reply
        return replies

    async def replies(self, *commands: Command) -> list[Reply]:
        """As `calls`; a command that Redis refused has its ResponseError in the place of its reply."""
        loop = asyncio.get_running_loop()
        call = _Call(commands, loop.create_future())
        self._waiting.append(call)
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._flush)
        return await call.replies

    async def close(self) -> None:
        """Close what is open. Calls must have ended."""
        await close_client(self.client)

    def _flush(self) -> None:
        self._scheduled = False
        while self._waiting and self._in_flight < _IN_FLIGHT:
            batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
            self._in_flight += 1
            # Of the task's end one hears even if it was cancelled before it began: nobody waits for ever.
            self._spawn("store:pipeline", self._send(batch)).add_done_callback(partial(self._sent, batch))

    async def _send(self, batch: list[_Call]) -> list[Reply] | RedisError | OSError:
        pipeline = self.client.pipeline(transaction=False)
        for call in batch:
            for command in call.commands:
                pipeline.execute_command(*command)
        try:
            async with asyncio.timeout(self._timeout):
                return await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:  # a timeout is an OSError
            return error

    def _sent(self, batch: list[_Call], task: asyncio.Task[list[Reply] | RedisError | OSError]) -> None:
        self._in_flight -= 1
        failure = asyncio.CancelledError() if task.cancelled() else task.exception()
        answer = failure or task.result()
        position = 0
        for call in batch:
            end = position + len(call.commands)
            if not call.replies.done():
                if isinstance(answer, list):
                    call.replies.set_result(answer[position:end])
                else:
                    call.replies.set_exception(_unanswered(answer))
            position = end
        self._flush()


def refused(command: Command, error: ResponseError) -> StoreUnavailable:
    """What a caller is told of a command that Redis answered with an error: read-only, out of memory, loading, or a defect."""
    return StoreUnavailable(f"Redis refused {command[0]!s}: {error}")


def _unanswered(error: BaseException) -> StoreUnavailable:
    unavailable = StoreUnavailable(f"Redis did not answer: {type(error).__name__}: {error}")
    unavailable.__cause__ = error  # raised by the future, where `from` cannot say it
    return unavailable
