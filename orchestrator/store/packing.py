"""Connections that write a pipeline's commands with hiredis.

redis-py reads replies with hiredis, but packs what it sends in Python, which is a third of the CPU of a stored webhook.
"""

from collections.abc import Iterable
from typing import Any, Final

import hiredis
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.typing import EncodableT


class _Packing(AbstractConnection):
    def pack_commands(self, commands: Iterable[Iterable[EncodableT]]) -> list[bytes]:
        return [b"".join(self._packed(tuple(command)) for command in commands)]

    def _packed(self, command: tuple[Any, ...]) -> bytes:
        try:
            packed: bytes = hiredis.pack_command(command)
        except UnicodeEncodeError:  # hiredis knows no error handler for a name from outside that is no text
            packed = hiredis.pack_command(tuple(map(self.encoder.encode, command)))
        return packed


class _OverTcp(_Packing, Connection): ...


class _OverTls(_Packing, SSLConnection): ...


class _OverUnixSocket(_Packing, UnixDomainSocketConnection): ...


CONNECTIONS: Final[dict[str, type[AbstractConnection]]] = {
    "redis": _OverTcp,
    "rediss": _OverTls,
    "unix": _OverUnixSocket,
}
"""By the scheme of the URL."""
