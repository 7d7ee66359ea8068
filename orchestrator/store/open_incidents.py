"""The incidents that are open, as the outbox keeps them: those of sessions and those of the service."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from orchestrator.core.alerts import alert_id
from orchestrator.core.causes import Cause
from orchestrator.core.paging import GroupName
from orchestrator.runtime.ports import Alert, StoreCorrupt
from orchestrator.store.codec import decode_alert
from orchestrator.store.connection import Connection
from orchestrator.store.index import Position, newest
from orchestrator.store.keys import Keys

log = structlog.get_logger()

_GROUPS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Group:
    """The open incidents of many sessions that share their type, their agent and their cause."""

    type: str
    agent_name: str
    cause: Cause | None
    rooms: int
    since: float
    """Of the oldest one."""


class OpenIncidents:
    """Over all replicas. Raises StoreUnavailable."""

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection = connection
        self._keys = keys

    async def page(self, *, cursor: str | None, limit: int) -> tuple[tuple[Alert, ...], str | None]:
        """What opened them, newest first, and the next page's cursor. Raises ValueError for one that no page gave."""
        after = None if cursor is None else Position.parse(cursor)
        positions = await newest(self._connection, self._keys.alerts_open, after=after, count=limit)
        commands = (("HGET", self._keys.alert(alert_id(position.sid, "firing")), "body") for position in positions)
        bodies: list[bytes | None] = await self._connection.calls(*commands) if positions else []
        if gone := [position.sid for position, body in zip(positions, bodies, strict=True) if body is None]:
            await self._forget(gone)
        alerts = tuple(alert for body in bodies if body is not None and (alert := _readable(body)) is not None)
        return alerts, str(positions[-1]) if len(positions) == limit else None

    async def _forget(self, incidents: Sequence[str]) -> None:
        """Their alerts were kept for a month, and who could have resolved them is gone: a lost store, for one."""
        groups: list[bytes] = await self._connection.call("SMEMBERS", self._keys.alert_groups)
        keys = (self._keys.alerts_open, *(self._keys.alert_group(group.decode()) for group in groups))
        await self._connection.calls(*(("ZREM", key, *incidents) for key in keys))

    async def groups(self) -> tuple[Group, ...]:
        """The largest first."""
        named: list[bytes] = await self._connection.call("SMEMBERS", self._keys.alert_groups)
        names = sorted(name.decode() for name in named)[:_GROUPS]
        keys = [self._keys.alert_group(name) for name in names]
        commands = [command for key in keys for command in (("ZCARD", key), ("ZRANGE", key, 0, 0, "WITHSCORES"))]
        replies = await self._connection.calls(*commands) if commands else []
        found = (
            _group(name, rooms, float(oldest[1]))
            for name, rooms, oldest in zip(names, replies[::2], replies[1::2], strict=True)
            if oldest
        )
        return tuple(sorted(found, key=lambda group: (-group.rooms, group.since)))

    async def count(self) -> int:
        """How many are open."""
        count: int = await self._connection.call("ZCARD", self._keys.alerts_open)
        return count


def _readable(body: bytes) -> Alert | None:
    try:
        return decode_alert(body)
    except StoreCorrupt as error:
        log.warning("alert_unreadable", error=str(error))  # a newer replica's: one of them must not hide the others
        return None


def _group(name: str, rooms: int, since: float) -> Group:
    shared = GroupName.parse(name)
    return Group(shared.type, shared.agent_name, shared.cause, rooms, since)
