"""The webhooks that came last, on Redis: two streams, so that a flood of forged ones displaces none that counted."""

import re
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import msgspec

from orchestrator.core.received import Received, Remembered
from orchestrator.store.connection import Command, Connection
from orchestrator.store.keys import Keys

REFUSED_PART: Final = 5
"""Of those that were refused, so much fewer are kept."""

_TTL: Final = 7 * 86_400
"""Seconds after the last one."""

_PORTION: Final = 100

_ID: Final = re.compile(r"([ar])(0|[1-9][0-9]{0,18})-(0|[1-9][0-9]{0,18})")

Position = tuple[int, int, str]
"""A place in both streams: the time in ms, the number within that, and which stream."""


class ReceivedWebhooks:
    """Over all replicas. Raises StoreUnavailable."""

    def __init__(self, connection: Connection, keys: Keys, *, kept: int) -> None:
        self._connection = connection
        self._streams = {"a": keys.webhooks_accepted, "r": keys.webhooks_refused}
        self._kept = {"a": kept, "r": max(kept // REFUSED_PART, 1)}

    async def add(self, accepted: Sequence[Received], refused: Sequence[Received]) -> None:
        """Keep these, in one trip; of too many the oldest go."""
        commands: list[Command] = []
        for letter, several in (("a", accepted), ("r", refused)):
            stream, kept = self._streams[letter], self._kept[letter]
            lines = [msgspec.json.encode(one) for one in several[-kept:]]
            commands += [("XADD", stream, "MAXLEN", kept, "*", "webhook", line) for line in lines]
            if lines:
                commands.append(("EXPIRE", stream, _TTL))
        if commands:
            await self._connection.calls(*commands)

    async def page(
        self, *, outcome: str | None, room: str | None, cursor: str | None, limit: int
    ) -> tuple[tuple[Remembered, ...], str | None]:
        """Those after the cursor, newest first, and the next page's cursor. Raises ValueError for one that no page gave."""
        before = None if cursor is None else position_of(cursor)
        if cursor is not None and before is None:
            raise ValueError(f"no cursor: {cursor[:40]!r}")
        found: list[Remembered] = []
        async for one in self._newest(before):
            if outcome in (None, one.received.outcome) and room in (None, one.received.room):
                found.append(one)
            if len(found) == limit:
                return tuple(found), one.id
        return tuple(found), None

    async def find(self, webhook_id: str) -> Remembered | None:
        position = position_of(webhook_id)
        if position is None:
            return None
        at, number, letter = position
        found = await self._connection.call("XRANGE", self._streams[letter], f"{at}-{number}", f"{at}-{number}")
        return _remembered(letter, *found[0]) if found else None

    async def _newest(self, before: Position | None) -> AsyncIterator[Remembered]:
        """Of both streams, the newest first."""
        walks = {letter: self._walk(letter, before) for letter in self._streams}
        heads = {letter: one for letter, walk in walks.items() if (one := await anext(walk, None)) is not None}
        while heads:
            letter = max(heads, key=lambda letter: position_of(heads[letter].id) or (0, 0, ""))
            yield heads.pop(letter)
            if (following := await anext(walks[letter], None)) is not None:
                heads[letter] = following

    async def _walk(self, letter: str, before: Position | None) -> AsyncIterator[Remembered]:
        newest = "+"
        if before is not None:
            at, number, other = before
            newest = f"{at}-{number}" if letter < other else f"({at}-{number}"
        while found := await self._connection.call("XREVRANGE", self._streams[letter], newest, "-", "COUNT", _PORTION):
            for name, fields in found:
                yield _remembered(letter, name, fields)
            newest = f"({found[-1][0].decode()}"


def position_of(webhook_id: str) -> Position | None:
    """The place of an id; None for what is none."""
    found = _ID.fullmatch(webhook_id)
    if found is None or found[0][1:] == "0-0":
        return None
    return int(found[2]), int(found[3]), found[1]


def _remembered(letter: str, name: bytes, fields: dict[bytes, Any]) -> Remembered:
    return Remembered(f"{letter}{name.decode()}", msgspec.json.decode(fields[b"webhook"], type=Received))
