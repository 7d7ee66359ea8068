"""A load that costs little: prepared requests over many connections that are kept open, one at a time on each.

As LiveKit does, it sends the events of one room one after the other, and those of many rooms at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from tests.e2e.harness.ports import LOOPBACK

_END_OF_HEAD = b"\r\n\r\n"


class UnexpectedAnswer(Exception):
    """The server answered something else than 200: its rate is of no interest."""


class _Connection(asyncio.Protocol):
    """Sends the next request of its room as soon as the last one is answered, and then takes the next room."""

    def __init__(self, rooms: list[Sequence[bytes]], done: asyncio.Future[None]) -> None:
        self._rooms = rooms
        self._room: Iterator[bytes] = iter(())
        self._done = done
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def send_next(self) -> None:
        request = next(self._room, None)
        if request is None and self._rooms:
            self._room = iter(self._rooms.pop())
            request = next(self._room)
        if request is not None:
            self._transport.write(request)
        elif not self._done.done():
            self._done.set_result(None)

    def data_received(self, data: bytes) -> None:
        self._received += data
        # Both servers answer with an empty body: the end of the head is the end of the answer.
        if not self._received.endswith(_END_OF_HEAD):
            return
        if not self._received.startswith(b"HTTP/1.1 200 ") and not self._done.done():
            self._done.set_exception(UnexpectedAnswer(self._received.decode(errors="replace")))
        self._received = b""
        self.send_next()

    def connection_lost(self, _: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(ConnectionError("the server hung up"))

    def close(self) -> None:
        self._transport.close()


async def send_all(port: int, rooms: Sequence[Sequence[bytes]], connections: int) -> None:
    """Send the requests of all rooms, and wait for the last answer. Raises UnexpectedAnswer."""
    loop = asyncio.get_running_loop()
    waiting = list(rooms)
    done = [loop.create_future() for _ in range(connections)]
    opened = [await _open(port, waiting, end) for end in done]
    try:
        for connection in opened:
            connection.send_next()
        await asyncio.gather(*done)
    finally:
        for connection in opened:
            connection.close()


async def _open(port: int, rooms: list[Sequence[bytes]], done: asyncio.Future[None]) -> _Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: _Connection(rooms, done), LOOPBACK, port)
    return connection
