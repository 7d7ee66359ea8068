"""Canaries on Redis: the runtime's CanaryBook. Each hash is bounded by the agents and by the rooms that were tried."""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import structlog

from orchestrator.core.canary import Canary, Outcome
from orchestrator.runtime.ports import ScratchRoom, StoreCorrupt
from orchestrator.store.codec import decode_canary, decode_scratch_room, encode_canary, encode_scratch_room
from orchestrator.store.connection import Command, Connection
from orchestrator.store.keys import Keys

log = structlog.get_logger()

T = TypeVar("T")

_TTL: Final = 8 * 86_400
"""Seconds after the last canary: longer than any of them is shown."""

_ROOMS_TTL: Final = 3_600
"""Seconds after the last room was made: longer than any of them is watched."""


class BookedCanaries:
    """Over all replicas. A turn is a key that lapses when the next one is due, as the reconciler's rounds are."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    async def turn(self, what: str, replica: str, seconds: float) -> bool:
        key = self._keys.canary_turn(what)
        return await self._connection.call("SET", key, replica, "NX", "PX", max(round(seconds * 1000), 1)) is not None

    async def note(self, canary: Canary, *, counts: bool) -> int:
        last, failures, name = self._keys.canaries, self._keys.canary_failures, canary.agent_name
        count: Command = ("HINCRBY", failures, name, 1) if counts else ("HGET", failures, name)
        if canary.outcome is Outcome.ANSWERING:
            count = ("HDEL", failures, name)
        counted, *_ = await self._connection.calls(
            count, ("HSET", last, name, encode_canary(canary)), ("EXPIRE", last, _TTL), ("EXPIRE", failures, _TTL)
        )
        return 0 if canary.outcome is Outcome.ANSWERING else int(counted or 0)

    async def last(self, since: float) -> Mapping[str, Canary]:
        key = self._keys.canaries
        canaries = _readable(await self._connection.call("HGETALL", key), decode_canary)
        if forgotten := [name for name, canary in canaries.items() if canary.at < since]:
            await self._connection.calls(("HDEL", key, *forgotten), ("HDEL", self._keys.canary_failures, *forgotten))
        return {name: canary for name, canary in canaries.items() if canary.at >= since}

    async def open(self, name: str, room: ScratchRoom) -> None:
        key = self._keys.scratch_rooms
        await self._connection.calls(("HSET", key, name, encode_scratch_room(room)), ("EXPIRE", key, _ROOMS_TTL))

    async def close(self, name: str) -> None:
        await self._connection.call("HDEL", self._keys.scratch_rooms, name)

    async def rooms(self) -> Mapping[str, ScratchRoom]:
        return _readable(await self._connection.call("HGETALL", self._keys.scratch_rooms), decode_scratch_room)


def _readable(stored: Mapping[bytes, bytes], decode: Callable[[bytes], T]) -> dict[str, T]:
    read: dict[str, T] = {}
    for name, body in stored.items():
        try:
            read[name.decode()] = decode(body)
        except StoreCorrupt as error:
            log.warning("canary_unreadable", name=name.decode(), error=str(error))  # a newer replica's: it sees to it
    return read
